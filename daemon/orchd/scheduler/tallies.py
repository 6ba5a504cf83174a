"""
What the daemon counts of its own work since it began, for whoever watches it.
"""

from bisect import bisect_left
from collections import Counter
from typing import Final

#: Upper bounds, in seconds, of what a start may be late.
BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)


class Tallies:
    """
    Written by the writer only; read from any thread, where one that is a moment old does no harm.
    """

    def __init__(self) -> None:
        #: How many starts lie in each bound, and beyond the last one; not cumulated.
        self.late = [0] * (len(BOUNDS_S) + 1)
        self.late_sum_s = 0.0
        #: State -> how many runs ended in it.
        self.ended: Counter[str] = Counter()
        #: From the writing of a line to its place in the store, of the oldest one of the last ingest.
        self.ingest_lag_s = 0.0

    def started(self, *, late_us: int) -> None:
        """
        A slot's run began, so many microseconds after its fire time.
        """
        late_s = max(0, late_us) / 1e6
        self.late[bisect_left(BOUNDS_S, late_s)] += 1
        self.late_sum_s += late_s

    def stored(self, *, written_us: int, now_us: int) -> None:
        """
        A line that was written at *written_us* is in the store.
        """
        self.ingest_lag_s = max(0, now_us - written_us) / 1e6
