"""
A store that is away must cost nothing but time: what could not be written is tried again at the next tick.
"""

from collections.abc import Callable, Iterator
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

    Args:
        read_anew: reads from the store again what the writer believes of it.
    """

    def __init__(self, read_anew: Callable[[], None] = lambda: None) -> None:
        self._read_anew = read_anew
        self._is_in_doubt = False
        self.error: str | None = None
        self._said_at: float | None = None

    def doubt(self) -> None:
        """
        The answer to a commit may be lost: what it did is not known.
        """
        self._is_in_doubt = True

    def be_sure(self) -> None:
        """
        Read anew after a doubt, before anything is done that builds on what the writer believes.

        Raises:
            StoreError: the store is still away.
        """
        if self._is_in_doubt:
            self._read_anew()
            self._is_in_doubt = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """
        Do something with the store, and pass over that it or the state folder is away; everything else is raised.
        """
        try:
            yield
        except (StoreError, StateError) as error:
            self.doubt()
            self.error = str(error)
            if self._said_at is None or clock.monotonic() - self._said_at >= _QUIET_S:
                self._said_at = clock.monotonic()
                _log.error("store_away", why=self.error)
        else:
            if self.error is not None:
                _log.info("store_back")
            self.error = self._said_at = None
