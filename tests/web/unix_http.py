"""
HTTP as the tests speak it: over a Unix socket, and as a stream of events.
"""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def events(answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """
    Give the server-sent events of *answer* as they come: ``event``, ``id`` and ``data``.
    """
    event: dict[str, Any] = {}
    for line in answer:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name in ("event", "id", "data"):
            event[name] = json.loads(value) if name == "data" else value
        elif not name and "event" in event:
            yield event
            event = {}


class UnixConnection(http.client.HTTPConnection):
    """
    HTTP over a Unix socket.
    """

    def __init__(self, path: Path) -> None:
        """
        Connect to the socket at *path* when it is asked for something.
        """
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        """
        Connect to the socket's path.
        """
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))
