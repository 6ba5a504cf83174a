"""
From a ``[schedules.NAME]`` table to a checked :class:`~orchd.model.specs.ScheduleSpec`.
"""

import zoneinfo
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time

from orchd.config.complaints import place
from orchd.config.files import Merged
from orchd.config.limits import wait_specs
from orchd.config.places import is_zone
from orchd.config.problems import did_you_mean, toml_value
from orchd.config.tables import ScheduleTable
from orchd.model.specs import (
    DEFAULT_GRACE_OF_NONE,
    DEFAULT_MAX_CATCHUP,
    CatchUp,
    Overlap,
    RuleKind,
    ScheduleSpec,
    When,
    parameters_text,
)
from orchd.schedules import RuleError, rule_of

#: Key -> the kinds of rule that it means something for.
_ONLY_FOR = {
    "anchor": (RuleKind.EVERY,),
    "when": (RuleKind.AFTER,),
    "catchup": (RuleKind.CRON, RuleKind.EVERY),
    "grace": (RuleKind.CRON, RuleKind.EVERY),
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


def schedule_problems(name: str, table: ScheduleTable, merged: Merged, *, default_zone: str) -> Iterator[str]:
    """
    Yield one sentence for each mistake of the schedule called *name*.
    """
    key = ("schedules", name)
    kinds = _kinds(table)
    if len(kinds) != 1:
        had = " and ".join(kinds) or "no rule"
        one = 'exactly one of cron = "0 2 * * *", every = "90s", after = ["load"]'
        yield f"{place(key, merged)} has {had}; write {one}"
        return

    if table.timezone and (problem := zone_problem(table.timezone)):
        yield f"{place((*key, 'timezone'), merged)} = {toml_value(table.timezone)}: {problem}"
        return

    for given, fitting in _ONLY_FOR.items():
        if getattr(table, given) is not None and kinds[0] not in fitting:
            fit = " or ".join(fitting)
            yield f"{place((*key, given), merged)}: means nothing beside '{kinds[0]}', only with {fit}; remove it"

    if doubles := [flow for flow, times in Counter(table.after or ()).items() if times > 1]:
        yield f"{place((*key, 'after'), merged)}: '{doubles[0]}' is there twice; remove one of them"

    try:
        rule_of(spec_of(name, table, default_zone=default_zone))
    except RuleError as error:
        at = (*key, str(kinds[0]))
        yield f"{place(at, merged)} = {toml_value(getattr(table, kinds[0]))}: {error}"


def spec_of(name: str, table: ScheduleTable, *, default_zone: str) -> ScheduleSpec:
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
        rule=table.cron or table.every or "",
        timezone=zone,
        anchor=None if table.anchor is None else _wall_time(table.anchor, zone),
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


def circle_problems(tables: dict[str, ScheduleTable], merged: Merged) -> Iterator[str]:
    """
    Yield one sentence for each circle of flows that wait for each other, so that none could ever start first.
    """
    waits: dict[str, list[tuple[str, str]]] = {}
    for name, table in tables.items():
        for upstream in table.after or ():
            waits.setdefault(table.flow, []).append((upstream, name))

    done: set[str] = set()
    for flow in waits:
        if flow not in done and (circle := _circle_from(flow, waits, done)):
            words = " after ".join(f"'{item}'" for item, _ in circle)
            at = place(("schedules", circle[1][1], "after"), merged)
            yield f"{at}: {words} is a circle; give one of them a cron or every rule instead"


def _circle_from(start: str, waits: dict[str, list[tuple[str, str]]], done: set[str]) -> list[tuple[str, str]] | None:
    # Iterative, so that a chain of ten thousand flows does not meet the recursion limit.
    path: list[tuple[str, str]] = [(start, "")]
    branches = [iter(waits.get(start, ()))]
    on_path = {start}
    while path:
        if path[-1][0] in done or (step := next(branches[-1], None)) is None:
            done.add(path[-1][0])
            on_path.discard(path.pop()[0])
            branches.pop()
            continue
        if step[0] in on_path:
            done |= on_path
            begin = next(n for n, item in enumerate(path) if item[0] == step[0])
            return [*path[begin:], step]

        path.append(step)
        branches.append(iter(waits.get(step[0], ())))
        on_path.add(step[0])
    return None


def _kinds(table: ScheduleTable) -> list[RuleKind]:
    return [kind for kind in RuleKind if getattr(table, kind, None) is not None]


def _wall_time(anchor: datetime | date, zone: str) -> str:
    if not isinstance(anchor, datetime):
        return datetime.combine(anchor, time()).isoformat()

    if anchor.tzinfo is not None:
        anchor = anchor.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
    return anchor.isoformat()
