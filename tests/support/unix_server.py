"""
A small real HTTP server on a Unix socket, which gives the answers that a test has laid ready.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
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
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def start(self) -> None:
        """
        Listen; returns once connections are taken.
        """
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """
        End as a daemon does: the socket is gone, open connections are cut.
        """
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(10)
            self._loop = None

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        server = await asyncio.start_unix_server(self._connected, self.path)
        ready.set()
        await self._ended.wait()
        server.close()
        # Also a connection that is being taken at this moment: one left open would keep its client waiting.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for writer in self._open:
                writer.transport.abort()
            await asyncio.wait(others, timeout=0.1)
        self.path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            writer.write(await self._answer(reader))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client was ended by its test.
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._open.discard(writer)

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *fields = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        lengths = [int(field.partition(":")[2]) for field in fields if field.lower().startswith("content-length:")]
        body = json.loads(await reader.readexactly(lengths[0])) if lengths else None
        url = urlsplit(target)
        path, query = unquote(url.path).removeprefix("/api/v1"), dict(parse_qsl(url.query))
        self.requests.append((method, path, query, body))
        found = self.answers.get(f"{method} {path}", _missing(path))
        answer = await asyncio.to_thread(found, query, body) if callable(found) else found
        return answer if isinstance(answer, bytes) else _encoded(answer)


def _missing(path: str) -> Answer:
    return 404, {"error": {"code": "not_found", "message": f"there is no {path}", "field": None}}


def _encoded(answer: dict[str, Any] | tuple[int, dict[str, Any]]) -> bytes:
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
    return head.encode() + text
