"""
Clocks: each says, one after the other, when it fires after an instant.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pendulum

from orchd import clock
from orchd.engine.context import as_moment
from orchd.schedules import Cron, RuleError

_START: Final = datetime(2019, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)


@functools.total_ordering
class ClockEvent:
    """
    A fire time, with the parameters and labels of its clock. It compares with instants too.
    """

    def __init__(
        self,
        start_time: datetime,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        self.start_time = start_time
        self.parameter_defaults = dict(parameter_defaults or {})
        self.labels = labels

    @property
    def instant(self) -> datetime:
        """
        The fire time in UTC: two passes of a repeated hour are two.
        """
        return plain(self.start_time)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, datetime):
            return self.instant == plain(other)

        return isinstance(other, ClockEvent) and (self.instant, self.parameter_defaults, self.labels) == (
            other.instant,
            other.parameter_defaults,
            other.labels,
        )

    def __lt__(self, other: object) -> bool:
        if isinstance(other, ClockEvent):
            return self.instant < other.instant

        return self.instant < plain(other) if isinstance(other, datetime) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.instant)

    def __repr__(self) -> str:
        return f"<ClockEvent: {self.start_time.isoformat()}>"


class Clock:
    """
    Root of the clocks.
    """

    def __init__(
        self,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """
        Args:
            start_date: first instant that counts; one without a zone is UTC.

            end_date: last instant that counts.

            parameter_defaults: values of parameters for the runs of this clock.

            labels: kept with each event.

        Raises:
            ValueError: a date is no datetime.
        """
        self.start_date = _instant(start_date)
        self.end_date = _instant(end_date)
        self.parameter_defaults = dict(parameter_defaults or {})
        self.labels = labels

    def events(self, after: datetime | None = None) -> Iterator[ClockEvent]:
        """
        Give each event strictly after *after*, or now, in order.
        """
        moment = after if after is not None else clock.now()
        for fire in self._fires(moment):
            if self.end_date is not None and plain(fire) > plain(self.end_date):
                return

            yield ClockEvent(fire, self.parameter_defaults, self.labels)

    def _fires(self, after: datetime) -> Iterator[datetime]:
        raise NotImplementedError


class IntervalClock(Clock):
    """
    Fires at *start_date* and every *interval* after it: whole days on the wall of its zone, the rest in elapsed time.
    """

    def __init__(
        self,
        interval: timedelta | None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """
        Raises:
            TypeError: *interval* is no timedelta.

            ValueError: it is not longer than nothing.
        """
        if not isinstance(interval, timedelta):
            raise TypeError("Interval must be a timedelta.")

        if interval <= timedelta(0):
            raise ValueError("Interval must be greater than 0.")

        super().__init__(start_date, end_date, parameter_defaults, labels)
        self.interval = interval

    def _fires(self, after: datetime) -> Iterator[datetime]:
        start: Any = self.start_date if self.start_date is not None else as_moment(_START)
        rest = self.interval - timedelta(days=self.interval.days)
        # A day of the wall may be an hour shorter, so we begin to look a little earlier.
        number = max(0, (plain(after) - plain(start) - timedelta(days=1)) // self.interval)
        while True:
            days = start.add(days=self.interval.days * number)
            fire = (days.in_timezone("UTC") + rest * number).in_timezone(start.timezone)
            if plain(fire) > plain(after):
                yield fire

            number += 1


class CronClock(Clock):
    """
    Fires as the daemon's own cron rules do, in the zone of *start_date*, or UTC.
    """

    def __init__(
        self,
        cron: str,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Sequence[str] | None = None,
        day_or: bool | None = None,
    ) -> None:
        """
        Args:
            day_or: False for days on which both day fields fit; otherwise one of them is enough.

        Raises:
            ValueError: *cron* cannot be meant, or never fires.
        """
        super().__init__(start_date, end_date, parameter_defaults, labels)
        self.cron = cron
        self.day_or = day_or
        zone = "UTC" if self.start_date is None else str(getattr(self.start_date, "timezone_name", None) or "UTC")
        fields = cron.split()
        self._seconds = [0]
        if len(fields) == 6 and re.fullmatch(r"[0-9]+(,[0-9]+)*", fields[5]):
            self._seconds = sorted({int(number) for number in fields.pop().split(",")})

        texts = [" ".join(fields)]
        if day_or is False and len(fields) == 5:
            texts = [" ".join([*fields[:4], "*"]), " ".join([*fields[:2], "*", *fields[3:]])]

        try:
            self._rules = [Cron(text, zone) for text in texts]
        except RuleError as exc:
            raise ValueError(f"Invalid cron string: {cron}") from exc

    def _fires(self, after: datetime) -> Iterator[datetime]:
        moment = plain(after)
        if self.start_date is not None:
            moment = max(moment, plain(self.start_date) - _INSTANT)

        zone = self._rules[0].timezone
        for minute in self._minutes(moment - timedelta(minutes=1)):
            for second in self._seconds:
                fire = minute + timedelta(seconds=second)
                if fire > moment:
                    yield as_moment(pendulum.instance(fire).in_timezone(zone))

    def _minutes(self, moment: datetime) -> Iterator[datetime]:
        while True:
            found = [rule.next_after(moment) for rule in self._rules]
            known = [fire for fire in found if fire is not None]
            if len(known) < len(found):
                return

            moment = max(known)
            if all(fire == moment for fire in known):
                yield moment
            else:
                # One rule is behind: look again from just before the other's.
                moment -= _INSTANT


class DatesClock(Clock):
    """
    Fires at the given instants.
    """

    def __init__(
        self,
        dates: Iterable[datetime],
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        self.dates = sorted(dates)
        super().__init__(min(self.dates), max(self.dates), parameter_defaults, labels)

    def _fires(self, after: datetime) -> Iterator[datetime]:
        for date in self.dates:
            fire = as_moment(date)
            if plain(fire) > plain(after):
                yield fire


class RRuleClock(Clock):
    """
    Fires as a rule of ``dateutil.rrule`` says; one without a zone is UTC.
    """

    def __init__(
        self,
        rrule_obj: Any,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """
        Raises:
            TypeError: *rrule_obj* is no such rule.
        """
        if not hasattr(rrule_obj, "xafter"):
            raise TypeError("rrule_obj must be an rrule or rruleset, got: ", rrule_obj)

        super().__init__(start_date, end_date, parameter_defaults, labels)
        self.rrule_obj = rrule_obj

    def _fires(self, after: datetime) -> Iterator[datetime]:
        for fire in self.rrule_obj:
            instant = as_moment(fire)
            if plain(instant) > plain(after) and (self.start_date is None or instant >= self.start_date):
                yield instant


def _instant(given: datetime | None) -> Any:
    if given is None:
        return None

    if not isinstance(given, datetime):
        raise ValueError("instance() only accepts datetime objects.")

    return as_moment(given)


def plain(given: datetime) -> datetime:
    """
    Return the instant in UTC, as a datetime of the standard library. Two of one zone would be compared by their walls.
    """
    return datetime.fromisoformat(given.isoformat()).astimezone(UTC)
