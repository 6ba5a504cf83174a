"""
The rule of a schedule, made from its spec: the rule as written, and around it window, filters, days, count and splay.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import msgspec

from orchd.model.specs import CalendarSpec, ClauseSpec, DayMove, RuleKind, ScheduleSpec
from orchd.schedules.clauses import Filtered, clause
from orchd.schedules.cron import Cron
from orchd.schedules.dates import Dates
from orchd.schedules.days import Days, Moved, Without, days_of
from orchd.schedules.interval import Every
from orchd.schedules.problems import RuleError
from orchd.schedules.rrule import RRule
from orchd.schedules.ticking import Rule
from orchd.schedules.windows import AnyOf, Counted, Shifted, Window

__all__ = ["After", "Rule", "first_fire", "rule_of", "rule_words", "splay_s"]


@dataclass(frozen=True, slots=True)
class After:
    """
    The rule of a schedule that waits for other flows: no clock ever makes it due (:mod:`orchd.schedules.joins` does).
    """

    flows: tuple[str, ...]
    timezone: str = "UTC"

    @property
    def spacing(self) -> timedelta:
        """
        The least time between two fires.
        """
        return timedelta.max

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return None, whatever *instant* is.
        """
        return None


def rule_of(spec: ScheduleSpec) -> Rule:
    """
    Return the rule that *spec* writes.

    Raises:
        RuleError: it cannot be meant; one sentence.
    """
    starts_at = None if spec.starts_at is None else datetime.fromisoformat(spec.starts_at)
    ends_at = None if spec.ends_at is None else datetime.fromisoformat(spec.ends_at)
    rule = _written(spec)
    if starts_at is not None or ends_at is not None:
        rule = Window(rule=rule, starts_at=starts_at, ends_at=ends_at)
    if spec.filters or spec.or_filters or spec.not_filters:
        for each in (*spec.filters, *spec.or_filters, *spec.not_filters):
            clause(each)
        rule = Filtered(rule=rule, every=spec.filters, some=spec.or_filters, no=spec.not_filters)
    for adjustment in spec.adjustments:
        rule = _adjusted(rule, adjustment)
    if spec.calendars:
        rule = _dated(rule, spec.calendars)
    if spec.count is not None and starts_at is not None:
        rule = Counted(rule=rule, starts_at=starts_at, count=spec.count)
    if spec.splay_s:
        rule = Shifted(rule=rule, offset=timedelta(seconds=spec.splay_s), is_splay=True)
    return rule


def _written(spec: ScheduleSpec) -> Rule:
    match spec.kind:
        case RuleKind.CRON:
            return Cron(spec.rule, spec.timezone, spec.seconds, spec.day_or)
        case RuleKind.EVERY:
            return Every(spec.rule, spec.timezone, spec.anchor)
        case RuleKind.RRULE:
            return RRule(spec.rule, spec.timezone, spec.anchor)
        case RuleKind.DATES:
            return Dates(tuple(map(datetime.fromisoformat, spec.dates)), spec.timezone, spec.known_until is not None)
        case RuleKind.ANY:
            return AnyOf(tuple(map(rule_of, spec.parts)), spec.timezone)
        case RuleKind.AFTER:
            return After(spec.after, spec.timezone)


def _adjusted(rule: Rule, adjustment: ClauseSpec) -> Rule:
    if adjustment.name == "next_weekday":
        return Moved(rule=rule, days=Days(weekends=True), closed=Days())

    if adjustment.name == "add":
        [seconds] = msgspec.json.decode(adjustment.arguments, type=tuple[float])
        return Shifted(rule=rule, offset=timedelta(seconds=seconds))

    raise RuleError(f"there is no adjustment {adjustment.name}{adjustment.arguments}")


def _dated(rule: Rule, calendars: tuple[CalendarSpec, ...]) -> Rule:
    skipped = [calendar for calendar in calendars if calendar.move is DayMove.SKIP]
    if skipped:
        rule = Without(rule=rule, days=days_of(_ranges(*skipped)), names=_names(skipped))
    for move in (DayMove.NEXT_BUSINESS_DAY, DayMove.PREVIOUS_BUSINESS_DAY):
        moving = [calendar for calendar in calendars if calendar.move is move]
        if moving:
            rule = Moved(
                rule=rule,
                days=days_of(_ranges(*moving)),
                closed=days_of(_ranges(*calendars)),
                forward=move is DayMove.NEXT_BUSINESS_DAY,
                names=_names(moving),
            )
    return rule


def _names(calendars: list[CalendarSpec]) -> tuple[str, ...]:
    return tuple(calendar.name for calendar in calendars)


def _ranges(*calendars: CalendarSpec) -> Iterator[tuple[date, date]]:
    for calendar in calendars:
        for first, last in calendar.days:
            yield date.fromisoformat(first), date.fromisoformat(last)


def splay_s(name: str, width: timedelta) -> float:
    """
    Return by how many whole seconds the schedule called *name* is moved on: less than *width*, and for ever the same.
    """
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    return float(number % max(1, int(width.total_seconds())))


def first_fire(spec: ScheduleSpec) -> datetime | None:
    """
    Return the first fire time that *spec* ever has (since 1970, when it names no start); None when it never fires.

    Raises:
        RuleError: it cannot be meant.
    """
    start = datetime(1970, 1, 1, tzinfo=UTC)
    if spec.kind is RuleKind.DATES and spec.dates:
        start = datetime.fromisoformat(spec.dates[0])
    if spec.starts_at is not None:
        start = datetime.fromisoformat(spec.starts_at)
    return rule_of(spec).next_after(start - timedelta(days=1))


def rule_words(spec: ScheduleSpec) -> str:
    """
    Return the rule as written, in a few words: ``cron 0 2 * * *``, ``every 90s``, ``after load``, ``3 dates``.
    """
    match spec.kind:
        case RuleKind.AFTER:
            return f"after {', '.join(spec.after)}"
        case RuleKind.DATES if spec.known_until is not None:
            return "the flow's own code"
        case RuleKind.DATES:
            return f"{len(spec.dates)} date{'' if len(spec.dates) == 1 else 's'}"
        case RuleKind.ANY:
            return "; ".join(map(rule_words, spec.parts))
        case RuleKind.CRON if spec.seconds != (0,):
            return f"cron {spec.rule} at second {', '.join(map(str, spec.seconds))}"
        case RuleKind.CRON | RuleKind.EVERY | RuleKind.RRULE:
            return f"{spec.kind.value} {spec.rule}"
