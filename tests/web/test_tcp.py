"""
Serving over TCP below the gate: who says nothing is let go, an address that is taken is tried again.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from orchd.web import tcp
from orchd.web.tcp import TcpServer


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """
    Answer with the length of the body.
    """
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@dataclass
class Served:
    """
    A server in a thread of its own.
    """

    server: TcpServer
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    ready: threading.Event

    def connect(self) -> socket.socket:
        """
        Connect to it.
        """
        assert self.ready.wait(20)
        assert self.server.port is not None
        return socket.create_connection((self.server.host_text.strip("[]"), self.server.port), timeout=20)


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """
    Serves on an address until the test ends.
    """
    made: list[Served] = []

    def begin(host: str = "127.0.0.1", port: int = 0) -> Served:
        loop, ready = asyncio.new_event_loop(), threading.Event()
        server = TcpServer(echo, host, port, ready=ready.set)
        thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve()))
        made.append(Served(server, loop, thread, ready))
        thread.start()
        return made[-1]

    yield begin
    for each in made:
        each.loop.call_soon_threadsafe(each.server.stop)
        each.thread.join(20)
        each.loop.close()


def _length(made: socket.socket, text: str) -> bytes:
    made.sendall(text.encode())
    head, _, body = made.recv(10_000).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    return body or made.recv(10_000)


WHOLE = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"


@pytest.mark.parametrize(
    "said",
    ["", "GET / HTTP/1.1\r\nHost: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"],
    ids=["nothing", "half a head", "half a body"],
)
@pytest.mark.parametrize("before", ["", WHOLE], ids=["at first", "after a request"])
def test_a_client_that_falls_silent_is_let_go(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, said: str, before: str
) -> None:
    """
    Whatever it has not finished saying, and whether or not it said something whole before.
    """
    monkeypatch.setattr(tcp, "_IDLE_S", 0.2)
    with serve().connect() as made:
        if before:
            assert _length(made, before) == b"2"
        made.sendall(said.encode())
        assert made.recv(1000) == b""


def test_a_client_that_trickles_is_let_go(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A byte now and then does not buy more time.
    """
    monkeypatch.setattr(tcp, "_IDLE_S", 0.3)
    with serve().connect() as made:
        made.settimeout(0.05)
        assert _trickled(made, most=2000) < 2000


def _trickled(made: socket.socket, *, most: int) -> int:
    for sent in range(most):
        try:
            made.sendall(b"G")
            if not made.recv(10):
                return sent
        except TimeoutError:
            continue
        except OSError:
            return sent
    return most


def test_a_client_that_speaks_is_borne(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Requests one after the other on one connection are answered, however long all of them take.
    """
    monkeypatch.setattr(tcp, "_IDLE_S", 2)
    with serve().connect() as made:
        for _ in range(50):
            assert _length(made, WHOLE) == b"2"


@pytest.mark.parametrize("said", ["", "GET / HTTP/1.1\r\nHost: "], ids=["nothing", "half a head"])
def test_clients_that_say_nothing_keep_nobody_out(serve: Serve, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """
    However many connections stand open, one more is answered: in its place the one goes that was silent for longest.
    """
    monkeypatch.setattr(tcp, "_MAX_CONNECTIONS", 8)
    served = serve()
    with contextlib.ExitStack() as opened:
        silent = [opened.enter_context(served.connect()) for _ in range(7)]
        for each in silent:
            each.sendall(said.encode())
        for _ in range(5):
            assert _length(opened.enter_context(served.connect()), WHOLE) == b"2"

        assert all(_is_let_go(each) for each in silent[:5])


def _is_let_go(made: socket.socket) -> bool:
    try:
        return made.recv(1000) == b""
    except ConnectionResetError:
        # It had not read what was said.
        return True


def test_an_address_that_is_taken_is_tried_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The second goes on without, says why, and takes the address when it is free.
    """
    monkeypatch.setattr(tcp, "_AGAIN_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        second = serve("127.0.0.1", port)
        assert not second.ready.wait(0.2)
        assert second.server.port is None
        assert second.server.trouble is not None
        assert "somebody else listens there" in second.server.trouble
    assert second.ready.wait(20)
    assert (second.server.port, second.server.trouble) == (port, None)
    with second.connect() as made:
        assert _length(made, WHOLE) == b"2"


def test_the_loopback_of_ipv6(serve: Serve) -> None:
    """
    An address in brackets is one like any other.
    """
    served = serve("::1")

    with served.connect() as made:
        assert _length(made, WHOLE) == b"2"
    assert served.server.host_text == "[::1]"
