"""
Live pages: how many there may be, and that each ends with the login that opened it.
"""

import contextlib
import select
from collections.abc import Iterator

import pytest

from page.conftest import PAGE
from page.visiting import Stream, Visitor, neighbour, stranger, visitor
from support.daemon import Daemon
from support.waiting import eventually

#: Live pages of one login, and of all; requests of one login. Source: web/pages/live.py, web/gate.py.
EACH, ALL, AT_ONCE = 32, 128, 64


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    A daemon with a flow that ends at once, and one that says nothing until the test ends.
    """
    made = Daemon(tmp_path_factory.mktemp("streams"))
    made.flow(
        "flows.py",
        """
        import signal
        from orchd import Flow, task

        @task
        def nothing():
            pass

        @task
        def wait():
            signal.pause()

        with Flow("greet") as greet:
            nothing()

        with Flow("silent") as silent:
            wait()
        """,
    )
    made.configure(daemon=PAGE)
    made.start()
    yield made
    made.close()


@pytest.fixture
def opened() -> Iterator[contextlib.ExitStack]:
    """
    Closes what was opened.
    """
    with contextlib.ExitStack() as opened:
        yield opened


def script(daemon: Daemon, name: str) -> Visitor:
    """
    Return somebody with a new token.
    """
    made = stranger(daemon)
    made.token = daemon.client.post("/tokens", {"name": name, "read_only": True})["token"]
    return made


def fill(opened: contextlib.ExitStack, who: Visitor) -> None:
    """
    Open as many live pages as *who* may have; those of the test before may take a moment to end.
    """
    for _ in range(EACH):
        eventually(lambda: open_one(opened, who), what="there is room")


def open_one(opened: contextlib.ExitStack, who: Visitor) -> bool:
    """
    Open one more live page, and tell whether that was allowed.
    """
    stream = opened.enter_context(Stream(who, "/live"))
    assert stream.status() in (200, 429)
    return stream.status() == 200


def test_one_login_takes_nothing_from_another(daemon: Daemon, alice: Visitor, opened: contextlib.ExitStack) -> None:
    """
    Whoever has 32 live pages gets no more; another session of the same person, a token and the Unix socket do.
    """
    fill(opened, alice)

    assert not open_one(opened, alice)
    assert open_one(opened, visitor(daemon))
    assert open_one(opened, script(daemon, "beside"))
    assert open_one(opened, neighbour(daemon))


def test_a_user_of_the_socket_is_bounded_too(daemon: Daemon, opened: contextlib.ExitStack) -> None:
    """
    32 live pages of one uid, and no more.
    """
    fill(opened, neighbour(daemon))

    assert not open_one(opened, neighbour(daemon))


def test_a_token_that_is_greedy_is_told_so(daemon: Daemon, opened: contextlib.ExitStack) -> None:
    """
    The sentence says how many there may be, and there is room again as soon as one is closed.
    """
    greedy = script(daemon, "greedy")
    with contextlib.ExitStack() as first:
        fill(first, greedy)
        refused = greedy.ask("GET", "/live")
        assert refused.status == 429
        assert "32 live pages of this login are open already: close some" in refused.text

    assert eventually(lambda: open_one(opened, greedy), what="there is room again")


def test_all_together_are_bounded(daemon: Daemon, opened: contextlib.ExitStack) -> None:
    """
    At 128 even a new login gets none, and everything else is still answered.
    """
    for number in range(ALL // EACH):
        fill(opened, script(daemon, f"crowd-{number}"))
    late = script(daemon, "late")

    refused = late.get("/live")
    assert refused.status == 429
    assert "128 live pages of all logins are open already: close some" in refused.text
    assert late.get("/api/v1/status").status == 200


def test_one_login_takes_no_connections_from_another(daemon: Daemon, opened: contextlib.ExitStack) -> None:
    """
    Whoever has 64 requests under way is refused a 65th, in the one shape, and somebody else is answered.
    """
    slow = script(daemon, "slow")
    newest = daemon.client.get("/runs")["runs"]
    path = f"/api/v1/runs?wait_s=30&after={newest[0]['number'] if newest else 0}"
    asked: list[Stream] = []

    def refused() -> list[Stream]:
        asked.append(opened.enter_context(Stream(slow, path)))
        return select.select(asked, [], [], 0)[0]

    first = eventually(refused, what="one is refused")[0]
    assert first.status() == 429
    first.hear(b"64 requests of this login are under way already; wait for one of them")
    assert len(asked) > AT_ONCE
    assert script(daemon, "quick").get("/api/v1/status").status == 200
    daemon.begin("greet")
    got = [each.status() for each in asked]
    assert (got.count(200), set(got)) == (AT_ONCE, {200, 429})
    assert eventually(lambda: slow.get("/api/v1/status").status == 200, what="there is room again")


def test_streams_that_come_at_once_are_counted(daemon: Daemon, alice: Visitor, opened: contextlib.ExitStack) -> None:
    """
    None slips in while another one is still being answered.
    """
    asked = [opened.enter_context(Stream(alice, "/live")) for _ in range(60)]
    got = [each.status() for each in asked]

    assert set(got) == {200, 429}
    assert got.count(200) <= EACH


@pytest.mark.parametrize("kind", ["session", "token"])
@pytest.mark.parametrize("page", ["everything", "run", "log"])
def test_a_stream_ends_with_its_login(daemon: Daemon, kind: str, page: str) -> None:
    """
    Whoever logs out, or whose token is revoked, hears no more of what goes on: also on the page of a run that is
    silent, while others are not, and of its log in the API.
    """
    run = daemon.begin("silent")
    eventually(lambda: daemon.run(run)["state"] == "running", what="it runs")
    name = f"ends-{page}"
    who = visitor(daemon) if kind == "session" else script(daemon, name)
    paths = {"everything": "/live", "run": f"/runs/{run}/live", "log": f"/api/v1/runs/{run}/logs/stream"}
    with Stream(who, paths[page]) as stream:
        stream.hear(b"event: state" if page == "log" else b"event: change")
        if kind == "session":
            assert who.post_form("/logout").status == 200
        else:
            daemon.client.post(f"/tokens/{name}/revoke", {})

        eventually(lambda: daemon.begin("greet") and stream.is_over(), within_s=12, what="the stream ends")
    daemon.client.post(f"/runs/{run}/cancel", {})
