"""
A store that is away must cost nothing but time: what could not be written is tried again at the next tick.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from orchd import clock, log
from orchd.errors import StateError, StoreError

_log = log.get("store")

#: Seconds between two complaints about the same trouble.
_QUIET_S: Final = 60.0


class StoreHealth:
    """
    Whether the store could be used the last time, and if not, why.
    """

    def __init__(self) -> None:
        self.error: str | None = None
        self._said_at: float | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """
        Do something with the store, and pass over that it or the state folder is away; everything else is raised.
        """
        try:
            yield
        except (StoreError, StateError) as error:
            self.error = str(error)
            if self._said_at is None or clock.monotonic() - self._said_at >= _QUIET_S:
                self._said_at = clock.monotonic()
                _log.error("store_away", why=self.error)
        else:
            if self.error is not None:
                _log.info("store_back")
            self.error = self._said_at = None
