"""
From a ``[schedules.NAME]`` table to a checked :class:`~orchd.model.specs.ScheduleSpec`.
"""

import zoneinfo
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time

import msgspec

from orchd.config.complaints import place
from orchd.config.files import Merged
from orchd.config.instants import calendar_specs, date_texts, instant_problems, instant_text
from orchd.config.limits import wait_specs
from orchd.config.places import is_zone
from orchd.config.problems import did_you_mean, toml_value
from orchd.config.tables import CalendarTable, ScheduleTable
from orchd.model.specs import (
    DEFAULT_GRACE_OF_NONE,
    DEFAULT_MAX_CATCHUP,
    CatchUp,
    DayMove,
    Overlap,
    RuleKind,
    ScheduleSpec,
    When,
    parameters_text,
)
from orchd.schedules import RuleError
from orchd.schedules.rules import first_fire, splay_s

_TIMED = (RuleKind.CRON, RuleKind.EVERY, RuleKind.DATES, RuleKind.RRULE)
_TIMED_KEYS = ("catchup", "grace", "from", "until", "count", "splay", *(move.value for move in DayMove))
#: Key -> the kinds of rule that it means something for.
_ONLY_FOR = {
    "anchor": (RuleKind.EVERY, RuleKind.RRULE),
    "when": (RuleKind.AFTER,),
    **dict.fromkeys(_TIMED_KEYS, _TIMED),
}


def zone_problem(name: str) -> str | None:
    """
    Return what is wrong with the zone *name*, and what to write instead; None when it is one.
    """
    if is_zone(name):
        return None

    hint = did_you_mean(name, zoneinfo.available_timezones())
    if hint.startswith("known"):
        hint = 'write an IANA name such as "Europe/Vienna"'
    return f"is not a time zone that this machine knows; {hint}"


def schedule_problems(
    name: str, table: ScheduleTable, merged: Merged, *, default_zone: str, calendars: Mapping[str, CalendarTable]
) -> Iterator[str]:
    """
    Yield one sentence for each mistake of the schedule called *name*.
    """
    key = ("schedules", name)
    kinds = _kinds(table)
    if len(kinds) != 1:
        had = " and ".join(kinds) or "no rule"
        one = 'exactly one of cron = "0 2 * * *", every = "90s", dates, rrule, after = ["load"]'
        yield f"{place(key, merged)} has {had}; write {one}"
        return

    if table.timezone and (problem := zone_problem(table.timezone)):
        yield f"{place((*key, 'timezone'), merged)} = {toml_value(table.timezone)}: {problem}"
        return

    for given, fitting in _ONLY_FOR.items():
        if getattr(table, given.replace("from", "from_")) is not None and kinds[0] not in fitting:
            fit = " or ".join(fitting)
            yield f"{place((*key, given), merged)}: means nothing beside '{kinds[0]}', only with {fit}; remove it"

    if doubles := [flow for flow, times in Counter(table.after or ()).items() if times > 1]:
        yield f"{place((*key, 'after'), merged)}: '{doubles[0]}' is there twice; remove one of them"

    yield from instant_problems(name, table, merged, calendars)
    try:
        spec = spec_of(name, table, default_zone=default_zone, calendars=calendars)
        if kinds[0] is not RuleKind.AFTER and first_fire(spec) is None:
            yield f"{place(key, merged)} never fires: {_why_never(spec)}"
    except RuleError as error:
        at = (*key, str(kinds[0]))
        yield f"{place(at, merged)} = {toml_value(getattr(table, kinds[0]))}: {error}"


def _why_never(spec: ScheduleSpec) -> str:
    if spec.calendars and first_fire(msgspec.structs.replace(spec, calendars=())) is not None:
        return "its calendars take each of its fire times away; change them, or its window"

    return "none of its fire times is in its window; change from or until"


def spec_of(
    name: str, table: ScheduleTable, *, default_zone: str, calendars: Mapping[str, CalendarTable]
) -> ScheduleSpec:
    """
    Return *table* as the spec of the schedule called *name*, every default filled in.
    """
    kind = _kinds(table)[0]
    zone = table.timezone or default_zone
    catchup = table.catchup or CatchUp.LATEST
    grace = table.grace if table.grace is not None or catchup is not CatchUp.NONE else DEFAULT_GRACE_OF_NONE
    return ScheduleSpec(
        name=name,
        flow=table.flow,
        kind=kind,
        rule=table.cron or table.every or table.rrule or "",
        timezone=zone,
        anchor=None if table.anchor is None else _wall_time(table.anchor, zone),
        dates=date_texts(table, zone),
        splay_s=0.0 if table.splay is None else splay_s(name, table.splay),
        starts_at=None if table.from_ is None else instant_text(table.from_, zone),
        ends_at=None if table.until is None else instant_text(table.until, zone, ends=True),
        count=table.count,
        calendars=calendar_specs(table, calendars),
        after=table.after or (),
        when=table.when or When.SUCCESS,
        parameters=parameters_text(table.parameters or {}),
        overlap=table.overlap or Overlap.SKIP,
        catchup=catchup,
        grace_s=None if grace is None else grace.total_seconds(),
        max_catchup=table.max_catchup or DEFAULT_MAX_CATCHUP,
        wait_for=wait_specs(table),
        pool=table.pool,
        priority=table.priority,
        pause_after_failures=table.pause_after_failures,
    )


def _kinds(table: ScheduleTable) -> list[RuleKind]:
    return [kind for kind in RuleKind if getattr(table, kind, None) is not None]


def _wall_time(anchor: datetime | date, zone: str) -> str:
    if not isinstance(anchor, datetime):
        return datetime.combine(anchor, time()).isoformat()

    if anchor.tzinfo is not None:
        anchor = anchor.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
    return anchor.isoformat()
