"""
A schedule: the events of its clocks, filtered and adjusted.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from orchd.flow.classic_schedules.clocks import Clock, ClockEvent, CronClock, IntervalClock, RRuleClock

Filter = Callable[[datetime], bool]
Adjustment = Callable[[datetime], datetime]
#: So many events are looked at before a schedule counts as over.
MAX_EVENTS: Final = 10_000


class Schedule:
    """
    Gives the events of all *clocks* in order; of equal ones only one.
    """

    def __init__(
        self,
        clocks: Iterable[Clock],
        filters: Iterable[Filter] | None = None,
        or_filters: Iterable[Filter] | None = None,
        not_filters: Iterable[Filter] | None = None,
        adjustments: Iterable[Adjustment] | None = None,
    ) -> None:
        """
        Args:
            filters: all of them must be true of an event's instant.

            or_filters: one of them must be.

            not_filters: none of them may be.

            adjustments: applied to the instant, one after the other.

        Raises:
            TypeError: *clocks* is one clock alone.
        """
        if not isinstance(clocks, Iterable):
            raise TypeError("clocks should be a list of clocks.")

        self.clocks = list(clocks)
        self.filters = list(filters or ())
        self.or_filters = list(or_filters or ())
        self.not_filters = list(not_filters or ())
        self.adjustments = list(adjustments or ())

    @property
    def start_date(self) -> datetime | None:
        """
        The first of the clocks' start dates.
        """
        return min((each.start_date for each in self.clocks if each.start_date is not None), default=None)

    @property
    def end_date(self) -> datetime | None:
        """
        The last of the clocks' end dates; None when a clock has no end.
        """
        ends = [each.end_date for each in self.clocks if each.end_date is not None]
        return max(ends, default=None)

    def next(self, n: int, after: datetime | None = None, return_events: bool = False) -> list[Any]:
        """
        Return the next *n* instants strictly after *after*, or now.

        Args:
            return_events: True for events in place of instants.
        """
        events = list(islice(self._events(after), max(0, n)))
        return events if return_events else [event.start_time for event in events]

    def _events(self, after: datetime | None) -> Iterator[ClockEvent]:
        return (event for _, event in islice(self.looked_at(after), MAX_EVENTS) if event is not None)

    def looked_at(self, after: datetime | None) -> Iterator[tuple[datetime, ClockEvent | None]]:
        """
        Give the instant (UTC) of each event of the clocks, and what it becomes; None for one that does not count.
        """
        events = (each.events(after) for each in reversed(self.clocks))
        merged = heapq.merge(*events, key=lambda event: event.instant)
        before: ClockEvent | None = None
        for event in merged:
            if event == before or not self._allows(event.start_time):
                yield event.instant, None
                continue

            before = self._adjusted(event)
            yield event.instant, before

    def _allows(self, instant: datetime) -> bool:
        return (
            all(each(instant) for each in self.filters)
            and (not self.or_filters or any(each(instant) for each in self.or_filters))
            and not any(each(instant) for each in self.not_filters)
        )

    def _adjusted(self, event: ClockEvent) -> ClockEvent:
        if not self.adjustments:
            return event

        instant = event.start_time
        for adjust in self.adjustments:
            instant = adjust(instant)

        return ClockEvent(instant, event.parameter_defaults, event.labels)


def IntervalSchedule(
    start_date: datetime | None = None, interval: timedelta | None = None, end_date: datetime | None = None
) -> Schedule:
    """
    Return the schedule of one `IntervalClock`. Its first argument is the start.
    """
    return Schedule([IntervalClock(interval, start_date, end_date)])


def CronSchedule(
    cron: str, start_date: datetime | None = None, end_date: datetime | None = None, day_or: bool | None = None
) -> Schedule:
    """
    Return the schedule of one `CronClock`.
    """
    return Schedule([CronClock(cron, start_date, end_date, day_or=day_or)])


def RRuleSchedule(rrule_obj: Any, start_date: datetime | None = None, end_date: datetime | None = None) -> Schedule:
    """
    Return the schedule of one `RRuleClock`.
    """
    return Schedule([RRuleClock(rrule_obj, start_date, end_date)])
