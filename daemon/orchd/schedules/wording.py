"""
The small change of sentences about rules: lists, ordinals, times and days. The same value has always the same words.
"""

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from orchd.schedules import zones

#: Monday first.
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = tuple("January February March April May June July August September October November December".split())
_PLAIN: Final = re.compile(r"[\w.-]+")
#: From so many values on a list of equal steps is told by its step, and one of neighbours by its ends.
STEPS: Final = 5
_RUN: Final = 3
_UNITS: Final = ((3_600_000_000, "hour"), (60_000_000, "minute"))


def listed(words: Sequence[str], last: str = "and") -> str:
    """
    Return ``a``, ``a and b``, ``a, b and c``.
    """
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def named(names: Sequence[str]) -> str:
    """
    Return the names of flows or calendars as a list; one that is not plain stands in quotes.
    """
    return listed([name if _PLAIN.fullmatch(name) else repr(name) for name in names])


def counted(number: float, unit: str) -> str:
    """
    Return ``1 time``, ``10 times``, ``1.5 seconds``.
    """
    digits = str(number) if isinstance(number, int) else f"{number:.6f}".rstrip("0").rstrip(".")
    return f"{digits} {unit}{'' if digits == '1' else 's'}"


def ordinal(number: int) -> str:
    """
    Return ``1st``, ``2nd``, ``3rd``, ``11th``.
    """
    tail = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{tail}"


def step_of(values: Sequence[int]) -> int | None:
    """
    Return by how much each of *values* is more than the one before; None when that differs, or there is but one.
    """
    steps = {late - early for early, late in pairwise(values)}
    return steps.pop() if len(steps) == 1 else None


def neighbours(values: Sequence[int], words: Sequence[str]) -> list[str]:
    """
    Return *values* (sorted) for a list, each by its place in *words*; neighbours as ``8 to 17``.
    """
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])

    found: list[str] = []
    for run in runs:
        if len(run) < _RUN:
            found += [words[value] for value in run]
        else:
            found.append(f"{words[run[0]]} to {words[run[-1]]}")
    return found


def weekdays(values: Sequence[int]) -> str:
    """
    Return days of the week (0 is Monday, sorted): ``from Monday to Friday``, ``on Saturdays and Sundays``.
    """
    if len(values) >= _RUN and step_of(values) == 1:
        return f"from {WEEKDAYS[values[0]]} to {WEEKDAYS[values[-1]]}"

    return "on " + listed([f"{WEEKDAYS[value]}s" for value in values])


def months(values: Sequence[int]) -> str | None:
    """
    Return ``January``, ``January and July``, ``each month from March to May``; None for all of them.
    """
    if len(values) == len(MONTHS):
        return None

    if len(values) >= _RUN and step_of(values) == 1:
        return f"each month from {MONTHS[values[0] - 1]} to {MONTHS[values[-1] - 1]}"

    return listed([MONTHS[value - 1] for value in values])


def times(hours: Sequence[int], minutes: Sequence[int], second: int = 0) -> list[str]:
    """
    Return each time of the day: ``02:00``, or ``02:00:30``.
    """
    return [clock(time(hour, minute, second)) for hour in hours for minute in minutes]


def clock(of: time) -> str:
    """
    Return ``02:00``, and no more digits than it takes: ``02:00:30``, ``02:00:30.500000``.
    """
    return f"{of:%H:%M}" if not (of.second or of.microsecond) else of.isoformat()


def moment(wall: datetime) -> str:
    """
    Return *wall* as ``2026-12-24 18:00``, a midnight as its day alone; with its offset, if it has one.
    """
    if wall.tzinfo is not None:
        return wall.isoformat(" ")

    day = wall.date().isoformat()
    return day if wall.time() == time() else f"{day} {clock(wall.time())}"


@lru_cache(maxsize=4096)
def seen(instant: str, timezone: str) -> datetime:
    """
    Return an instant (ISO text) as people of *timezone* see it; with its offset where the clock shows it twice.
    """
    tz = zones.zone(timezone)
    at = datetime.fromisoformat(instant)
    wall = zones.wall_of(at, tz)
    first, second = zones.offsets(wall, tz)
    return wall if first == second else at.astimezone(tz)


def length(of: timedelta) -> str:
    """
    Return ``1 hour``, ``15 minutes``, ``90 seconds``, ``1.5 seconds``: in the largest of these units that it fills.
    """
    microseconds = of // timedelta(microseconds=1)
    for size, unit in _UNITS:
        count, rest = divmod(microseconds, size)
        if count and not rest:
            return counted(count, unit)

    return counted(microseconds / 1_000_000, "second")
