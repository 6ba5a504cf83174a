"""
Noticing that the wall clock was set: it moved by another amount than the clock that nobody can set.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: Smaller differences are the clock being slewed by NTP, or a machine that was busy.
MIN_JUMP: Final = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump:
    """
    The clock was set by *seconds* (negative for back), noticed *at* (new time, UTC).
    """

    at: datetime
    seconds: float


class ClockWatch:
    """
    Compares the two clocks at each tick.
    """

    def __init__(self) -> None:
        self._offset_s: float | None = None

    def look(self, now: datetime, *, monotonic_s: float) -> ClockJump | None:
        """
        Give the jump since the last look, if there was one. A machine that was asleep looks like a jump forward.
        """
        offset_s = now.timestamp() - monotonic_s
        last_s, self._offset_s = self._offset_s, offset_s
        if last_s is None or abs(offset_s - last_s) < MIN_JUMP.total_seconds():
            return None

        return ClockJump(at=now, seconds=round(offset_s - last_s, 3))
