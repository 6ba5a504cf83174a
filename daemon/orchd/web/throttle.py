"""
How often somebody may try a wrong login.
"""

from typing import Final

from orchd import clock

#: Wrong logins in one second, of all together. Source: the threat table of reliability.md, T5.
MAX_FAILURES: Final = 5


class Throttle:
    """
    Counts failures of the last second. For the loop's thread.
    """

    def __init__(self) -> None:
        self._failures: list[float] = []

    def failed(self) -> None:
        """
        Count one more.
        """
        self._failures = [*self._recent(), clock.monotonic()]

    def is_shut(self) -> bool:
        """
        True when there were too many.
        """
        return len(self._recent()) >= MAX_FAILURES

    def _recent(self) -> list[float]:
        since = clock.monotonic() - 1
        return [at for at in self._failures if at > since]
