"""
Telling readers that wait (long polls) that the store changed.
"""

import asyncio
import contextlib


class Changes:
    """
    Notified from any thread, waited for in the loop's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: set[asyncio.Future[None]] = set()
        self._is_over = False

    def notify(self) -> None:
        """
        Wake everybody who waits.
        """
        if self._waiting:
            self._loop.call_soon_threadsafe(self._wake)

    def next(self) -> "asyncio.Future[None]":
        """
        Give a future that is done at the next change; whoever no longer wants it cancels it.
        """
        waiting: asyncio.Future[None] = self._loop.create_future()
        if self._is_over:
            waiting.set_result(None)
            return waiting

        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        return waiting

    async def wait(self, change: "asyncio.Future[None]", *, within_s: float) -> bool:
        """
        Return when *change* comes, or after *within_s* seconds.

        Returns:
            False when there will be no more changes.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(change, within_s)
        return not self._is_over

    def close(self) -> None:
        """
        Wake everybody for the last time: the daemon ends. Called in the loop's thread.
        """
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        for waiting in list(self._waiting):
            if not waiting.done():
                waiting.set_result(None)
