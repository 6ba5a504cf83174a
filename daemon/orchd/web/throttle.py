"""
How often somebody may try a wrong login, and how much each login may have at once.
"""

from collections import Counter
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


class AtOnce:
    """
    Counts what each login has at this moment. For the loop's thread.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def of(self, login: str) -> int:
        """
        Return how many one login has.
        """
        return self._counts[login]

    def of_all(self) -> int:
        """
        Return how many all of them have.
        """
        return self._counts.total()

    def begin(self, login: str) -> None:
        """
        Count one more.
        """
        self._counts[login] += 1

    def end(self, login: str) -> None:
        """
        Count one less, and keep nothing of a login that has none.
        """
        self._counts[login] -= 1
        if not self._counts[login]:
            del self._counts[login]
