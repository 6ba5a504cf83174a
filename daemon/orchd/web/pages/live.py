"""
Telling open pages that something changed: server-sent events.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from orchd.errors import StoreError, TooMany
from orchd.web.asking import caller_uid
from orchd.web.daemon import Daemon
from orchd.web.doorkeeper import Visitor

#: Open pages of one login at once. Source: the threat table of reliability.md, T14.
MAX_STREAMS: Final = 32
#: Open pages of all logins at once: half of the connections (`web/tcp.py`) are left for everything else.
MAX_ALL_STREAMS: Final = 128
#: Longest time in seconds in which a stream does not look who listens.
_WAIT_S: Final = 15.0
#: Seconds of silence after which a stream says that it is there: a proxy keeps it open, a dead one is found out.
_SILENT_S: Final = 10.0
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
        #: Login -> how many of its pages are open.
        self._open: Counter[str] = Counter()

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
        Send *events* for as long as the browser listens and whoever sent *request* is logged in. An empty event sends
        nothing; it is an occasion to look whether that is so.

        Raises:
            TooMany: too many pages are open.
        """
        login = _login(request)
        if self._open[login] >= MAX_STREAMS:
            raise TooMany(f"{MAX_STREAMS} live pages of this login are open already: close some")
        if self._open.total() >= MAX_ALL_STREAMS:
            raise TooMany(f"{MAX_ALL_STREAMS} live pages of all logins are open already: close some")

        # Counted here, not as it begins to be sent: of many that come at once each sees those before it.
        self._open[login] += 1
        return _Stream(self._while_known(events, request.scope.get("still_known")), ended=partial(self._ended, login))

    def _ended(self, login: str) -> None:
        self._open[login] -= 1
        if not self._open[login]:
            del self._open[login]

    async def _while_known(self, events: AsyncIterator[str], still_known: _StillKnown | None) -> AsyncIterator[str]:
        looked_s = said_s = self._daemon.monotonic()
        # A browser asks again so many milliseconds after it lost the daemon.
        yield "retry: 1000\n\n"
        try:
            async for event in events:
                now_s = self._daemon.monotonic()
                if still_known is not None and now_s - looked_s >= _LOOK_AGAIN_S:
                    looked_s = now_s
                    if await still_known() is None:
                        return
                if event or now_s - said_s >= _SILENT_S:
                    said_s = now_s
                    yield event or ": quiet\n\n"
        except StoreError:
            # The browser asks again, and is told what is the matter.
            return

    async def _changes(self) -> AsyncIterator[str]:
        daemon = self._daemon
        is_first = True
        while True:
            change = daemon.next_change()
            if is_first:
                # Something may have changed since the page was made.
                is_first = False
                yield _CHANGE
            if not await daemon.changed(change, within_s=_WAIT_S):
                return
            yield _CHANGE if change.done() and not change.cancelled() else ""


def _login(request: Request) -> str:
    visitor: Visitor | None = request.scope.get("visitor")
    return f"uid {caller_uid(request)}" if visitor is None else visitor.login
