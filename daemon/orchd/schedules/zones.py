"""
Wall times and instants: which instant a wall time is, and what a clock change makes of it.

Rules 2 to 4 of the scheduling page are kept here and nowhere else. A *wall time* is a naive datetime, as a clock on
the wall of the zone shows it; an *instant* is aware UTC. Only ``zoneinfo`` is asked, never a library's own mapping.
"""

import difflib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from orchd.schedules.problems import RuleError

#: Given a wall time, the first one of a rule that is strictly later; None when there is none.
Walls = Callable[[datetime], datetime | None]

#: Source: Debian cron 3.0pl1, cron.c: a change of three hours or more is a correction of the calendar.
CALENDAR_CORRECTION: Final = timedelta(hours=3)
MICROSECOND: Final = timedelta(microseconds=1)
_FIXED: Final = re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII)


@cache
def zone(name: str) -> tzinfo:
    """
    Return the zone of an IANA *name*; ``zone.cache_clear`` makes the next call read the tz database anew.

    Schedules in code may have an offset such as ``+05:30`` in place of a name.

    Raises:
        RuleError: the tz database has no such name.
    """
    if fixed := _FIXED.fullmatch(name):
        return timezone((-1 if fixed[1] == "-" else 1) * timedelta(hours=int(fixed[2]), minutes=int(fixed[3])))

    try:
        return ZoneInfo.no_cache(name)
    except (OSError, ValueError, KeyError):
        near = difflib.get_close_matches(name, available_timezones(), n=1)
        hint = near[0] if near else "Europe/Vienna"
        raise RuleError(f"timezone {name!r} is not in the tz database; write an IANA name such as {hint!r}") from None


def wall_of(instant: datetime, tz: tzinfo) -> datetime:
    """
    Return the wall time of *instant*; its ``fold`` is 1 in the second pass of a repeated hour.
    """
    return instant.astimezone(tz).replace(tzinfo=None)


def offsets(wall: datetime, tz: tzinfo) -> tuple[timedelta, timedelta]:
    """
    Return the UTC offsets of *wall* in its first and second pass.

    Equal: an ordinary wall time. First greater: repeated. First smaller: it does not exist (a gap).
    """
    return _offset(wall.replace(tzinfo=tz, fold=0)), _offset(wall.replace(tzinfo=tz, fold=1))


def gap_end(wall: datetime, tz: tzinfo) -> datetime:
    """
    Return the first instant after the gap in which *wall* lies.
    """
    before, after = offsets(wall, tz)
    # The gap's end is the one change of the offset between the two readings of the wall time; tz data holds seconds.
    early = int((wall - after).replace(tzinfo=UTC, microsecond=0).timestamp())
    late = int((wall - before).replace(tzinfo=UTC, microsecond=0).timestamp())
    while late - early > 1:
        middle = (early + late) // 2
        if _offset(datetime.fromtimestamp(middle, tz)) == before:
            early = middle
        else:
            late = middle

    return datetime.fromtimestamp(late, UTC)


def first_instant(wall: datetime, tz: tzinfo) -> datetime | None:
    """
    Return the one instant at which a fixed *wall* time fires, by rules 3 and 4.

    Returns:
        Its first pass when it is repeated, the first instant after the gap when it is lost in one, and None when it
        is lost in a calendar correction.
    """
    before, after = offsets(wall, tz)
    if before >= after:
        return (wall - before).replace(tzinfo=UTC)

    if after - before >= CALENDAR_CORRECTION:
        return None

    return gap_end(wall, tz)


def meant(wall: datetime, tz: tzinfo) -> datetime:
    """
    Return the instant that a person means by *wall*: its first pass, or the end of the gap in which it lies.
    """
    before, after = offsets(wall, tz)
    return (wall - before).replace(tzinfo=UTC) if before >= after else gap_end(wall, tz)


def begin_of(day: date, tz: tzinfo) -> datetime:
    """
    Return the first instant at which the clock shows *day* or a later one.
    """
    return meant(datetime.combine(day, time()), tz)


def next_fixed(walls: Walls, instant: datetime, tz: tzinfo) -> datetime | None:
    """
    Return the first fire of fixed wall times strictly after *instant*: each wall time fires once.
    """
    wall = walls(wall_of(instant, tz))
    while wall is not None:
        fire = first_instant(wall, tz)
        if fire is not None and fire > instant:
            return fire

        wall = walls(wall)

    return None


def next_wildcard(walls: Walls, instant: datetime, tz: tzinfo) -> datetime | None:
    """
    Return the first instant strictly after *instant* at which the clock really shows one of the wall times.
    """
    here = wall_of(instant, tz)
    first = _next_shown(walls, here, instant, tz)
    before, after = offsets(here, tz)
    if before <= after or here.fold:
        return first

    # The clock goes back soon: wall times up to *here* will be shown once more.
    wall = walls(here - (before - after))
    while wall is not None and wall <= here:
        again = (wall - after).replace(tzinfo=UTC)
        if offsets(wall, tz) == (before, after) and again > instant:
            return again if first is None else min(first, again)

        wall = walls(wall)

    return first


def _next_shown(walls: Walls, here: datetime, instant: datetime, tz: tzinfo) -> datetime | None:
    wall = walls(here)
    while wall is not None:
        before, after = offsets(wall, tz)
        is_lost = before < after
        instants = () if is_lost else ((wall - offset).replace(tzinfo=UTC) for offset in (before, after))
        shown = next((each for each in instants if each > instant), None)
        if shown is not None:
            return shown

        wall = walls(wall_of(gap_end(wall, tz), tz) - MICROSECOND if is_lost else wall)

    return None


def local_text(instant: datetime, name: str) -> str:
    """
    Return *instant* as people of the zone called *name* read it: ``2026-03-08 03:00:00-04:00``.
    """
    return instant.astimezone(zone(name)).isoformat(sep=" ")


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)
