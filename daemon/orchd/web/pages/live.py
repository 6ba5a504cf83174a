"""
Telling open pages that something changed: server-sent events.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from orchd.errors import TooMany
from orchd.web.daemon import Daemon
from orchd.web.doorkeeper import Visitor

#: Open pages at once. Source: the threat table of reliability.md, T14.
MAX_STREAMS: Final = 32
#: Seconds between two words on a quiet stream, so that a proxy keeps it open and a dead one is found out.
_QUIET_S: Final = 15.0
_CHANGE: Final = "event: change\ndata:\n\n"
#: Seconds for which a stream takes it for granted that its visitor is still logged in.
_LOOK_AGAIN_S: Final = 1.0

_StillKnown = Callable[[], Awaitable[Visitor | None]]


class _Stream(StreamingResponse):
    """
    Server-sent events; *ended* is called once nothing more is sent, whoever ends it.
    """

    def __init__(self, events: AsyncIterator[str], *, ended: Callable[[], None]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Send them.
        """
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended()


class LivePages:
    """
    ``/live``: says when anything changed.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._open = 0

    def router(self) -> APIRouter:
        """
        Make the route.
        """
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/live", self.changes)
        return routes

    async def changes(self, request: Request) -> StreamingResponse:
        """
        Send ``change`` after each change of the store.
        """
        return self.stream(request, self._changes())

    def stream(self, request: Request, events: AsyncIterator[str]) -> StreamingResponse:
        """
        Send *events* for as long as the browser listens and whoever sent *request* is logged in.

        Raises:
            TooMany: too many pages are open.
        """
        if self._open >= MAX_STREAMS:
            raise TooMany(f"{MAX_STREAMS} live pages are open already: close some")

        # Counted here, not as it begins to be sent: of many that come at once each sees those before it.
        self._open += 1
        return _Stream(self._while_known(events, request.scope.get("still_known")), ended=self._ended)

    def _ended(self) -> None:
        self._open -= 1

    async def _while_known(self, events: AsyncIterator[str], still_known: _StillKnown | None) -> AsyncIterator[str]:
        looked_s = self._daemon.monotonic()
        # A browser asks again so many milliseconds after it lost the daemon.
        yield "retry: 1000\n\n"
        async for event in events:
            now_s = self._daemon.monotonic()
            if still_known is not None and now_s - looked_s >= _LOOK_AGAIN_S:
                looked_s = now_s
                if await still_known() is None:
                    return
            yield event

    async def _changes(self) -> AsyncIterator[str]:
        daemon = self._daemon
        is_first = True
        while True:
            change = daemon.next_change()
            if is_first:
                # Something may have changed since the page was made.
                is_first = False
                yield _CHANGE
            if not await daemon.changed(change, within_s=_QUIET_S):
                return
            yield _CHANGE if change.done() and not change.cancelled() else ": quiet\n\n"
