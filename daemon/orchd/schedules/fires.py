"""
Which fire times are owed. Long gaps are never walked: the newest fires are found by stepping back from now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from orchd.errors import ScheduleStuck
from orchd.schedules.ticking import Ticking

#: Most fire times of one schedule that one tick judges one by one (``scheduling.md`` section 4).
MAX_OWED: Final = 1000

_FIRST_STEP: Final = timedelta(seconds=1)
#: A window with more fires than this is halved instead of walked, so that a dense old patch costs little.
_WALK: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """
    The fire times of a window: the newest one by one, the older ones as a row.
    """

    #: Oldest first.
    fires: tuple[datetime, ...]
    #: First and last of the fires that were cut off because they are older; None when all are in *fires*.
    cut: tuple[datetime, datetime] | None = None


def due_fires(rule: Ticking, *, after: datetime, now: datetime, limit: int) -> Owed:
    """
    List the newest fire times of *rule* in the half-open window ``(after, now]``.

    Args:
        rule: asked for one fire time after another; never told the time of day.

        after: last fire time already decided (UTC, exclusive).

        now: instant of this tick (UTC, inclusive).

        limit: most fires listed one by one, at least 1; more than :data:`MAX_OWED` counts as that.

    Raises:
        ScheduleStuck: *rule* did not advance.
    """
    most = min(limit, MAX_OWED)
    newest: list[datetime] = []
    end, step = now, _FIRST_STEP
    while len(newest) <= most and end > after:
        start = after if end - after <= step else end - step
        newest[:0] = _newest(rule, after=start, until=end, count=most + 1 - len(newest))
        end, step = start, step * 2

    if len(newest) <= most:
        return Owed(fires=tuple(newest))

    oldest = rule.next_after(after)
    return Owed(fires=tuple(newest[-most:]), cut=(oldest or newest[0], newest[-most - 1]))


def _newest(rule: Ticking, *, after: datetime, until: datetime, count: int) -> list[datetime]:
    """
    Return the newest *count* fires, or up to :data:`_WALK` when these are all, of ``(after, until]``; oldest first.
    """
    found: list[datetime] = []
    for fire in walk(rule, after=after, until=until):
        found.append(fire)
        if len(found) > _WALK:
            break
    else:
        return found[-count:]

    middle = after + (until - after) / 2
    late = _newest(rule, after=middle, until=until, count=count)
    if len(late) >= count:
        return late

    return _newest(rule, after=after, until=middle, count=count - len(late)) + late


def walk(rule: Ticking, *, after: datetime, until: datetime) -> Iterator[datetime]:
    """
    Give one fire time of ``(after, until]`` after another.

    Raises:
        ScheduleStuck: *rule* did not advance.
    """
    instant = after
    while (fire := rule.next_after(instant)) is not None and fire <= until:
        if fire <= instant:
            raise ScheduleStuck(f"{rule!r} named {fire} after {instant}; report this as a bug of orchd")

        yield fire
        instant = fire
