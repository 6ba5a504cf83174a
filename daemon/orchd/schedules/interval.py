"""
Interval rules: ``every = "90s"`` with an anchor.

Hours, minutes and seconds are elapsed time and never moved by a clock change; whole days and weeks keep the wall
clock (rule 5). The phase comes from the anchor alone, which reaches back as well as forward.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final

from orchd.schedules import zones
from orchd.schedules.problems import RuleError

#: A Monday, so that ``1w`` means Monday at midnight.
DEFAULT_ANCHOR: Final = "1970-01-05T00:00"
#: Shorter than this no daemon can keep; longer is a slip of the pen.
SHORTEST: Final = timedelta(milliseconds=1)
LONGEST: Final = timedelta(days=36525)

_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_NUMBER: Final = r"(\d+(?:\.\d+)?)"
_SHORT: Final = re.compile("".join(rf"(?:{_NUMBER}{unit})?" for unit in "wdhms"), re.ASCII)
_ISO: Final = re.compile(
    rf"p(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:t(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Every:
    """
    An interval rule in a zone.

    Args:
        text: ``90s``, ``1.5s``, ``1h30m``, ``1d``, ``2w``, or an ISO 8601 duration such as ``PT90S``.

        timezone: IANA name; the zone of the anchor and of the wall clock that days and weeks keep.

        anchor: a wall time of that zone as ISO text (or with an offset of its own); None for Monday 1970-01-05T00:00.

    Raises:
        RuleError: one of them cannot be meant.
    """

    text: str
    timezone: str = "UTC"
    anchor: str | None = None

    def __post_init__(self) -> None:
        phase_of(self)

    @property
    def follows_clock(self) -> bool:
        """
        True for elapsed time, which clock changes do not move.
        """
        return not phase_of(self).keeps_wall

    @property
    def spacing(self) -> timedelta:
        """
        The least time between two fires.
        """
        phase = phase_of(self)
        return phase.period / 2 if phase.keeps_wall else phase.period

    def wall_after(self, wall: datetime) -> datetime | None:
        """
        Return the first wall time of the rule strictly after *wall*; only whole days and weeks have such.
        """
        phase = phase_of(self)
        return _step_past(phase.wall, wall, phase.period)

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        phase = phase_of(self)
        if phase.keeps_wall:
            return zones.next_fixed(self.wall_after, instant, zones.zone(self.timezone))

        return _step_past(phase.instant, instant, phase.period)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """
    What an interval rule says.
    """

    period: timedelta
    #: True for whole days and weeks.
    keeps_wall: bool
    #: The anchor in both forms.
    wall: datetime
    instant: datetime


@lru_cache(maxsize=4096)
def phase_of(every: Every) -> Phase:
    """
    Return what *every* says, read.

    Raises:
        RuleError: it cannot be meant.
    """
    tz = zones.zone(every.timezone)
    period, keeps_wall = _period(every.text)
    text = DEFAULT_ANCHOR if every.anchor is None else every.anchor
    try:
        anchor = datetime.fromisoformat(text)
    except ValueError:
        raise RuleError(f"anchor {text!r} is no time; write it as {DEFAULT_ANCHOR!r}") from None

    if anchor.tzinfo is not None:
        return Phase(
            period=period,
            keeps_wall=keeps_wall,
            wall=zones.wall_of(anchor, tz).replace(fold=0),
            instant=anchor.astimezone(UTC),
        )

    anchor = anchor.replace(fold=0)
    return Phase(period=period, keeps_wall=keeps_wall, wall=anchor, instant=zones.meant(anchor, tz))


def _period(text: str) -> tuple[timedelta, bool]:
    """
    Return the length of an interval, and whether it keeps the wall clock.
    """
    word = text.strip().lower()
    found = _SHORT.fullmatch(word) or _ISO.fullmatch(word)
    if found is None or not any(found.groups()):
        raise RuleError(
            f"every {text!r} cannot be read; write 90s, 15m, 2h, 1d, 1w or an ISO 8601 duration such as PT90S"
            " (months and years have no length: use cron)"
        )

    if "M" in text and not word.startswith("p"):
        raise RuleError(f"every {text!r} is unclear: m is minutes; write {word} for them, or for months use cron")

    given = [(Fraction(number), unit) for number, unit in zip(found.groups(), "wdhms", strict=True) if number]
    in_days = [unit in "wd" for _, unit in given]
    seconds = sum(number * _UNITS[unit] for number, unit in given)
    if any(in_days) and not (all(in_days) and all(number.denominator == 1 for number, _ in given)):
        hours = f"{float(seconds / 3600):g}h"
        raise RuleError(
            f"every {text!r} mixes days, which keep the wall clock, with elapsed time; write {hours} for elapsed time"
        )

    microseconds = seconds * 1_000_000
    if microseconds.denominator != 1:
        raise RuleError(f"every {text!r} is no whole number of microseconds; write at most six decimals of a second")

    if not SHORTEST <= timedelta(microseconds=1) * min(int(microseconds), 2**62) <= LONGEST:
        raise RuleError(f"every {text!r} is out of range; write something from 0.001s to {LONGEST.days}d")

    return timedelta(microseconds=int(microseconds)), all(in_days)


def _step_past(anchor: datetime, moment: datetime, period: timedelta) -> datetime | None:
    try:
        return anchor + ((moment - anchor) // period + 1) * period
    except OverflowError:
        return None
