"""
Recurrence rules of RFC 5545. The only file that knows dateutil, which only ever sees a naive clock.

dateutil walks from DTSTART. Here it never does: whatever a rule takes from DTSTART is written into it, and then it is
started in the period that is asked about, a whole number of intervals later.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from dateutil.rrule import rrule, rrulestr

from orchd.schedules import zones
from orchd.schedules.interval import DEFAULT_ANCHOR
from orchd.schedules.problems import RuleError
from orchd.schedules.zones import MICROSECOND

#: Longer is no rule that a person wrote.
MAX_LENGTH: Final = 4096
#: COUNT walks from DTSTART, once.
MAX_COUNT: Final = 10_000

_EXAMPLE: Final = "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"
_TIME: Final = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?", re.ASCII)
_DAY_KEYS: Final = ("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KEYS: Final = frozenset(
    ("FREQ", "INTERVAL", "WKST", "COUNT", "UNTIL", "BYSETPOS", "BYMONTH", "BYHOUR", "BYMINUTE", "BYSECOND", *_DAY_KEYS)
)
#: Length of a period, and how many hold every pair of date and weekday; of years and months only the second counts.
_PERIODS: Final = {
    "YEARLY": (timedelta(), 40),
    "MONTHLY": (timedelta(), 480),
    "WEEKLY": (timedelta(weeks=1), 2_088),
    "DAILY": (timedelta(days=1), 14_610),
    "HOURLY": (timedelta(hours=1), 24 * 14_610),
    "MINUTELY": (timedelta(minutes=1), 1440 * 14_610),
    "SECONDLY": (timedelta(seconds=1), 86_400 * 14_610),
}
_BEGIN: Final = datetime.fromisoformat("0001-01-01")
_END: Final = datetime.fromisoformat("9999-12-31T23:59:59")
_CLOCKED: Final = frozenset(("HOURLY", "MINUTELY", "SECONDLY"))
#: From a unit of time to the next longer one, when the key of the middle names which of its sixty are meant.
_LONGER: Final = (
    ("SECONDLY", "BYSECOND", "MINUTELY"),
    ("MINUTELY", "BYMINUTE", "HOURLY"),
    ("HOURLY", "BYHOUR", "DAILY"),
)
_SIXTY: Final = ",".join(map(str, range(60)))


@dataclass(frozen=True, slots=True)
class RRule:
    """
    A recurrence rule in a zone.

    Args:
        text: ``FREQ=...`` alone, or lines of DTSTART, RRULE, RDATE and EXDATE.

        timezone: IANA name; the zone of every wall time in it.

        anchor: DTSTART as ISO text, of that zone or with an offset; None for that of the text, else 1970-01-05T00:00.

    Raises:
        RuleError: one of them cannot be meant, or it never fires.
    """

    text: str
    timezone: str = "UTC"
    anchor: str | None = None

    def __post_init__(self) -> None:
        _parsed(self)

    @property
    def follows_clock(self) -> bool:
        """
        True for HOURLY, MINUTELY and SECONDLY without BYHOUR, which fire at each real time that fits (rule 2).
        """
        return _parsed(self).follows_clock

    @property
    def spacing(self) -> timedelta:
        """
        The least time between two fires.
        """
        return timedelta(seconds=1)

    def wall_after(self, wall: datetime) -> datetime | None:
        """
        Return the first wall time of the rule strictly after *wall*, with no thought of any zone.
        """
        parsed = _parsed(self)
        while (found := parsed.wall_after(wall)) is not None and found in parsed.left_out:
            wall = found

        return found

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        return _next_after(self, instant)


@lru_cache(maxsize=16384)
def _next_after(rule: RRule, instant: datetime) -> datetime | None:
    find = zones.next_wildcard if rule.follows_clock else zones.next_fixed
    return find(rule.wall_after, instant, zones.zone(rule.timezone))


def forget() -> None:
    """
    Forget every computed fire time, so that a new tz database counts.
    """
    _next_after.cache_clear()
    _parsed.cache_clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """
    One RRULE. Everything that it takes from DTSTART is in its text.
    """

    text: str
    start: datetime
    freq: str
    interval: int
    week_start: int
    #: The last wall time that may fire.
    end: datetime | None = None

    def wall_after(self, wall: datetime) -> datetime | None:
        wall = max(wall, self.start - MICROSECOND)
        try:
            found = _started(self.text, self._period_of(wall)).after(wall)
        except (ValueError, OverflowError):
            # The year 10000.
            return None

        return None if found is None or (self.end is not None and found > self.end) else found

    def is_alive(self) -> bool:
        """
        True when it fires within its last forty years or, of long intervals, periods.
        """
        length, count = _PERIODS[self.freq]
        last = _END
        if self.freq == "YEARLY":
            probe = last.replace(year=max(1, last.year - count * self.interval), month=1, day=1)
        elif self.freq == "MONTHLY":
            probe = last.replace(year=max(1, last.year - count * self.interval // 12), month=1, day=1)
        else:
            probe = last - min(max(40 * timedelta(days=366), self.interval * length), last - self.start)
        return self.wall_after(max(probe, self.start - MICROSECOND)) is not None

    def nth(self, count: int) -> datetime | None:
        wall = self.start - MICROSECOND
        for _ in range(count):
            found = self.wall_after(wall)
            if found is None:
                return None
            wall = found

        return wall

    def _period_of(self, wall: datetime) -> datetime:
        """
        Return the begin of the last of its periods that begins at *wall* or before, and not before its first one.
        """
        start = self.start
        if self.freq == "YEARLY":
            years = (wall.year - start.year) // self.interval * self.interval
            return datetime(start.year + max(0, years), 1, 1)  # noqa: DTZ001  (a wall time)

        if self.freq == "MONTHLY":
            months = (wall.year - start.year) * 12 + wall.month - start.month
            number = start.year * 12 + start.month - 1 + max(0, months // self.interval * self.interval)
            return datetime(number // 12, number % 12 + 1, 1)  # noqa: DTZ001  (a wall time)

        length, _ = _PERIODS[self.freq]
        if self.freq in ("WEEKLY", "DAILY"):
            start = start.replace(hour=0, minute=0, second=0)
        if self.freq == "WEEKLY":
            start -= timedelta(days=(start.weekday() - self.week_start) % 7)
        return start + max(0, (wall - start) // (length * self.interval)) * length * self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    series: tuple[_Series, ...]
    added: tuple[datetime, ...]
    left_out: frozenset[datetime]
    follows_clock: bool

    def wall_after(self, wall: datetime) -> datetime | None:
        found = [each for series in self.series if (each := series.wall_after(wall)) is not None]
        found += self.added[bisect_right(self.added, wall) :][:1]
        return min(found, default=None)


@lru_cache(maxsize=4096)
def _started(text: str, start: datetime) -> rrule:
    found = rrulestr(text, dtstart=start)
    if not isinstance(found, rrule):
        raise ValueError(text)

    return found


@lru_cache(maxsize=4096)
def _parsed(rule: RRule) -> _Parsed:
    if len(rule.text) > MAX_LENGTH:
        raise RuleError(f"an rrule of {len(rule.text)} characters is too long; write at most {MAX_LENGTH}")

    lines = list(_lines(rule))
    tz = zones.zone(rule.timezone)
    starts = [_wall(value, tz) for name, value in lines if name == "DTSTART"]
    if starts and rule.anchor is not None:
        raise RuleError("it has a DTSTART and an anchor, which mean the same; remove one of them")

    has_start = bool(starts) or rule.anchor is not None
    start = starts[0] if starts else _anchor(rule.anchor or DEFAULT_ANCHOR, tz)
    series: list[_Series] = []
    walls: dict[str, list[datetime]] = {"RDATE": [], "EXDATE": []}
    for name, value in lines:
        if name == "DTSTART":
            start = _wall(value, tz)
        elif name == "RRULE":
            series.append(_series(value, start, tz, has_start=has_start))
        else:
            walls[name] += [_wall(each, tz) for each in value.split(",")]
    parsed = _Parsed(
        series=tuple(series),
        added=tuple(sorted(set(walls["RDATE"]))),
        left_out=frozenset(walls["EXDATE"]),
        follows_clock=bool(series) and all(_is_clocked(each) for each in series),
    )
    if parsed.wall_after(_BEGIN) is None:
        raise RuleError("it never fires: UNTIL is before its first fire time, or it has no RRULE and no RDATE")

    return parsed


def _is_clocked(series: _Series) -> bool:
    return series.freq in _CLOCKED and "BYHOUR" not in series.text


def _lines(rule: RRule) -> Iterator[tuple[str, str]]:
    for token in rule.text.upper().split():
        head, colon, value = token.rpartition(":")
        name, *options = head.split(";") if colon else ["RRULE"]
        if name not in ("DTSTART", "RRULE", "RDATE", "EXDATE") or not value:
            raise RuleError(f"{token!r} is no line of an rrule; write DTSTART, RRULE, RDATE, EXDATE, or {_EXAMPLE}")

        for option in options:
            key, _, said = option.partition("=")
            if key == "TZID" and said != rule.timezone.upper():
                raise RuleError(f"its TZID is not the schedule's zone {rule.timezone}; write it as timezone")
            if key not in ("TZID", "VALUE") or said == "PERIOD":
                raise RuleError(f"{option!r} means nothing here; remove it")
        yield name, value


def _series(text: str, start: datetime, tz: tzinfo, *, has_start: bool) -> _Series:
    parts: dict[str, str] = {}
    for part in text.strip(";").split(";"):
        key, _, value = part.partition("=")
        if key not in _KEYS or not value:
            raise RuleError(f"{part!r} is no part of an rrule; write for example {_EXAMPLE}")
        if key in parts:
            raise RuleError(f"{key} is there twice; remove one of them")
        parts[key] = value

    if parts.get("FREQ") not in _PERIODS:
        raise RuleError(f"its FREQ must be one of {', '.join(_PERIODS)}; write for example {_EXAMPLE}")

    if "COUNT" in parts and not has_start:
        raise RuleError("COUNT counts from a start; write anchor = 2026-01-01T09:00:00")

    until, count = parts.pop("UNTIL", None), _number(parts, "COUNT", most=MAX_COUNT)
    interval = _number(parts, "INTERVAL", most=1_000_000) or 1
    _write_defaults(parts, start)
    _shorten_walk(parts, interval)
    week_start = parts.get("WKST", "MO")
    series = _Series(
        text=";".join(f"{key}={value}" for key, value in parts.items() if key != "COUNT"),
        start=start,
        freq=parts["FREQ"],
        interval=interval,
        week_start=_WEEKDAYS.index(week_start) if week_start in _WEEKDAYS else 0,
    )
    try:
        _started(series.text, start)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as exc:
        raise RuleError(f"it cannot be read ({exc}); write for example {_EXAMPLE}") from None

    if not series.is_alive():
        raise RuleError("it never fires: there is no such day; write a day that exists")

    end = None if until is None else _until(until, tz)
    last = None if count is None else series.nth(count)
    ends = [each for each in (end, last) if each is not None]
    return _Series(
        text=series.text,
        start=start,
        freq=series.freq,
        interval=interval,
        week_start=series.week_start,
        end=min(ends, default=None),
    )


def _write_defaults(parts: dict[str, str], start: datetime) -> None:
    """
    Write into *parts* what RFC 5545 takes from DTSTART.
    """
    freq = parts["FREQ"]
    if not any(key in parts for key in _DAY_KEYS):
        if freq == "YEARLY":
            parts.setdefault("BYMONTH", str(start.month))
        if freq in ("YEARLY", "MONTHLY"):
            parts["BYMONTHDAY"] = str(start.day)
        if freq == "WEEKLY":
            parts["BYDAY"] = _WEEKDAYS[start.weekday()]
    if freq not in _CLOCKED:
        parts.setdefault("BYHOUR", str(start.hour))
    if freq not in ("MINUTELY", "SECONDLY"):
        parts.setdefault("BYMINUTE", str(start.minute))
    if freq != "SECONDLY":
        parts.setdefault("BYSECOND", str(start.second))


def _shorten_walk(parts: dict[str, str], interval: int) -> None:
    """
    Rewrite *parts* in the longest period with the same fire times: dateutil tries each second of days that do not fit.

    Raises:
        RuleError: it would be walked second by second, or minute by minute, over days that do not fit.
    """
    if interval == 1 and "BYSETPOS" not in parts:
        for freq, key, longer in _LONGER:
            if parts["FREQ"] != freq or not (key in parts or {"BYHOUR", "BYMINUTE"} & parts.keys()):
                continue
            if key != "BYHOUR":
                parts.setdefault(key, _SIXTY)
            if key in parts:
                parts["FREQ"] = longer

    times = {"MINUTELY": {"BYHOUR", "BYMINUTE"}, "SECONDLY": {"BYHOUR", "BYMINUTE", "BYSECOND"}}
    chosen = times.get(parts["FREQ"], set()) & parts.keys()
    if chosen and {"BYMONTH", *_DAY_KEYS} & parts.keys():
        raise RuleError(f"{parts['FREQ']} with days and {min(chosen)} takes too long to find; write FREQ=DAILY instead")


def _number(parts: dict[str, str], key: str, *, most: int) -> int | None:
    text = parts.get(key)
    if text is None:
        return None

    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise RuleError(f"{key}={text} is no number from 1 to {most}")

    return int(text)


def _until(text: str, tz: tzinfo) -> datetime:
    # A day alone counts whole.
    return _wall(text, tz) + (timedelta(days=1) - MICROSECOND if "T" not in text else timedelta())


def _wall(text: str, tz: tzinfo) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise RuleError(f"{text!r} is no time of an rrule; write it as 20260101T090000")

    try:
        wall = datetime.strptime(found[1] + (found[2] or "000000"), "%Y%m%d%H%M%S")  # noqa: DTZ007  (a wall time)
    except ValueError:
        raise RuleError(f"{text!r} is no time of an rrule; write it as 20260101T090000") from None

    return zones.wall_of(wall.replace(tzinfo=UTC), tz).replace(fold=0) if found[3] else wall


def _anchor(text: str, tz: tzinfo) -> datetime:
    try:
        anchor = datetime.fromisoformat(text)
    except ValueError:
        raise RuleError(f"anchor {text!r} is no time; write it as {DEFAULT_ANCHOR!r}") from None

    if anchor.tzinfo is not None:
        anchor = zones.wall_of(anchor, tz)
    return anchor.replace(microsecond=0, fold=0)
