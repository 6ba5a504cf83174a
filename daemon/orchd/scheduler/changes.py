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
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        return waiting

    @staticmethod
    async def wait(change: "asyncio.Future[None]", *, within_s: float) -> None:
        """
        Return when *change* comes, or after *within_s* seconds.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(change, within_s)

    def _wake(self) -> None:
        for waiting in list(self._waiting):
            if not waiting.done():
                waiting.set_result(None)
