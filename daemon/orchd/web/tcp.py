"""
Serving the pages and the API over TCP, behind the gate.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Final, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from orchd import log
from orchd.web.server import GOODBYE_S, QuietServer

_log = log.get("page")

#: Source: the threat table of reliability.md, T14: bytes of a request's head, seconds that a silent client is borne.
_MAX_HEAD: Final = 16 * 1024
_IDLE_S: Final = 30
#: Connections at once; each costs a descriptor and some 50 KiB.
_MAX_CONNECTIONS: Final = 256
#: Seconds until an address that was taken is tried again.
_AGAIN_S: Final = 10.0


class _ImpatientProtocol(H11Protocol):
    """
    HTTP whose client must have sent the head of its request within :data:`_IDLE_S` seconds, and as many later its body:
    uvicorn waits without end for both.
    """

    _awaited: object = None
    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._make_room()
        self._bear()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._bear()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._bear()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        """
        Let the client go that has been awaited for longest, once there are too many: connections on which nothing is
        said keep nobody out. Where all are at work, uvicorn refuses the request.
        """
        others = [each for each in self.connections if isinstance(each, _ImpatientProtocol) and each is not self]
        held = [each for each in others if not each.transport.is_closing()]
        if len(held) >= _MAX_CONNECTIONS - 1:
            ends = {each._end.when(): each for each in held if each._end is not None}
            if ends:
                ends[min(ends)].transport.close()

    def _bear(self) -> None:
        """
        Begin to count anew whenever something else is awaited of the client; while it awaits us, nothing counts.
        """
        awaited = self.conn.their_state
        if awaited is self._awaited:
            return

        self._awaited = awaited
        if self._end is not None:
            self._end.cancel()
        is_ours = awaited in (h11.IDLE, h11.SEND_BODY)
        self._end = self.loop.call_later(_IDLE_S, self.transport.close) if is_ours else None


class TcpServer:
    """
    *app* on the address *host* and *port*. Runs must start on time whether or not a page can be shown: an address
    that is taken is said in the log and in :attr:`trouble`, and tried again.

    Args:
        ready: called in the loop's thread once it listens.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, *, ready: Callable[[], None] = lambda: None) -> None:
        self._host = host
        self._wanted = port
        self._ready = ready
        #: The port that is listened on; None while there is none.
        self.port: int | None = None
        #: Why nothing listens; None when it does.
        self.trouble: str | None = None
        self._server = QuietServer(
            uvicorn.Config(
                app,
                http=_ImpatientProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                loop="none",
                date_header=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=_MAX_HEAD,
                timeout_keep_alive=_IDLE_S,
                limit_concurrency=_MAX_CONNECTIONS,
                timeout_graceful_shutdown=GOODBYE_S,
            )
        )

    @property
    def host_text(self) -> str:
        """
        The host as it stands in a URL.
        """
        return f"[{self._host}]" if ":" in self._host else self._host

    async def serve(self) -> None:
        """
        Answer until :meth:`stop`.
        """
        while not self._server.stopped.is_set():
            listening = self._bound()
            if listening is not None:
                await self._server.serve(sockets=[listening])
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.stopped.wait(), _AGAIN_S)

    def stop(self) -> None:
        """
        Answer what is being asked, take nothing new, and end :meth:`serve`.
        """
        self._server.should_exit = True
        self._server.stopped.set()

    def _bound(self) -> socket.socket | None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Without the protocol's name asyncio leaves Nagle's algorithm on, and each answer waits 40 ms for the client.
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((self._host, self._wanted))
            made.listen(128)
            made.setblocking(False)
        except OSError as error:
            made.close()
            self._complain(error)
            return None

        self.trouble = None
        self.port = made.getsockname()[1]
        self._ready()
        return made

    def _complain(self, error: OSError) -> None:
        taken = "somebody else listens there" if error.errno == errno.EADDRINUSE else str(error.strerror)
        trouble = f"no page at {self.host_text}:{self._wanted}: {taken}; write another address: listen, under [daemon]"
        if trouble != self.trouble:
            _log.error("page_not_ready", why=trouble)
        self.trouble = trouble
