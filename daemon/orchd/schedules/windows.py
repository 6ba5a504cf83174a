"""
Rules around a rule: only a part of its fire times, all of them later, or those of several rules.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from orchd.schedules.ticking import Around, Rule
from orchd.schedules.zones import MICROSECOND

#: Counting walks from the beginning of the window, once.
MAX_COUNT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Around):
    """
    The fire times of *rule* in ``[starts_at, ends_at)``; None for no bound.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        if self.starts_at is not None and instant < self.starts_at:
            instant = self.starts_at - MICROSECOND
        fire = self.rule.next_after(instant)
        return None if fire is None or (self.ends_at is not None and fire >= self.ends_at) else fire


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Around):
    """
    The first *count* fire times of *rule* from *starts_at* on, which is one of them when the rule fires then.
    """

    starts_at: datetime
    #: At most :data:`MAX_COUNT`.
    count: int

    @property
    def last(self) -> datetime:
        """
        The last of them; *starts_at* when there is none at all.
        """
        return _last(self)

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        fire = self.rule.next_after(max(instant, self.starts_at - MICROSECOND))
        return None if fire is None or fire > self.last else fire


@lru_cache(maxsize=1024)
def _last(counted: Counted) -> datetime:
    instant = counted.starts_at - MICROSECOND
    for _ in range(counted.count):
        fire = counted.rule.next_after(instant)
        if fire is None:
            break
        instant = fire

    return max(instant, counted.starts_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted(Around):
    """
    Each fire time of *rule*, *offset* later (or earlier, when it is negative) in elapsed time.
    """

    offset: timedelta
    #: True when a splay has made the offset.
    is_splay: bool = False

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        try:
            fire = self.rule.next_after(instant - self.offset)
            return None if fire is None else fire + self.offset
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """
    The fire times of several rules, each instant once, as *timezone* shows them.
    """

    rules: tuple[Rule, ...]
    timezone: str

    @property
    def spacing(self) -> timedelta:
        """
        Nothing is promised.
        """
        return timedelta(0)

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        return min((fire for rule in self.rules if (fire := rule.next_after(instant)) is not None), default=None)
