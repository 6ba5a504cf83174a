"""
Coming fire times in words: why a local time moved.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from orchd.model.instants import iso
from orchd.schedules import zones
from orchd.schedules.cron import Cron
from orchd.schedules.interval import Every
from orchd.schedules.rules import After, Rule

_MICROSECOND = timedelta(microseconds=1)


class Coming(NamedTuple):
    """
    A fire time to come.
    """

    instant: datetime
    #: As people of the schedule's zone read it, with the offset.
    local: str
    #: Why a clock change matters for it; None on ordinary days.
    note: str | None


def explain_next(rule: Rule, *, after: datetime, n: int) -> list[Coming]:
    """
    List the first *n* fire times of *rule* after *after* (exclusive, UTC), oldest first.
    """
    coming: list[Coming] = []
    if isinstance(rule, After):
        return coming

    instant = after
    while len(coming) < n and (fire := rule.next_after(instant)) is not None:
        note = _note(rule, instant, fire, zones.zone(rule.timezone))
        coming.append(Coming(fire, zones.local_text(fire, rule.timezone), note))
        instant = fire

    return coming


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

    once = isinstance(rule, Cron | Every) and not rule.follows_clock
    if first > second:
        instant = (wall - first).replace(tzinfo=UTC)
        which = "the first time counts" if once else f"this is the first time, {zones.local_text(instant, timezone)}"
        return instant, f"{wall:%H:%M} comes twice on {wall:%Y-%m-%d} in {timezone}: {which}"

    end = zones.gap_end(wall, tz)
    text = f"{wall:%H:%M} does not exist on {wall:%Y-%m-%d} in {timezone}: the clock goes forward"
    fires = isinstance(rule, Cron | Every) and once and rule.wall_after(wall - _MICROSECOND) == wall
    if fires and zones.first_instant(wall, tz) == end:
        return end, f"{text}, and it runs just after that, at {zones.local_text(end, timezone)} ({iso(end)})"

    return end, f"{text} to {zones.wall_of(end, tz):%H:%M}"


def _note(rule: Cron | Every, previous: datetime, fire: datetime, tz: ZoneInfo) -> str | None:
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


def _lost(rule: Cron | Every, fire: datetime, tz: ZoneInfo) -> datetime | None:
    """
    Return the first wall time of *rule* that a gap ending at *fire* has swallowed.
    """
    before = _offset(fire - _MICROSECOND, tz)
    if _offset(fire, tz) <= before:
        return None

    begin = (fire + before).astimezone(UTC).replace(tzinfo=None)
    lost = rule.wall_after(begin - _MICROSECOND)
    return lost if lost is not None and lost < zones.wall_of(fire, tz) else None


def _offset(instant: datetime, tz: ZoneInfo) -> timedelta:
    return instant.astimezone(tz).utcoffset() or timedelta(0)


def _words(length: timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
