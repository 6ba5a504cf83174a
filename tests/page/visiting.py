"""
Somebody who comes to the page over TCP: with any headers, over real connections.
"""

import http.client
import json
import re
import select
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from support.daemon import ORCHD, Daemon

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """
    What came back.
    """

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """
        The body as JSON.
        """
        return json.loads(self.text)


@dataclass(kw_only=True)
class Visitor:
    """
    A browser without a screen, or a script: keeps its cookie or its token, and reads no page of others.
    """

    address: str
    #: Where a Unix socket is asked, and not the address.
    unix: Path | None = None
    cookie: str | None = None
    token: str | None = None
    form_key: str = ""
    #: Sent with each request beside what is needed.
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """
        Host and port of the page.
        """
        return urlsplit(self.address).netloc

    def connect(self) -> socket.socket:
        """
        Open a connection.
        """
        if self.unix is None:
            name, _, port = self.host.rpartition(":")
            return socket.create_connection((name.strip("[]"), int(port)), timeout=30)

        made = socket.socket(socket.AF_UNIX)
        made.settimeout(30)
        made.connect(str(self.unix))
        return made

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """
        Send one request as it stands, and return the answer; redirects are not followed.
        """
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.sock = self.connect()
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in (self.sent() | {"Host": self.host} | dict(headers or {})).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            text = answer.read().decode()
            return Answer(status=answer.status, headers={n.lower(): v for n, v in answer.getheaders()}, text=text)
        finally:
            connection.close()

    def sent(self) -> dict[str, str]:
        """
        Return the headers that tell who asks.
        """
        found = dict(self.headers)
        if self.cookie is not None:
            found["Cookie"] = self.cookie
        if self.token is not None:
            found["Authorization"] = f"Bearer {self.token}"
        return found

    def get(self, path: str) -> Answer:
        """
        Ask for a page.
        """
        return self.ask("GET", path)

    def post_form(self, path: str, fields: Sequence[tuple[str, str]] = (), *, origin: str | None = None) -> Answer:
        """
        Send a form of one of our own pages.
        """
        body = urlencode([("form_key", self.form_key), *fields]).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin or self.address}
        return self.ask("POST", path, body, headers=headers)

    def post_json(self, path: str, body: object, *, headers: Mapping[str, str] | None = None) -> Answer:
        """
        Send JSON, as the script of one of our own pages does.
        """
        said = {"Content-Type": "application/json", "Origin": self.address, "X-Orchd-Form-Key": self.form_key}
        return self.ask("POST", path, json.dumps(body).encode(), headers=said | dict(headers or {}))

    def log_in(self, link: str) -> Answer:
        """
        Open *link*, click, and keep the cookie.
        """
        parts = urlsplit(link)
        shown = self.get(f"{parts.path}?{parts.query}")
        found = re.search(r'name="key" value="([^"]+)"', shown.text)
        assert found, shown.text
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.address}
        answer = self.ask("POST", "/login", urlencode({"key": found[1]}).encode(), headers=headers)
        if answer.status == 303:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
            key = re.search(r'data-form-key="([0-9a-f]+)"', self.get("/").text)
            assert key
            self.form_key = key[1]
        return answer


class Stream:
    """
    The connection of a live page, open until the test closes it or the daemon ends it.
    """

    def __init__(self, who: Visitor, path: str) -> None:
        """
        Ask for *path*.
        """
        self._made = who.connect()
        headers = "".join(f"{name}: {value}\r\n" for name, value in (who.sent() | {"Host": who.host}).items())
        self._made.sendall(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
        self.heard = b""

    def __enter__(self) -> "Stream":
        """
        Close it at the end.
        """
        return self

    def __exit__(self, *_: object) -> None:
        """
        Close it.
        """
        self._made.close()

    def fileno(self) -> int:
        """
        Return what ``select`` asks for.
        """
        return self._made.fileno()

    def status(self) -> int:
        """
        Wait for the head of the answer, and return its status.
        """
        while b"\r\n\r\n" not in self.heard:
            self._hear()
        return int(self.heard.split()[1])

    def hear(self, words: bytes) -> None:
        """
        Return once *words* were said.
        """
        while words not in self.heard:
            self._hear()

    def is_over(self, *, wait_s: float = 0) -> bool:
        """
        Tell whether the daemon has ended it, or does so within *wait_s* seconds.
        """
        while not self.heard.endswith(b"\r\n0\r\n\r\n"):
            if not select.select([self._made], [], [], wait_s)[0]:
                return False
            self._hear()
        return True

    def _hear(self) -> None:
        got = self._made.recv(100_000)
        assert got, self.heard
        self.heard += got


def link(daemon: Daemon, *words: str) -> str:
    """
    Return what ``orchd open`` gives, alone on the last line.
    """
    done = subprocess.run(
        [ORCHD, "open", *words], env=daemon.env, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.split()[-1]


def visitor(daemon: Daemon, *words: str) -> Visitor:
    """
    Return somebody who has logged in by a link of ``orchd open *words*``.
    """
    url = link(daemon, *words)
    made = Visitor(address=url.partition("/login")[0])
    assert made.log_in(url).status == 303
    return made


def stranger(daemon: Daemon) -> Visitor:
    """
    Return somebody who has not logged in.
    """
    return Visitor(address=link(daemon).partition("/login")[0])


def neighbour(daemon: Daemon) -> Visitor:
    """
    Return somebody at the Unix socket.
    """
    return Visitor(address="http://localhost", unix=daemon.socket)
