"""
The fire times of the seven days to come, on a calendar.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_DAYS: Final = 7
#: Fire times within the week up to which a schedule stands on its days; one that fires more often would bury the
#: others, and is one line beside the calendar.
_NAMED: Final = 3 * _DAYS
#: Fire times that are asked for at once; so many within a few hours tell enough of a schedule.
_STEP: Final = 4
_FEW_HOURS: Final = timedelta(hours=4)
#: Schedules on the calendar, the soonest first, so that ten thousand of them cost no more than these.
MAX_SCHEDULES: Final = 40

#: One row of the API's ``next``.
Fire = Mapping[str, object]
#: Gives the next fire times of a schedule: its name, how many, after when (None for now).
Upcoming = Callable[[str, int, datetime | None], Sequence[Fire]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    A schedule on one day, with its local times (of the schedule's zone), such as ``02:00``.
    """

    schedule: str
    times: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """
    One day of the calendar.
    """

    day: date
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """
    Seven days, and what fires too often to stand on each of them.
    """

    days: tuple[Day, ...]
    #: Names of the schedules that fire often, the soonest first.
    often: tuple[str, ...]
    #: How many schedules more have a fire time.
    more: int

    @property
    def is_empty(self) -> bool:
        """
        True when nothing fires.
        """
        return not self.often and not any(day.entries for day in self.days)


def week(soonest: Sequence[Fire], more: int, upcoming: Upcoming, *, now: datetime, zone: str) -> Week:
    """
    Lay out the week of some schedules.

    Args:
        soonest: the next fire time of each of them, in order of time; only :data:`MAX_SCHEDULES` are laid out.

        more: how many schedules there are beside these.

        zone: whose today the calendar begins with; each time is of its schedule's own zone.
    """
    end = now + timedelta(days=_DAYS)
    today = now.astimezone(ZoneInfo(zone)).date()
    days: dict[date, dict[str, list[str]]] = {today + timedelta(days=n): {} for n in range(_DAYS)}
    often: list[str] = []
    for first in soonest[:MAX_SCHEDULES]:
        name = str(first["schedule"])
        within = _within(name, upcoming, end) if _instant(first) < end else []
        if within is None:
            often.append(name)
            continue
        for fire in within:
            local = _instant(fire).astimezone(ZoneInfo(str(fire["timezone"])))
            days.setdefault(local.date(), {}).setdefault(name, []).append(f"{local:%H:%M}")
    return Week(
        days=tuple(Day(day=day, entries=_entries(days[day])) for day in sorted(days)),
        often=tuple(often),
        more=more + max(len(soonest) - MAX_SCHEDULES, 0),
    )


def _within(name: str, upcoming: Upcoming, end: datetime) -> list[Fire] | None:
    """
    Return the fire times of a schedule before *end*; None when it fires too often to be named.
    """
    found: list[Fire] = []
    while len(found) <= _NAMED:
        step = upcoming(name, _STEP, _instant(found[-1]) if found else None)
        if not found and len(step) == _STEP and _instant(step[-1]) - _instant(step[0]) < _FEW_HOURS:
            return None
        found += [fire for fire in step if _instant(fire) < end]
        if len(step) < _STEP or _instant(step[-1]) >= end:
            return found if len(found) <= _NAMED else None
    return None


def _entries(schedules: Mapping[str, Sequence[str]]) -> tuple[Entry, ...]:
    found = [Entry(schedule=name, times=tuple(times)) for name, times in schedules.items()]
    return tuple(sorted(found, key=lambda entry: (entry.times[0], entry.schedule)))


def _instant(fire: Fire) -> datetime:
    return datetime.fromisoformat(str(fire["fire_time"]))
