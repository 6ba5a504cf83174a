"""
The rule of a schedule in words: ``at 02:00 every day``, without its zone, which is shown beside it.

Two rules with the same words fire at the same times, but for long lists of dates and for what a flow's own code says.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from orchd.model.specs import ClauseSpec, DayMove, RuleKind, ScheduleSpec, When
from orchd.schedules.cron_words import cron_words
from orchd.schedules.interval import Every, phase_of
from orchd.schedules.problems import RuleError
from orchd.schedules.rrule_words import rrule_words
from orchd.schedules.rules import rule_words
from orchd.schedules.wording import MONTHS, WEEKDAYS, clock, counted, length, listed, moment, named, ordinal, seen

_WEEK: Final = 7
#: More dates than these are told by the first and the last of them.
_FEW_DATES: Final = 4
_DONE: Final = {When.SUCCESS: "succeeded", When.FAILURE: "failed", When.FINISHED: "finished"}
_ON_DAYS: Final = {
    DayMove.SKIP: "not on days of",
    DayMove.NEXT_BUSINESS_DAY: "moved to the next business day from days of",
    DayMove.PREVIOUS_BUSINESS_DAY: "moved to the previous business day from days of",
}
_CONDITIONS: Final = {
    "is_weekday": "from Monday to Friday",
    "is_weekend": "on Saturdays and Sundays",
    "is_month_end": "on the last day of a month",
    "is_month_start": "on the 1st of a month",
}
_ARGUMENTS: Final = msgspec.json.Decoder(list[int | str])
_SECONDS: Final = msgspec.json.Decoder(tuple[float])


def in_words(spec: ScheduleSpec) -> str:
    """
    Return when *spec* fires, in words; its rule as written, when that cannot be meant.
    """
    try:
        written, around = _written(spec), list(_around(spec))
    except RuleError:
        return rule_words(spec)

    if around and len(spec.parts) > 1:
        return f"{written}; all of these {', '.join(around)}"

    return ", ".join([written, *around])


def _written(spec: ScheduleSpec) -> str:
    match spec.kind:
        case RuleKind.CRON:
            return cron_words(spec.rule, spec.seconds, day_or=spec.day_or)
        case RuleKind.EVERY:
            return _every(spec)
        case RuleKind.RRULE:
            return rrule_words(spec.rule, spec.anchor)
        case RuleKind.DATES:
            return "when the flow's own code says" if spec.known_until is not None else _dates(spec)
        case RuleKind.ANY:
            return "; and ".join(_part(part, spec.timezone) for part in spec.parts)
        case RuleKind.AFTER:
            return f"when {named(spec.after)} {'has' if len(spec.after) == 1 else 'have'} {_DONE[spec.when]}"


def _part(spec: ScheduleSpec, timezone: str) -> str:
    return in_words(spec) if spec.timezone == timezone else f"{in_words(spec)} in {spec.timezone}"


def _every(spec: ScheduleSpec) -> str:
    phase = phase_of(Every(spec.rule, spec.timezone, spec.anchor))
    if not phase.keeps_wall:
        apart = length(phase.period).removeprefix("1 ")
        # Seconds need no more; minutes and hours might be those of the clock on the wall.
        kind = "" if "second" in apart else " of elapsed time"
        anchor = "" if spec.anchor is None else f", counted from {moment(datetime.fromisoformat(spec.anchor))}"
        return f"every {apart}{kind}{anchor}"

    days, at = phase.period.days, f"at {clock(phase.wall.time())}"
    if days == 1:
        return f"{at} every day"

    weeks, rest = divmod(days, _WEEK)
    on = f"every {ordinal(days)} day" if rest else f"on {WEEKDAYS[phase.wall.weekday()]}s"
    if weeks > 1 and not rest:
        on += f" of every {ordinal(weeks)} week"
    return f"{at} {on}" if days == _WEEK else f"{at} {on}, counted from {phase.wall.date().isoformat()}"


def _dates(spec: ScheduleSpec) -> str:
    count = len(spec.dates)
    if count > _FEW_DATES:
        first, last = (_date(each, spec) for each in (spec.dates[0], spec.dates[-1]))
        return f"on {count} dates, the first {first}, the last {last}"

    dates = listed([_date(each, spec) for each in spec.dates])
    return f"once, on {dates}" if count == 1 else f"on {count} dates: {dates}"


def _date(instant: str, spec: ScheduleSpec) -> str:
    wall = seen(instant, spec.timezone)
    return f"{wall.date().isoformat()} at {clock(wall.time())}" if wall.tzinfo is None else moment(wall)


def _around(spec: ScheduleSpec) -> Iterator[str]:
    """
    Give what is around the rule, in the order in which :func:`orchd.schedules.rules.rule_of` puts it there.
    """
    if spec.starts_at is not None:
        yield f"from {moment(seen(spec.starts_at, spec.timezone))} on"
    if spec.ends_at is not None:
        yield _until(seen(spec.ends_at, spec.timezone))
    if spec.filters:
        yield f"only {listed(_conditions(spec.filters))}"
    if spec.or_filters:
        yield f"only {listed(_conditions(spec.or_filters), 'or')}"
    if spec.not_filters:
        yield f"never {listed(_conditions(spec.not_filters), 'or')}"
    yield from map(_adjustment, spec.adjustments)
    for move, words in _ON_DAYS.items():
        if names := [calendar.name for calendar in spec.calendars if calendar.move is move]:
            yield f"{words} calendar{'' if len(names) == 1 else 's'} {named(names)}"
    if spec.count is not None and spec.starts_at is not None:
        yield counted(spec.count, "time")
    if spec.splay_s:
        yield f"moved on by a splay of {length(timedelta(seconds=spec.splay_s))}"


def _until(end: datetime) -> str:
    words = moment(end)
    if " " in words:
        return f"before {words}"

    return f"until the end of {moment(end - timedelta(days=1))}"


def _adjustment(spec: ClauseSpec) -> str:
    if spec.name != "add":
        return "moved from Saturdays and Sundays to the Monday after"

    [seconds] = _SECONDS.decode(spec.arguments)
    return f"moved {'back' if seconds < 0 else 'on'} by {length(timedelta(seconds=abs(seconds)))}"


def _conditions(specs: Sequence[ClauseSpec]) -> list[str]:
    return [_condition(spec) for spec in specs]


def _condition(spec: ClauseSpec) -> str:
    match spec.name, _ARGUMENTS.decode(spec.arguments):
        case "on_date", [int(month), int(day)]:
            return f"on {_day(month, day)}"
        case "between_dates", [int(first), int(begin), int(last), int(end)]:
            return f"from {_day(first, begin)} to {_day(last, end)}"
        case "at_time", [str(at)]:
            return f"at {_short(at)}"
        case "between_times", [str(begin), str(end)]:
            return f"between {_short(begin)} and {_short(end)}"
        case "on_datetime", [str(at)]:
            return f"at {at}"
        case "between_datetimes", [str(begin), str(end)]:
            return f"from {begin} to {end}"
        case "is_day_of_week", [int(day)] if 0 <= day < _WEEK:
            return f"on {WEEKDAYS[day]}s"
        case name, _:
            return _CONDITIONS.get(name, f"{name}{spec.arguments}")


def _day(month: int, day: int) -> str:
    return f"{MONTHS[month - 1]} {day}" if 0 < month <= len(MONTHS) else f"month {month}, day {day}"


def _short(time: str) -> str:
    return time.removesuffix(":00") if len(time) == len("09:00:00") else time
