"""
Clocks: each is a rule of :mod:`orchd.schedules`, with the parameters and labels of its runs.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from orchd import clock
from orchd.engine.context import as_moment
from orchd.flow.classic_schedules.recurrence import rrule_lines
from orchd.model.specs import RuleKind, ScheduleSpec
from orchd.schedules import RuleError, rule_of
from orchd.schedules.zones import zone

_START: Final = datetime(2019, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)
#: A set of rules that leaves out so many fire times in a row counts as over.
_MAX_LEFT_OUT: Final = 10_000


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
    Root of the clocks. One of a person's own gives its fire times in ``_fires(after)``.
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

    def spec(self) -> ScheduleSpec | None:
        """
        Return the rule of this clock, with its window; None when only its own code can say when it fires.
        """
        return None

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
        spec = self.spec()
        if spec is None:
            raise NotImplementedError

        rule, tz, fire = rule_of(spec), zone(spec.timezone), plain(after)
        while (found := rule.next_after(fire)) is not None:
            fire = found
            yield as_moment(fire.astimezone(tz))

    def _written(self, kind: RuleKind, rule: str, **more: Any) -> ScheduleSpec:
        """
        Return the rule in the zone of *start_date*, or UTC, in the window from there to *end_date*, both inclusive.
        """
        start, end = self.start_date, self.end_date
        return ScheduleSpec(
            name="",
            flow="",
            kind=kind,
            rule=rule,
            timezone="UTC" if start is None else str(start.timezone_name),
            starts_at=None if start is None else plain(start).isoformat(),
            ends_at=None if end is None else (plain(end) + _INSTANT).isoformat(),
            **more,
        )


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

    def spec(self) -> ScheduleSpec:
        """
        Return its rule.
        """
        whole = self.interval % _DAY == timedelta(0)
        text = f"{self.interval.days}d" if whole else f"{_seconds(self.interval)}s"
        start = _START if self.start_date is None else self.start_date
        return self._written(RuleKind.EVERY, text, anchor=plain(start).isoformat())


def _seconds(length: timedelta) -> str:
    whole, rest = divmod(length // _INSTANT, 1_000_000)
    return f"{whole}.{rest:06}".rstrip("0") if rest else str(whole)


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
        try:
            rule_of(self.spec())
        except RuleError as exc:
            raise ValueError(f"Invalid cron string: {cron}") from exc

    def spec(self) -> ScheduleSpec:
        """
        Return its rule; a sixth field of the text is the second.
        """
        fields = self.cron.split()
        seconds: tuple[int, ...] = (0,)
        if len(fields) == 6 and re.fullmatch(r"[0-9]+(,[0-9]+)*", fields[5]):
            seconds = tuple(sorted({int(number) for number in fields.pop().split(",")}))
        return self._written(
            RuleKind.CRON, " ".join(fields), seconds=seconds, day_or=self.day_or is not False or len(fields) != 5
        )


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

    def spec(self) -> ScheduleSpec:
        """
        Return its rule.
        """
        return self._written(
            RuleKind.DATES, "", dates=tuple(sorted({plain(as_moment(date)).isoformat() for date in self.dates}))
        )


class RRuleClock(Clock):
    """
    Fires as a rule of ``dateutil.rrule`` says, on the wall of its own zone; one without a zone is UTC.
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

            ValueError: it says what RFC 5545 cannot, or never fires.
        """
        if not hasattr(rrule_obj, "xafter"):
            raise TypeError("rrule_obj must be an rrule or rruleset, got: ", rrule_obj)

        super().__init__(start_date, end_date, parameter_defaults, labels)
        self.rrule_obj = rrule_obj
        try:
            self._rules = [rule_of(self._line(*line)) for line in rrule_lines(rrule_obj)]
        except RuleError as exc:
            raise ValueError(f"Invalid rrule: {exc}") from exc

    def spec(self) -> ScheduleSpec | None:
        """
        Return its rule; None when a rule of it leaves out what another one says, which RFC 5545 does not know.
        """
        whole, *left_out = rrule_lines(self.rrule_obj)
        return None if left_out else self._line(*whole)

    def _fires(self, after: datetime) -> Iterator[datetime]:
        whole, *left_out = self._rules
        tz, fire = zone(whole.timezone), plain(after)
        missed = 0
        while missed < _MAX_LEFT_OUT and (found := whole.next_after(fire)) is not None:
            fire, missed = found, missed + 1
            if all(rule.next_after(fire - _INSTANT) != fire for rule in left_out):
                missed = 0
                yield as_moment(fire.astimezone(tz))

    def _line(self, text: str, anchor: str | None, zone: str) -> ScheduleSpec:
        return msgspec.structs.replace(self._written(RuleKind.RRULE, text, anchor=anchor), timezone=zone)


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
