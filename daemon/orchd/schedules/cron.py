"""
Cron rules. The only file that knows croniter, and croniter only ever sees a naive clock.

A cron text becomes one or several *clauses* whose day fields must both fit; the rule fires when any of them does. So
croniter never decides between OR and AND, nor what ``*`` in a field means for it, and each special day (``L``,
``15W``, ``5#3``) has a clause of its own, because croniter takes ``#`` and ``W`` as AND beside anything else.
"""

import copy
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from croniter import croniter

from orchd.schedules import grammar, zones
from orchd.schedules.grammar import CronText, Field
from orchd.schedules.problems import RuleError

#: From here fifty years (croniter's limit) hold every pair of date and weekday, and no missing leap year.
_PROBE: Final = datetime.fromisoformat("2000-01-01")
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Cron:
    """
    A cron rule in a zone.

    Raises:
        RuleError: *expr* cannot be meant, never fires, or there is no such zone.
    """

    expr: str
    timezone: str
    #: Seconds of each minute that fits, in order; only classic clocks name others than the first.
    seconds: tuple[int, ...] = (0,)
    #: False when both day fields must fit, whatever they begin with; only classic clocks say so.
    day_or: bool = True

    def __post_init__(self) -> None:
        self._parsed()
        zones.zone(self.timezone)

    @property
    def follows_clock(self) -> bool:
        """
        True when it fires at each real minute that fits (rule 2), False when each wall time fires once (rule 3).
        """
        return self._parsed().follows_clock

    @property
    def spacing(self) -> timedelta:
        """
        The least time between two fires.
        """
        return timedelta(minutes=1) if self.seconds == (0,) else timedelta(seconds=1)

    def wall_after(self, wall: datetime) -> datetime | None:
        """
        Return the first wall time of the rule strictly after *wall*, with no thought of any zone.
        """
        if self.seconds == (0,):
            return self._parsed().wall_after(wall)

        minute: datetime | None = wall.replace(second=0, microsecond=0)
        if minute != self._parsed().wall_after(wall.replace(second=0, microsecond=0) - _MINUTE):
            minute = self._parsed().wall_after(wall)
        while minute is not None:
            for second in self.seconds:
                if (found := minute.replace(second=second)) > wall:
                    return found

            minute = self._parsed().wall_after(minute)

        return None

    def _parsed(self) -> "_Parsed":
        return _parsed(self.expr, day_or=self.day_or)

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        return _next_after(self, instant)


@lru_cache(maxsize=16384)
def _next_after(cron: Cron, instant: datetime) -> datetime | None:
    find = zones.next_wildcard if cron.follows_clock else zones.next_fixed
    return find(cron.wall_after, instant, zones.zone(cron.timezone))


def forget() -> None:
    """
    Forget every computed fire time, so that a new tz database counts.
    """
    _next_after.cache_clear()


@dataclass(frozen=True, slots=True)
class _Clause:
    """
    One croniter expression whose day fields must both fit.
    """

    #: Never moved itself: each question is asked of a copy, so that threads do not meet in it.
    template: croniter
    #: True for ``LW``: only the last day of a month that is no Saturday or Sunday counts.
    last_weekday: bool

    def wall_after(self, wall: datetime) -> datetime | None:
        asked = copy.copy(self.template)
        try:
            found: datetime = asked.get_next(datetime, start_time=wall.replace(second=0, microsecond=0, fold=0))
            while self.last_weekday and not _is_last_weekday(found):
                found = asked.get_next(datetime, start_time=found.replace(hour=23, minute=59))
        except (ValueError, OverflowError):
            # No date within croniter's fifty years (its own ValueError), or none before the year 10000.
            return None

        return found


@dataclass(frozen=True, slots=True)
class _Parsed:
    clauses: tuple[_Clause, ...]
    follows_clock: bool

    def wall_after(self, wall: datetime) -> datetime | None:
        return min((found for clause in self.clauses if (found := clause.wall_after(wall)) is not None), default=None)


@lru_cache(maxsize=4096)
def _parsed(expr: str, *, day_or: bool) -> _Parsed:
    text = grammar.parse(expr)
    alive = tuple(clause for clause in _clauses(text, day_or=day_or) if clause.wall_after(_PROBE) is not None)
    if not alive:
        raise RuleError(f"cron {expr!r} never fires: no month that it names has such a day; write a day that exists")

    return _Parsed(alive, text.follows_clock)


def _clauses(text: CronText, *, day_or: bool) -> Iterator[_Clause]:
    if text.days_are_joined or not day_or:
        pairs = [(day, weekday) for day in _days(text.day) for weekday in _weekdays(text.weekday)]
    else:
        pairs = [(day, "*") for day in _days(text.day)] + [("*", weekday) for weekday in _weekdays(text.weekday)]

    times = f"{_numbers(text.minute.values)} {_numbers(text.hour.values)}"
    for day, weekday in pairs:
        last_weekday = day == "LW"
        expr = f"{times} {'26-31' if last_weekday else day} {_numbers(text.month.values)} {weekday}"
        yield _Clause(croniter(expr, _PROBE, day_or=False), last_weekday)


def _days(field: Field) -> Iterator[str]:
    if field.values:
        yield _numbers(field.values)

    yield from field.specials


def _weekdays(field: Field) -> Iterator[str]:
    if field.values:
        yield _numbers(field.values)

    for special in field.specials:
        # The last Friday is 5L in Quartz and here, and L5 in croniter.
        yield f"L{special[0]}" if special.endswith("L") else special


def _numbers(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))


def _is_last_weekday(day: datetime) -> bool:
    last = day.replace(day=monthrange(day.year, day.month)[1])
    return day.date() == (last - timedelta(days=max(0, last.weekday() - 4))).date()
