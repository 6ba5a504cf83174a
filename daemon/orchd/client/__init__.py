"""
Talks to the daemon over its Unix socket, with nothing but ``socket`` and ``json``: it has to be there at once.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from collections.abc import Callable

from orchd import errors

TYPE_CHECKING = False  # `typing` itself costs as much as all of this
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

#: Seconds that an answer may take beyond ``wait_s``, and those that something to be done may: flow files are read.
ANSWER_S = 10.0
PATIENCE_S = 60.0
#: Pauses between two tries while the daemon is away, in seconds.
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0

_BASE = "/api/v1"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Client:
    """
    One daemon, by its socket. Each request has a connection of its own, so that nothing is kept over a restart.
    """

    def __init__(
        self,
        path: str,
        *,
        retry_for_s: float = 0.0,
        on_wait: Callable[[], None] | None = None,
        serve: str = "orchd serve",
    ) -> None:
        """
        Name the daemon's socket; nothing is opened yet.

        Args:
            path: of the Unix socket.

            retry_for_s: how long to wait for a daemon that is away (it may be restarting) before giving up.

            on_wait: called once each time that waiting begins.

            serve: the command that starts this daemon, for the sentence that says that it is away.
        """
        self.path = path
        self.retry_for_s = retry_for_s
        self.on_wait = on_wait
        self._serve = serve

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """
        Return the answer to ``GET /api/v1{path}``; a parameter that is None is left out.

        Raises:
            NotRunning: no daemon answers.

            OrchdError: the one that the daemon answered with.
        """
        asked = "&".join(f"{key}={quote(str(value))}" for key, value in query.items() if value is not None)
        wait_s = query.get("wait_s")
        limit_s = ANSWER_S + (wait_s if isinstance(wait_s, int | float) else 0)
        request = _request("GET", f"{_BASE}{path}{'?' if asked else ''}{asked}", b"")
        return self._retrying(lambda: _exchange(self._connect(limit_s), request, self.path))

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """
        Return the answer to ``POST /api/v1{path}``. Once sent it is never sent again.

        Raises:
            NotRunning: no daemon answers.

            OrchdError: the one that the daemon answered with.
        """
        request = _request("POST", _BASE + path, json.dumps(body or {}).encode())
        connection = self._retrying(lambda: self._connect(PATIENCE_S))
        return _exchange(connection, request, self.path)

    def _retrying(self, ask: Callable[[], T]) -> T:
        left, pause = self.retry_for_s, _FIRST_PAUSE_S
        while True:
            try:
                return ask()
            except errors.NotRunning:
                if left <= 0:
                    raise

                if pause == _FIRST_PAUSE_S and self.on_wait:
                    self.on_wait()
            select.select((), (), (), pause)
            left, pause = left - pause, min(pause * 2, _LONGEST_PAUSE_S)

    def _connect(self, limit_s: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(limit_s)
        try:
            connection.connect(self.path)
        except PermissionError as error:
            connection.close()
            raise errors.StateError(
                f"you may not use the socket {self.path}; join its group, or write sudo before the command"
            ) from error
        except OSError as error:
            connection.close()
            raise errors.NotRunning(
                f"no daemon answers at {self.path}; start one with `{self._serve}`, or name its socket with --socket"
            ) from error

        return connection


def every(get: Callable[..., dict[str, Any]], path: str, *, after: str | None = None) -> list[dict[str, Any]]:
    """
    Return all rows of the list at *path*, which the API gives page by page, by asking *get* as often as it takes.

    Args:
        after: ``next`` of what is known already.
    """
    noun = path.rpartition("/")[2]
    found: list[dict[str, Any]] = []
    while True:
        page = get(path, after=after)
        found += page[noun]
        after = page.get("next")
        if after is None:
            return found


def quote(text: str) -> str:
    """
    Return *text* as it may stand in a path or a query.
    """
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())


def _request(method: str, target: str, body: bytes) -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: application/json\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def _exchange(connection: socket.socket, request: bytes, path: str) -> dict[str, Any]:
    pid = _listener(connection)
    try:
        with connection:
            connection.sendall(request)
            answer = bytearray()
            while chunk := connection.recv(1 << 18):
                answer += chunk
    except TimeoutError as error:
        raise errors.NotRunning(f"the daemon{pid} at {path} does not answer; look at its log") from error
    except OSError as error:
        raise errors.NotRunning(f"the daemon at {path} ended before it answered") from error

    head, _, body = answer.partition(b"\r\n\r\n")
    status, fields = _parse_head(bytes(head), path)
    if fields.get("transfer-encoding") == "chunked":
        body = _joined(body)
    if len(body) < int(fields.get("content-length", 0)):
        raise errors.NotRunning(f"the daemon at {path} ended in the middle of its answer")

    return _judge(status, bytes(body), path)


def _listener(connection: socket.socket) -> str:
    # Source: ``struct ucred`` of unix(7) begins with the pid, an int of 4 bytes, of whoever called listen().
    pid = int.from_bytes(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], sys.byteorder)
    return f" (pid {pid})" if pid else ""


def _parse_head(head: bytes, path: str) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    if not head:
        raise errors.NotRunning(f"the daemon at {path} ended before it answered")

    if not first.startswith("HTTP/1."):
        raise errors.StateError(f"what listens at {path} is not orchd; name another socket with --socket")

    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


def _joined(body: bytearray) -> bytearray:
    whole = bytearray()
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole += rest[:length]
        body = rest[length + 2 :] if length else bytearray()
    return whole


def _judge(status: int, body: bytes, path: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError as error:
        if status >= 500:
            # What a server says of a question that it was asked while it ended.
            raise errors.NotRunning(f"the daemon at {path} ended before it answered") from error

        raise errors.StateError(f"what listens at {path} answered {status} without JSON; is it orchd?") from error

    if status < 400:
        return dict(answer)

    told = answer.get("error") or {}
    kind = _kinds().get(told.get("code", ""), errors.InternalError)
    raise kind(told.get("message") or f"the daemon at {path} answered {status}")


def _kinds() -> dict[str, type[errors.OrchdError]]:
    found: dict[str, type[errors.OrchdError]] = {}
    waiting = [errors.OrchdError]
    while waiting:
        kind = waiting.pop()
        found.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    return found
