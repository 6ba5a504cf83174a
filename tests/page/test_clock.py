"""
The wall clock is set while people are logged in: a link lives ten minutes and a session thirty days of its time.
"""

from collections.abc import Iterator

import pytest

from page.conftest import PAGE
from page.visiting import Stream, Visitor, link, stranger, visitor
from support.clockshim import ClockShim
from support.daemon import Daemon
from support.waiting import eventually

MINUTE, DAY = 60, 24 * 3600
_2098 = 72 * 365 * DAY


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> ClockShim:
    """
    The clock of the daemon.
    """
    return ClockShim(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shim: ClockShim) -> Iterator[Daemon]:
    """
    A daemon whose clock can be set.
    """
    made = Daemon(tmp_path_factory.mktemp("clock"), env=shim.env())
    made.configure(daemon=PAGE)
    made.start()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def clock(shim: ClockShim) -> Iterator[ClockShim]:
    """
    A clock that is right at first, and at the end.
    """
    yield shim
    shim.set(0)


def script(daemon: Daemon, name: str) -> Visitor:
    """
    Return somebody with a new token.
    """
    made = stranger(daemon)
    made.token = daemon.client.post("/tokens", {"name": name})["token"]
    return made


def is_in(who: Visitor) -> bool:
    """
    Tell whether somebody is let in. Who is not may be one too many in this second.
    """
    status = who.get("/api/v1/status").status
    assert status in (200, 401, 429)
    return status == 200


def opens(url: str) -> bool:
    """
    Tell whether a link logs in.
    """
    return Visitor(address=url.partition("/login")[0]).log_in(url).status == 303


def test_a_session_ends_after_thirty_days(daemon: Daemon, clock: ClockShim) -> None:
    """
    A token does not.
    """
    alice, ci = visitor(daemon), script(daemon, "ci")
    clock.set(29 * DAY)
    assert is_in(alice)
    clock.set(31 * DAY)

    assert not is_in(alice)
    assert is_in(ci)


def test_a_stream_ends_with_its_session(daemon: Daemon, clock: ClockShim) -> None:
    """
    At the next thing that happens, which may be that the clock was set.
    """
    with Stream(visitor(daemon), "/live") as stream:
        stream.hear(b"event: change")
        clock.set(31 * DAY)

        def is_over() -> bool:
            daemon.client.post("/projects", {"name": "again"})
            return stream.is_over()

        eventually(is_over, within_s=12, what="the stream ends")


def test_a_link_ends_after_ten_minutes(daemon: Daemon, clock: ClockShim) -> None:
    """
    The page that it leads to says so.
    """
    url = link(daemon)
    clock.set(11 * MINUTE)
    answer = stranger(daemon).log_in(url)

    assert answer.status == 403
    assert "used, over or wrong" in answer.text


@pytest.mark.parametrize("seconds", [-5 * MINUTE, -DAY, DAY])
def test_what_was_used_up_stays_used_up(daemon: Daemon, clock: ClockShim, seconds: int) -> None:
    """
    Neither a used link, nor a revoked token, nor a session that has logged out comes back with the clock.
    """
    url = link(daemon)
    assert opens(url)
    bob, gone = visitor(daemon), script(daemon, "gone")
    assert bob.post_form("/logout").status == 200
    daemon.client.post("/tokens/gone/revoke", {})
    clock.set(seconds)

    assert not opens(url)
    assert not is_in(gone)
    assert not is_in(bob)


def test_what_a_wrong_clock_gave_out_ends_with_it(daemon: Daemon, clock: ClockShim) -> None:
    """
    A session and a link of the year 2098 would outlive everybody: they are good for nothing in our time.
    """
    clock.set(_2098)
    eve, url = visitor(daemon), link(daemon)
    clock.set(0)

    assert not is_in(eve)
    assert not opens(url)


def test_a_clock_that_is_set_right_logs_nobody_out(daemon: Daemon, clock: ClockShim) -> None:
    """
    By five minutes back or forward, as time servers do.
    """
    alice = visitor(daemon)
    for seconds in (-5 * MINUTE, 5 * MINUTE):
        clock.set(seconds)
        assert is_in(alice)


def test_a_clock_that_was_wrong_for_a_while_takes_nothing(daemon: Daemon, clock: ClockShim) -> None:
    """
    Session and unused link are what they were once it is right again.
    """
    alice, url = visitor(daemon), link(daemon)
    for seconds in (_2098, -_2098 // 3):
        clock.set(seconds)
        assert not is_in(alice)
    clock.set(0)

    assert is_in(alice)
    assert opens(url)


def test_what_expired_is_forgotten_when_something_new_is_given_out(daemon: Daemon, clock: ClockShim) -> None:
    """
    Then nothing brings it back: the clock was believed.
    """
    alice, url = visitor(daemon), link(daemon)
    clock.set(_2098)
    link(daemon)
    clock.set(0)

    assert not is_in(alice)
    assert not opens(url)
