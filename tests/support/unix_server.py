"""
A small real HTTP server on a Unix socket, which gives the answers that a test has laid ready.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit

#: A request as the server saw it: method, path below ``/api/v1``, query, body.
Request = tuple[str, str, dict[str, str], Any]
Answer = dict[str, Any] | tuple[int, dict[str, Any]] | bytes
Handler = Callable[[dict[str, str], Any], Answer]


class UnixServer:
    """
    Answers ``METHOD /path`` from :attr:`answers`; a callable there is asked each time with query and body.
    """

    def __init__(self, path: Path) -> None:
        """
        Serve on *path* once started.
        """
        self.path = path
        self.answers: dict[str, Answer | Handler] = {}
        self.requests: list[Request] = []
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """
        Listen; returns once connections are taken.
        """
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._begin(self._accept, self._listener)

    def stop(self) -> None:
        """
        End as a daemon does: the socket is gone, open connections are cut.
        """
        if self._listener is None:
            return

        listener, self._listener = self._listener, None
        self.path.unlink()
        listener.shutdown(socket.SHUT_RDWR)
        self._threads.pop(0).join(10)
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._threads.clear()

    def _begin(self, target: Callable[[socket.socket], None], connection: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(connection,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with listener, contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with self._lock:
                    self._open.add(connection)
                self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        # The client may be ended by its test at any moment.
        with contextlib.suppress(OSError, ValueError), connection.makefile("rb") as lines:
            connection.sendall(self._answer(lines))
        with self._lock:
            self._open.discard(connection)
            connection.close()

    def _answer(self, lines: BinaryIO) -> bytes:
        method, target, _ = lines.readline().decode().split(" ")
        length = 0
        while (field := lines.readline().strip().lower()) != b"":
            if field.startswith(b"content-length:"):
                length = int(field.partition(b":")[2])
        body = json.loads(lines.read(length)) if length else None
        url = urlsplit(target)
        path, query = unquote(url.path).removeprefix("/api/v1"), dict(parse_qsl(url.query))
        self.requests.append((method, path, query, body))
        found = self.answers.get(f"{method} {path}", _missing(path))
        answer = found(query, body) if callable(found) else found
        return answer if isinstance(answer, bytes) else _encoded(answer)


def _missing(path: str) -> Answer:
    return 404, {"error": {"code": "not_found", "message": f"there is no {path}", "field": None}}


def _encoded(answer: dict[str, Any] | tuple[int, dict[str, Any]]) -> bytes:
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
    return head.encode() + text
