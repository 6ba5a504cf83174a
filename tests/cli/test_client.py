"""
The client against a real server on a Unix socket.
"""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchd import errors
from orchd.client import Client, quote
from support.unix_server import UnixServer


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[UnixServer]:
    """
    A server without answers.
    """
    server = UnixServer(tmp_path / "s")
    server.start()
    yield server
    server.stop()


def test_a_question_reaches_the_daemon_whole(bare: UnixServer) -> None:
    """
    Path and query are quoted, and a parameter that is None is left out.
    """
    bare.answers["GET /runs/a b"] = {"ok": 1}

    assert Client(str(bare.path)).get(f"/runs/{quote('a b')}", of="ä@1 &=", none=None, n=3) == {"ok": 1}
    assert bare.requests == [("GET", "/runs/a b", {"of": "ä@1 &=", "n": "3"}, None)]


def test_a_body_reaches_the_daemon(bare: UnixServer) -> None:
    """
    POST sends JSON; without a body an empty object.
    """
    bare.answers["POST /x"] = {"ok": 1}
    client = Client(str(bare.path))
    client.post("/x", {"name": "ä"})
    client.post("/x")

    assert [request[3] for request in bare.requests] == [{"name": "ä"}, {}]


@pytest.mark.parametrize(
    "kind",
    [errors.ConfigError, errors.UsageError, errors.NotFound, errors.Ambiguous, errors.StaleRun, errors.StoreError],
)
def test_an_error_comes_back_as_what_it_was(bare: UnixServer, kind: type[errors.OrchdError]) -> None:
    """
    The code of the answer names the class, the message is the daemon's.
    """
    bare.answers["GET /x"] = (kind.http_status, {"error": {"code": kind.code, "message": "it is so", "field": None}})
    with pytest.raises(kind, match=r"^it is so$") as caught:
        Client(str(bare.path)).get("/x")

    assert type(caught.value) is kind


def test_an_unknown_error_is_ours(bare: UnixServer) -> None:
    """
    A code of a newer daemon is shown as an internal error, with its message.
    """
    bare.answers["GET /x"] = (418, {"error": {"code": "teapot", "message": "short and stout"}})
    with pytest.raises(errors.InternalError, match="short and stout"):
        Client(str(bare.path)).get("/x")


def test_a_daemon_that_hangs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It listens and says nothing: its process id tells whom to look at.
    """
    monkeypatch.setattr("orchd.client.ANSWER_S", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        with pytest.raises(errors.NotRunning, match=rf"the daemon \(pid {os.getpid()}\) at .* does not answer"):
            Client(str(tmp_path / "s")).get("/status")


def test_no_socket_means_no_daemon(tmp_path: Path) -> None:
    """
    The sentence names the path and how to start one.
    """
    with pytest.raises(errors.NotRunning, match=rf"no daemon answers at {tmp_path}/s; start one with `orchd serve`"):
        Client(str(tmp_path / "s")).get("/status")


def test_a_socket_that_nobody_listens_on_means_no_daemon(bare: UnixServer) -> None:
    """
    A socket file left behind by kill -9 is the same as none.
    """
    leftover = bare.path.with_name("left")
    leftover.hardlink_to(bare.path)
    bare.stop()

    with pytest.raises(errors.NotRunning):
        Client(str(leftover)).get("/status")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", errors.NotRunning),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", errors.NotRunning),
        (b"HTTP/1.1 500 X\r\n\r\nInternal Server Error", errors.NotRunning),
        (b"SSH-2.0-OpenSSH\r\n\r\n", errors.StateError),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", errors.StateError),
    ],
)
def test_what_is_no_answer_is_told(bare: UnixServer, answer: bytes, kind: type[errors.OrchdError]) -> None:
    """
    An answer that is cut off means a daemon that ended; one that is no JSON means another program.
    """
    bare.answers["GET /x"] = answer
    with pytest.raises(kind):
        Client(str(bare.path)).get("/x")


def test_an_answer_in_chunks_is_joined(bare: UnixServer) -> None:
    """
    A server may answer in chunks.
    """
    bare.answers["GET /x"] = (
        b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n": 1\r\n1\r\n}\r\n0\r\n\r\n'
    )

    assert Client(str(bare.path)).get("/x") == {"a": 1}


def test_a_question_waits_through_a_restart(bare: UnixServer) -> None:
    """
    While the daemon is away the client tries again, and says so once.
    """
    bare.answers["GET /x"] = {"ok": 1}
    bare.stop()
    away = threading.Event()
    waits: list[int] = []

    def waiting() -> None:
        waits.append(1)
        away.set()

    starter = threading.Thread(target=lambda: away.wait(10) and bare.start())
    starter.start()

    assert Client(str(bare.path), retry_for_s=20, on_wait=waiting).get("/x") == {"ok": 1}
    starter.join()
    assert waits == [1]


def test_a_request_that_was_sent_is_not_sent_again(bare: UnixServer) -> None:
    """
    A POST whose answer was lost may have done its work: that is told, not repeated.
    """
    bare.answers["POST /x"] = b""
    with pytest.raises(errors.NotRunning, match="ended before it answered"):
        Client(str(bare.path), retry_for_s=20).post("/x")

    assert len(bare.requests) == 1
