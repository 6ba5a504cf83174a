"""
The filters of schedules in code, as data: which fire times count, and until when none can.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

import msgspec

from orchd.model.specs import ClauseSpec
from orchd.schedules import zones
from orchd.schedules.problems import RuleError
from orchd.schedules.ticking import Around
from orchd.schedules.zones import MICROSECOND

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
#: Rules that agree with their filters at all do so within this time.
_HORIZON: Final = 40 * timedelta(days=366)
#: Clocks are never put back by more, but for corrections of the calendar.
_LONGEST_FOLD: Final = timedelta(hours=3)
_LAST: Final = datetime.max.replace(tzinfo=UTC) - _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """
    A condition on a fire time.
    """

    #: Given a fire time on the wall of the rule's zone (naive), and as an instant.
    fits: Callable[[datetime, datetime], bool]
    #: Given the same: the next wall time (naive) or instant (aware) at which :attr:`fits` may say something else.
    turns: Callable[[datetime, datetime], datetime | None]


def clause(spec: ClauseSpec) -> Clause:
    """
    Return the clause that *spec* writes.

    Raises:
        RuleError: there is none of that name, or its arguments are others.
    """
    return _clause(spec.name, spec.arguments)


@lru_cache(maxsize=1024)
def _clause(name: str, arguments: str) -> Clause:
    try:
        given = msgspec.json.decode(arguments, type=list[int | str])
        return _MAKE[name](*given)
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError):
        raise RuleError(f"there is no filter {name}{arguments}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered(Around):
    """
    The fire times of *rule* for which all of *every*, one of *some* (if there are any) and none of *no* hold.
    """

    every: tuple[ClauseSpec, ...] = ()
    some: tuple[ClauseSpec, ...] = ()
    no: tuple[ClauseSpec, ...] = ()

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC); None when none comes within forty years.
        """
        tz = zones.zone(self.timezone)
        fire = self.rule.next_after(instant)
        if fire is None:
            return None

        horizon = min(fire, _LAST - _HORIZON) + _HORIZON
        while fire is not None and fire <= horizon:
            at = fire
            while (turn := self._closed_until(at, tz)) is not None:
                if turn > horizon:
                    return None

                at = turn
            if at == fire:
                return fire

            fire = self.rule.next_after(at - MICROSECOND)

        return None

    def _closed_until(self, at: datetime, tz: tzinfo) -> datetime | None:
        """
        Return an instant after *at* before which nothing fits; None when *at* fits.
        """
        wall = zones.wall_of(at, tz).replace(fold=0)
        blocking = [_turn(each, wall, at, tz) for each in _failing(self.every, wall, at, wanted=True)]
        blocking += [_turn(each, wall, at, tz) for each in _failing(self.no, wall, at, wanted=False)]
        some = list(_failing(self.some, wall, at, wanted=True))
        if some and len(some) == len(self.some):
            blocking.append(min(_turn(each, wall, at, tz) for each in some))
        return max(blocking, default=None)


def _failing(specs: Sequence[ClauseSpec], wall: datetime, at: datetime, *, wanted: bool) -> list[Clause]:
    clauses = (clause(spec) for spec in specs)
    return [each for each in clauses if each.fits(wall, at) is not wanted]


def _turn(clause: Clause, wall: datetime, at: datetime, tz: tzinfo) -> datetime:
    """
    Return the first instant after *at* at which *clause* may say something else; the end of the calendar for none.
    """
    try:
        turn = clause.turns(wall, at)
        if turn is None:
            return _LAST
        if turn.tzinfo is not None:
            return min(turn, _LAST)

        shown = (turn - offset for offset in zones.offsets(turn, tz))
        instants = [each for each in (wall.replace(tzinfo=UTC) for wall in shown) if each > at]
    except OverflowError:
        return _LAST

    before, after = zones.offsets(turn, tz)
    found = zones.gap_end(turn, tz) if before < after else min(instants, default=at + timedelta(seconds=1))
    return _back(at, max(found, at + MICROSECOND), tz)


def _back(at: datetime, until: datetime, tz: tzinfo) -> datetime:
    """
    Return the instant soon after *at* at which the clock goes back, so that wall times come again; else *until*.
    """
    end = min(until, at + _LONGEST_FOLD)
    if _offset(end, tz) >= _offset(at, tz):
        return until

    early, late = at.replace(microsecond=0), end
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // timedelta(seconds=2) * timedelta(seconds=1)
        early, late = (early, middle) if _offset(middle, tz) < _offset(at, tz) else (middle, late)

    return max(late.replace(microsecond=0), at + MICROSECOND)


def _offset(at: datetime, tz: tzinfo) -> timedelta:
    return at.astimezone(tz).utcoffset() or timedelta(0)


def _of_days(fits: Callable[[date], bool]) -> Clause:
    return Clause(
        fits=lambda wall, _: fits(wall.date()), turns=lambda wall, _: datetime.combine(wall.date() + _DAY, time())
    )


def _on_date(month: int, day: int) -> Clause:
    return _of_days(lambda given: (given.month, given.day) == (month, day))


def _between_dates(start_month: int, start_day: int, end_month: int, end_day: int) -> Clause:
    start, end = (start_month, start_day), (end_month, end_day)

    def fits(given: date) -> bool:
        day = (given.month, given.day)
        return start <= day <= end if start_month <= end_month else day >= start or day <= end

    return _of_days(fits)


def _at_time(text: str) -> Clause:
    wanted = time.fromisoformat(text)
    return Clause(
        fits=lambda wall, _: wall.time() == wanted,
        turns=lambda wall, _: wall + MICROSECOND if wall.time() == wanted else _next(wall, wanted),
    )


def _between_times(first: str, last: str) -> Clause:
    start, end = time.fromisoformat(first), time.fromisoformat(last)

    def fits(wall: datetime, _: datetime) -> bool:
        now = wall.time()
        return start <= now <= end if start <= end else now >= start or now <= end

    def turns(wall: datetime, at: datetime) -> datetime:
        if not fits(wall, at):
            return _next(wall, start)
        return (wall if wall.time() == end else _next(wall, end)) + MICROSECOND

    return Clause(fits=fits, turns=turns)


def _between_datetimes(first: str, last: str) -> Clause:
    start, end = datetime.fromisoformat(first).astimezone(UTC), datetime.fromisoformat(last).astimezone(UTC)

    def turns(_: datetime, at: datetime) -> datetime | None:
        return start if at < start else end + MICROSECOND if at <= end else None

    return Clause(fits=lambda _, at: start <= at <= end, turns=turns)


def _next(wall: datetime, wanted: time) -> datetime:
    today = datetime.combine(wall.date(), wanted)
    return today if today > wall else today + _DAY


_MAKE: Final[dict[str, Callable[..., Clause]]] = {
    "on_datetime": lambda text: _between_datetimes(text, text),
    "between_datetimes": _between_datetimes,
    "on_date": _on_date,
    "between_dates": _between_dates,
    "at_time": _at_time,
    "between_times": _between_times,
    "is_weekday": lambda: _of_days(lambda day: day.weekday() < _SATURDAY),
    "is_weekend": lambda: _of_days(lambda day: day.weekday() >= _SATURDAY),
    "is_month_end": lambda: _of_days(lambda day: (day + _DAY).month != day.month),
    "is_month_start": lambda: _of_days(lambda day: day.day == 1),
    "is_day_of_week": lambda number: _of_days(lambda day: day.weekday() == number),
}
