"""
Days on which a rule does not fire as written: calendars, and the moves to the next or previous business day.

Which fire times there are does not depend on who asks from when: a moved fire time is a wall time of another day, and
the fire times of a rule are all of these, in order, each instant once.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from orchd.schedules import zones
from orchd.schedules.ticking import Around
from orchd.schedules.zones import MICROSECOND

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_LAST_DAY: Final = date(9999, 12, 30)


@dataclass(frozen=True, slots=True)
class Days:
    """
    A set of days: of calendars, or all Saturdays and Sundays.
    """

    #: First and last day (inclusive) of each range, in order, none touching the next; see :func:`days_of`.
    ranges: tuple[tuple[date, date], ...] = ()
    weekends: bool = False

    def covers(self, day: date) -> bool:
        """
        True when *day* is one of them.
        """
        if self.weekends and day.weekday() >= _SATURDAY:
            return True

        place = bisect_right(self.ranges, (day, date.max)) - 1
        return place >= 0 and day <= self.ranges[place][1]

    def first_from(self, day: date) -> date | None:
        """
        Return the first of them that is *day* or later; None when there is none.
        """
        if self.covers(day):
            return day

        place = bisect_right(self.ranges, (day, date.max))
        found = [self.ranges[place][0]] if place < len(self.ranges) else []
        if self.weekends and day < _LAST_DAY - 7 * _DAY:
            found.append(day + (_SATURDAY - day.weekday()) * _DAY)
        return min(found, default=None)

    def after(self, day: date) -> date:
        """
        Return the first day after *day* that is none of them.
        """
        day += _DAY
        while self.covers(day):
            day = max(day, self._range_end(day)) + _DAY

        return day

    def _range_end(self, day: date) -> date:
        place = bisect_right(self.ranges, (day, date.max)) - 1
        return self.ranges[place][1] if place >= 0 else day


def days_of(ranges: Iterator[tuple[date, date]]) -> Days:
    """
    Return the days of *ranges* (first and last day, inclusive), which may overlap.
    """
    merged: list[tuple[date, date]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + _DAY:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))

    return Days(tuple(merged))


@dataclass(frozen=True, slots=True, kw_only=True)
class Without(Around):
    """
    The fire times of *rule* that lie on none of *days*, as the rule's zone dates them.
    """

    days: Days
    #: The calendars that name *days*.
    names: tuple[str, ...] = ()

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        return self.next_before(instant, limit=None)

    def next_before(self, instant: datetime, *, limit: datetime | None) -> datetime | None:
        """
        Return the first fire time strictly after *instant* and before *limit*; None for no limit.
        """
        tz = zones.zone(self.timezone)
        fire = self.rule.next_after(instant)
        while fire is not None and (limit is None or fire < limit):
            if not self.days.covers(day := zones.wall_of(fire, tz).date()):
                return fire

            # A clock that goes back over midnight shows a day twice: then nothing is passed over.
            fire = self.rule.next_after(max(fire, zones.begin_of(self.days.after(day), tz) - MICROSECOND))

        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Around):
    """
    The fire times of *rule*; those on one of *days* have the same wall time on the nearest open day instead.

    Args:
        closed: days to which nothing is moved, *days* among them. Saturdays and Sundays are never open.

        forward: to the next open day; False for the previous one.

        names: the calendars that name *days*; none for weekends.
    """

    days: Days
    closed: Days
    forward: bool = True
    names: tuple[str, ...] = ()

    @property
    def spacing(self) -> timedelta:
        """
        Nothing is promised: a moved fire time may be next to any other.
        """
        return timedelta(0)

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        first = self.rule.next_after(instant)
        # What the first one is moved to is a limit, so that a rule of Saturdays does not look for a Monday for ever.
        limit = self._moved(first) if first is not None and self.forward else None
        stays = Without(rule=self.rule, days=self.days).next_before(instant, limit=limit)
        moved = self._moved_after(instant, before=stays)
        return stays if moved is None else moved

    def target(self, day: date) -> date:
        """
        Return the open day to which fire times of *day* are moved.
        """
        step = _DAY if self.forward else -_DAY
        while not self._is_open(day):
            day += step

        return day

    def source(self, fire: datetime) -> datetime | None:
        """
        Return the fire time of the rule that was moved to *fire*; None when *fire* stands as written.
        """
        tz = zones.zone(self.timezone)
        wall = zones.wall_of(fire, tz)
        if Without(rule=self.rule, days=self.days).next_before(fire - MICROSECOND, limit=fire + MICROSECOND):
            return None

        for day in self._sources(wall.date()):
            at = zones.meant(datetime.combine(day, wall.time().replace(fold=0)), tz)
            origin = self.rule.next_after(at - MICROSECOND)
            if origin is not None and self._moved(origin) == fire:
                return origin

        return None

    def _is_open(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and not self.closed.covers(day)

    def _stretch(self, day: date) -> tuple[date, date]:
        """
        Return the first and the last of the days around *day* without an open one between, *day* among them.
        """
        first = last = day
        while not self._is_open(first - _DAY):
            first -= _DAY
        while not self._is_open(last + _DAY):
            last += _DAY

        return first, last

    def _sources(self, target: date) -> list[date]:
        """
        Return the days whose fire times are moved to *target*, an open day.
        """
        first, last = self._stretch(target)
        begin, end = (first, target) if self.forward else (target, last)
        days = (begin + number * _DAY for number in range((end - begin).days + 1))
        return [day for day in days if self.days.covers(day)]

    def _moved(self, fire: datetime) -> datetime | None:
        tz = zones.zone(self.timezone)
        wall = zones.wall_of(fire, tz)
        if not self.days.covers(wall.date()):
            return None

        return zones.first_instant(datetime.combine(self.target(wall.date()), wall.time().replace(fold=0)), tz)

    def _moved_after(self, instant: datetime, *, before: datetime | None) -> datetime | None:
        """
        Return the first moved fire time after *instant* and before *before*.
        """
        tz = zones.zone(self.timezone)
        today = zones.wall_of(instant, tz).date()
        limit = None if before is None else zones.wall_of(before, tz).date()
        begin: date | None = self._stretch(today)[0] if self.forward else today + _DAY
        while begin is not None and (day := self._next_source(begin)) is not None:
            target = self.target(day)
            if limit is not None and target > limit:
                return None

            if target >= today:
                fires = (self._first_of(each, instant) for each in self._sources(target))
                found = min((fire for fire in fires if fire is not None), default=None)
                if found is not None:
                    return found if before is None or found < before else None

            begin = self._stretch(day)[1] + _DAY

        return None

    def _next_source(self, begin: date) -> date | None:
        """
        Return the first of *days*, from *begin* on, on which the rule fires or may do so.
        """
        tz = zones.zone(self.timezone)
        day = self.days.first_from(begin)
        if day is None or day >= _LAST_DAY:
            return None

        fire = self.rule.next_after(zones.begin_of(day, tz) - MICROSECOND)
        return None if fire is None else self.days.first_from(max(day, zones.wall_of(fire, tz).date()))

    def _first_of(self, day: date, instant: datetime) -> datetime | None:
        """
        Return the first moved fire time after *instant* of those that the rule has on *day*.
        """
        tz = zones.zone(self.timezone)
        here = zones.wall_of(instant, tz)
        start = zones.begin_of(day, tz) - MICROSECOND
        if here.date() == self.target(day):
            # Of each day only the part after the time of the day that it is now: a dense rule is not walked.
            start = max(start, zones.meant(datetime.combine(day, here.time().replace(fold=0)), tz) - MICROSECOND)

        end = zones.begin_of(day + _DAY, tz)
        fire = self.rule.next_after(start)
        while fire is not None and fire < end:
            moved = self._moved(fire)
            if moved is not None and moved > instant:
                return moved

            fire = self.rule.next_after(fire)

        return None
