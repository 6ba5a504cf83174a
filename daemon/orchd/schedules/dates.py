"""
A list of instants, each consumed once.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Dates:
    """
    A rule that fires at the given instants and never again.

    Args:
        instants: aware UTC, strictly in order.

        timezone: in which they are shown.

        is_asked: the flow's own code has said them.
    """

    instants: tuple[datetime, ...]
    timezone: str = "UTC"
    is_asked: bool = False

    @property
    def spacing(self) -> timedelta:
        """
        The least time between two fires.
        """
        return min((late - early for early, late in pairwise(self.instants)), default=timedelta.max)

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC).
        """
        place = bisect_right(self.instants, instant)
        return self.instants[place] if place < len(self.instants) else None
