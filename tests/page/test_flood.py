"""
Everything at once that a client may try to keep the daemon busy: threat T14. Whether it is up is still told, who is
in is answered, and runs start on time.
"""

import contextlib
import gzip
import os
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from page.conftest import PAGE
from page.visiting import Visitor, link, stranger, visitor
from support.checker import check
from support.daemon import Daemon
from support.evidence import TICKER
from support.waiting import eventually

EVERY_US = 1_000_000
#: How often each kind of request is made, by each of those who make it.
ROUNDS = 10
#: More than the daemon bears, and more growth than it may need for them. Source: reliability.md, T14.
SILENT, MOST_GROWTH = 400, 50 << 20
JSON = {"Content-Type": "application/json"}
NESTED = b"[" * (1 << 20)
#: 64 MiB once it is unpacked.
BOMB = gzip.compress(b'{"flow": "ticker"}' + b" " * (64 << 20))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """
    A daemon that ticks each second.
    """
    made = Daemon(tmp_path / "home")
    made.flow("ticker.py", TICKER)
    made.configure("[schedules.tick]\nflow = 'ticker'\nevery = '1s'\noverlap = 'allow'\n", daemon=PAGE)
    made.start()
    yield made
    made.close()


def memory(daemon: Daemon) -> int:
    """
    Return the bytes that the daemon's own process holds.
    """
    assert daemon.process is not None
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def descriptors(daemon: Daemon) -> int:
    """
    Return how many files and connections the daemon's own process has open.
    """
    assert daemon.process is not None
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def kinds(who: Visitor) -> list[Callable[[], int]]:
    """
    Return what each one tries: each gives a status.
    """
    said = JSON | {"Origin": who.address, "X-Orchd-Form-Key": who.form_key}
    nobody = Visitor(address=who.address)
    return [
        lambda: who.ask("POST", "/api/v1/runs", NESTED[:-1], headers=said).status,
        lambda: who.ask("POST", "/api/v1/runs", BOMB, headers=said | {"Content-Encoding": "gzip"}).status,
        lambda: who.get("/api/v1/runs?limit=1000000").status,
        lambda: who.get("/api/v1/next?n=1000000").status,
        lambda: who.get(f"/runs?parameter={'%25_' * 50}").status,
        lambda: who.post_form("/flows/ticker/run", [(f"p.{number}", "x") for number in range(5000)]).status,
        lambda: nobody.get(f"/{'x' * 15_000}").status,
        lambda: nobody.ask("POST", "/login", b"key=" + b"x" * (1 << 20), headers={"Origin": who.address}).status,
    ]


def flood(who: Visitor) -> set[int]:
    """
    Try all of it, again and again, and return the statuses.
    """
    return {ask() for _ in range(ROUNDS) for ask in kinds(who)}


def say_nothing(who: Visitor, opened: contextlib.ExitStack) -> None:
    """
    Begin many requests, and end none.
    """
    for _ in range(SILENT):
        made: socket.socket = opened.enter_context(who.connect())
        with contextlib.suppress(OSError):
            made.sendall(b"GET / HTTP/1.1\r\nHost: ")


def test_a_flood_is_borne(daemon: Daemon) -> None:
    """
    Slow heads, nested JSON, packed bodies, endless pages, searches, forms and logins from several at once: health and
    a page are answered all the while, no more connections are held than there may be, memory stays, every fire time
    starts its run on time.
    """
    alice, url = visitor(daemon), link(daemon)
    eventually(lambda: daemon.slots("tick"), what="it ticks")
    people = [visitor(daemon) for _ in range(3)]
    before = memory(daemon)
    answered = 0
    with contextlib.ExitStack() as opened, ThreadPoolExecutor(3) as pool:
        say_nothing(stranger(daemon), opened)
        assert descriptors(daemon) < SILENT
        floods = [pool.submit(flood, each) for each in people]
        while not all(each.done() for each in floods):
            assert alice.get("/health").status == 200
            assert alice.get("/runs").status == 200
            answered += 1
        assert {status for each in floods for status in each.result()} <= {200, 400, 401, 403, 413, 422, 429}
    assert answered > 1
    assert memory(daemon) - before < MOST_GROWTH
    assert stranger(daemon).log_in(url).status == 303
    daemon.configure(daemon=PAGE)
    assert daemon.client.post("/reload")["ok"]
    check(daemon, every_us=EVERY_US, on_time=True)
