"""
The run store is away, so nobody can be known: who asks is told so in a sentence, and nothing is let in.
"""

import contextlib
import fcntl
import re
import select
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from page.conftest import PAGE
from page.visiting import Answer, Stream, Visitor, link, stranger, visitor
from support.daemon import Daemon
from support.evidence import TICKER
from support.postgres import Cluster
from support.waiting import eventually

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#: Bytes of SQLite's ``-shm`` file that a reader locks. Source: its "WAL-mode File Format", 2.3.
READ_LOCKS = (123, 5)


def post_key(who: Visitor, url: str) -> Answer:
    """
    Click on the button of the link *url*.
    """
    return who.ask("POST", "/login", urlsplit(url).query.encode(), headers=FORM | {"Origin": who.address})


@dataclass(kw_only=True)
class Away:
    """
    A daemon whose Postgres is gone, and people who came before.
    """

    daemon: Daemon
    alice: Visitor
    script: Visitor
    stream: Stream
    link: str


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> Iterator[Away]:
    """
    Postgres is stopped while the tests of this file run.
    """
    daemon = Daemon(tmp_path_factory.mktemp("away"), store=postgres.new_database())
    daemon.flow("ticker.py", TICKER)
    daemon.configure("[schedules.tick]\nflow = 'ticker'\nevery = '0.5s'\n", daemon=PAGE)
    daemon.start()
    alice, script = visitor(daemon), stranger(daemon)
    script.token = daemon.client.post("/tokens", {"name": "script"})["token"]
    with Stream(alice, "/live") as stream:
        stream.hear(b"event: change")
        made = Away(daemon=daemon, alice=alice, script=script, stream=stream, link=link(daemon))
        postgres.stop("immediate")
        try:
            yield made
        finally:
            postgres.start()
            daemon.close()


@pytest.mark.parametrize("path", ["/", "/runs/x", "/live", "/nowhere"])
def test_a_page_says_it_to_a_person(away: Away, path: str) -> None:
    """
    503, one sentence in the style of the door, the policy for browsers, and nothing of the store.
    """
    answer = away.alice.get(path)

    assert answer.status == 503
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    said = re.findall(r'<p role="alert">([^<]+)</p>', answer.text)
    assert said == ["Logins cannot be looked up, as the run store is away; `orchd status` says why; try again soon."]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "postgres" not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/nowhere", "/metrics"])
def test_a_program_is_given_the_one_shape(away: Away, path: str) -> None:
    """
    503 and the JSON of every error, with the policy for browsers.
    """
    answer = away.script.get(path)

    assert answer.status == 503
    assert answer.json["error"]["code"] == "store_error"
    assert "run store is away" in answer.json["error"]["message"]
    assert answer.json["error"]["field"] is None
    assert answer.headers["cache-control"] == "no-store"


def test_a_change_is_not_done(away: Away) -> None:
    """
    Neither by a form nor by JSON.
    """
    assert away.alice.post_form("/logout").status == 503
    assert away.script.post_json("/api/v1/runs", {"flow": "x"}).json["error"]["code"] == "store_error"


def test_the_door_keeps_the_link(away: Away) -> None:
    """
    A link cannot be looked up now: the page says so, and its button is there to try again.
    """
    answer = post_key(stranger_at(away), away.link)

    assert answer.status == 503
    assert "run store is away" in answer.text
    assert urlsplit(away.link).query.removeprefix("key=") in answer.text


def stranger_at(away: Away) -> Visitor:
    """
    Return somebody who has not logged in.
    """
    return Visitor(address=away.alice.address)


def test_a_stranger_is_refused_as_ever(away: Away) -> None:
    """
    Who brings nothing needs no looking up.
    """
    assert stranger_at(away).get("/").status == 401
    assert stranger_at(away).get("/login").status == 200


def test_health_says_that_it_is_not_up(away: Away) -> None:
    """
    Also to a stranger, and no more than that.
    """
    answer = eventually(lambda: (got := stranger_at(away).get("/health")).status == 503 and got, what="it notices")
    assert answer.json == {"up": False}


def test_a_stream_ends_without_a_word(away: Away) -> None:
    """
    The browser that asks again is told; the log has no traceback.
    """
    assert away.stream.is_over(wait_s=30)
    assert "Traceback" not in away.daemon.log.read_text()
    assert not away.daemon.events("gate_failed")


def test_all_is_well_when_it_is_back(away: Away, postgres: Cluster) -> None:
    """
    Session, token and link are what they were.
    """
    postgres.start()
    try:
        eventually(lambda: away.alice.get("/").status == 200, what="the session is known again")
        assert away.script.get("/api/v1/status").status == 200
        assert post_key(stranger_at(away), away.link).status == 303
    finally:
        postgres.stop("immediate")


def test_a_login_waits_for_a_store_that_is_locked(daemon: Daemon, nobody: Visitor) -> None:
    """
    A store that can be read and not written lets in who has a session, and keeps the link of who has none.
    """
    alice, url = visitor(daemon), link(daemon)
    with contextlib.closing(sqlite3.connect(daemon.state / "orchd.sqlite3", isolation_level=None)) as holder:
        holder.execute("PRAGMA busy_timeout = 5000")
        holder.execute("BEGIN EXCLUSIVE")
        refused = post_key(nobody, url)
        assert alice.get("/").status == 200
        holder.execute("ROLLBACK")

    assert refused.status == 503
    assert "run store is away" in refused.text
    assert nobody.log_in(url).status == 303


@contextlib.contextmanager
def _unreadable(shm: Path) -> Iterator[None]:
    with shm.open("r+b") as file:
        start, count = READ_LOCKS
        fcntl.lockf(file, fcntl.LOCK_EX, count, start)
        yield


def test_health_answers_while_everybody_waits_for_the_store(daemon: Daemon, alice: Visitor) -> None:
    """
    As many requests as there are threads, all waiting for a store that another process keeps from being read: whether
    the daemon is up is still told, before any of them.
    """
    with contextlib.ExitStack() as opened:
        with _unreadable(daemon.state / "orchd.sqlite3-shm"):
            waiting = [opened.enter_context(Stream(alice, "/api/v1/tokens")) for _ in range(60)]
            assert alice.get("/health").text.startswith('{"up":')
            assert not select.select(waiting, [], [], 0)[0]
        assert {each.status() for each in waiting} <= {403, 503}
