"""
Coming fire times in words: why a local time moved, and what was left out before it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import NamedTuple

from orchd.model.instants import iso
from orchd.schedules import zones
from orchd.schedules.clauses import Filtered
from orchd.schedules.cron import Cron
from orchd.schedules.dates import Dates
from orchd.schedules.days import Moved, Without
from orchd.schedules.interval import Every
from orchd.schedules.rrule import RRule
from orchd.schedules.rules import After, Rule
from orchd.schedules.windows import AnyOf, Counted, Shifted, Window
from orchd.schedules.zones import MICROSECOND

#: Rules of wall times, or of elapsed time.
_Written = Cron | Every | RRule


class Coming(NamedTuple):
    """
    A fire time to come.
    """

    instant: datetime
    #: As people of the schedule's zone read it, with the offset.
    local: str
    #: Why it is not where the rule is written to be: a clock change, a calendar, a splay; None on ordinary days.
    note: str | None


def explain_next(rule: Rule, *, after: datetime, n: int) -> list[Coming]:
    """
    List the first *n* fire times of *rule* after *after* (exclusive, UTC), oldest first.
    """
    return list(islice(explain_fires(rule, after=after), n))


def explain_fires(rule: Rule, *, after: datetime) -> Iterator[Coming]:
    """
    Give the fire times of *rule* after *after* (exclusive, UTC), oldest first, each when it is asked for.
    """
    if isinstance(rule, After):
        return

    instant = after
    while (fire := rule.next_after(instant)) is not None:
        note = "; ".join(_notes(rule, instant, fire)) or None
        yield Coming(fire, zones.local_text(fire, rule.timezone), note)
        instant = fire


def explain_wall(rule: Rule, wall: datetime, timezone: str) -> tuple[datetime, str | None]:
    """
    Say which instant a person means by *wall* (naive, of *timezone*), and why it is not so plain when it is not.

    Returns:
        The instant at which *rule* fires for it; where none does, its first pass, or the end of the gap around it.
    """
    tz = zones.zone(timezone)
    first, second = zones.offsets(wall, tz)
    if first == second:
        return (wall - first).replace(tzinfo=UTC), None

    written = _written(rule)
    once = written is not None and not written.follows_clock
    if first > second:
        instant = (wall - first).replace(tzinfo=UTC)
        which = "the first time counts" if once else f"this is the first time, {zones.local_text(instant, timezone)}"
        return instant, f"{wall:%H:%M} comes twice on {wall:%Y-%m-%d} in {timezone}: {which}"

    end = zones.gap_end(wall, tz)
    text = f"{wall:%H:%M} does not exist on {wall:%Y-%m-%d} in {timezone}: the clock goes forward"
    fires = written is not None and once and written.wall_after(wall - MICROSECOND) == wall
    if fires and zones.first_instant(wall, tz) == end == rule.next_after(end - MICROSECOND):
        return end, f"{text}, and it runs just after that, at {zones.local_text(end, timezone)} ({iso(end)})"

    return end, f"{text} to {zones.wall_of(end, tz):%H:%M}"


def _written(rule: Rule) -> _Written | None:
    """
    Return the one rule of wall times that is in *rule*.
    """
    while isinstance(rule, Window | Counted | Shifted | Filtered | Without | Moved):
        rule = rule.rule

    return rule if isinstance(rule, _Written) else None


def _notes(rule: Rule, previous: datetime, fire: datetime) -> Iterator[str]:
    """
    Say what each part of *rule* has to do with *fire* being its first fire time after *previous*.
    """
    match rule:
        case Cron() | Every() | RRule():
            if note := _clock_note(rule, previous, fire, zones.zone(rule.timezone)):
                yield note
        case Dates(is_asked=True):
            yield "the flow's own code says so"
        case AnyOf():
            made_by = next(each for each in rule.rules if each.next_after(fire - MICROSECOND) == fire)
            yield from _notes(made_by, previous, fire)
        case Shifted():
            written = fire - rule.offset
            way = f"{_words(abs(rule.offset))} {'after' if rule.offset > timedelta(0) else 'before'}"
            yield f"{way} {_clock(written, rule)}, by its {'splay' if rule.is_splay else 'adjustment'}"
            yield from _notes(rule.rule, previous - rule.offset, written)
        case _:
            yield from _notes_around(rule, previous, fire)


def _notes_around(rule: Rule, previous: datetime, fire: datetime) -> Iterator[str]:
    match rule:
        case Window() | Counted():
            yield from _notes(rule.rule, previous, fire)
            if rule.next_after(fire) is None and rule.rule.next_after(fire) is not None:
                yield "the last one: " + ("the window ends" if isinstance(rule, Window) else f"count = {rule.count}")
        case Without() | Filtered():
            left_out = rule.rule.next_after(previous)
            if left_out is not None and left_out < fire:
                yield f"{_day(left_out, rule)} is left out: {_why(rule)}"
            yield from _notes(rule.rule, previous, fire)
        case Moved():
            source = rule.source(fire)
            if source is None:
                yield from _notes(rule.rule, previous, fire)
            else:
                yield f"moved from {_day(source, rule)}: {_why(rule)}"


def _why(rule: Without | Filtered | Moved) -> str:
    if isinstance(rule, Filtered):
        return "its filters"

    return f"a day of calendar {', '.join(rule.names)}" if rule.names else "a Saturday or Sunday"


def _day(instant: datetime, rule: Rule) -> str:
    return f"{zones.wall_of(instant, zones.zone(rule.timezone)):%Y-%m-%d %H:%M}"


def _clock(instant: datetime, rule: Rule) -> str:
    return f"{zones.wall_of(instant, zones.zone(rule.timezone)):%H:%M:%S}"


def _clock_note(rule: _Written, previous: datetime, fire: datetime, tz: tzinfo) -> str | None:
    wall = zones.wall_of(fire, tz)
    lost = None if rule.follows_clock else _lost(rule, fire, tz)
    if lost is not None:
        return f"{lost:%H:%M} does not exist on {lost:%Y-%m-%d}: the clock goes forward, and this is just after it"

    first, second = zones.offsets(wall, tz)
    if first > second:
        if not rule.follows_clock:
            return f"{wall:%H:%M} comes twice on {wall:%Y-%m-%d}: it fires the first time only"

        return f"{wall:%H:%M} comes twice on {wall:%Y-%m-%d}: this is the {'second' if wall.fold else 'first'} time"

    moved = _offset(fire, tz) - _offset(previous, tz)
    if not moved:
        return None

    way = "forward" if moved > timedelta(0) else "back"
    return f"the clock has gone {way} by {_words(abs(moved))} since the fire before"


def _lost(rule: _Written, fire: datetime, tz: tzinfo) -> datetime | None:
    """
    Return the first wall time of *rule* that a gap ending at *fire* has swallowed.
    """
    before = _offset(fire - MICROSECOND, tz)
    if _offset(fire, tz) <= before:
        return None

    begin = (fire + before).astimezone(UTC).replace(tzinfo=None)
    lost = rule.wall_after(begin - MICROSECOND)
    return lost if lost is not None and lost < zones.wall_of(fire, tz) else None


def _offset(instant: datetime, tz: tzinfo) -> timedelta:
    return instant.astimezone(tz).utcoffset() or timedelta(0)


def _words(length: timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
