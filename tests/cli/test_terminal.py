"""
What a person sees on a terminal.
"""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.cli.screen import Column
from orchd.cli.terminal import fit
from support.canned import a_detail, a_fire, a_run, a_status, a_task
from support.unix_server import UnixServer

OnTerminal = Callable[..., str]
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def _plain(drawn: str) -> list[str]:
    return _COLOURS.sub("", drawn).replace("\r\n", "\n").splitlines()


def _full_status() -> dict[str, object]:
    long = a_run(7, flow="a-very-long-flow-name-that-somebody-chose-to-write", message="m" * 200, held="h" * 100)
    return a_status(
        running=[long | {"state": "running", "shown": "Running", "ended_at": None, "duration_s": None}],
        held=[long],
        failed=[long | {"state": "crashed", "shown": "Crashed"}],
        next=[a_fire(schedule="s" * 60)],
        broken=[{"file": "/srv/broken.py", "error": "line 3: SyntaxError"}],
        config_error="a.toml, line 3: wrong",
        clock_jumps=[{"at": "2026-11-23T17:00:00Z", "seconds": -3.5}],
        clock_waits=[{"schedule": "n", "until": "2026-11-23T17:00:00Z"}],
    )


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("words", [["status"], ["flows"], ["schedules"], ["runs"], ["next"], ["show", a_run()["name"]]])
def test_nothing_is_wider_than_the_window(
    server: UnixServer, on_terminal: OnTerminal, width: int, words: list[str]
) -> None:
    """
    At every usual width each row stands on one line, and its first column is there.
    """
    server.answers["GET /status"] = _full_status()
    server.answers["GET /runs"] = {"runs": [a_run(flow="f" * 70), a_run(2, message="m" * 300)]}
    lines = _plain(on_terminal(width, *words))

    assert max(map(len, lines)) <= width
    assert lines[0].split()[0] in ("orchd", "flow", "schedule", "run", "local", "calm-otter-000001")


def test_status_shows_what_needs_attention(server: UnixServer, on_terminal: OnTerminal) -> None:
    """
    A broken file, a config that was not taken over, a jump of the clock: each is a line.
    """
    server.answers["GET /status"] = _full_status()
    text = "\n".join(_plain(on_terminal(120, "status")))

    for part in ("/srv/broken.py: line 3", "a.toml, line 3: wrong", "back by 3.5 s", "n waits until", "Held  1 run"):
        assert part in text


def test_colours_can_be_switched_off(on_terminal: OnTerminal) -> None:
    """
    NO_COLOR is honoured; without it states have a colour.
    """
    assert "\x1b[32mSuccess" in on_terminal(80, "runs")
    assert "\x1b[3" not in on_terminal(80, "runs", NO_COLOR="1")


def test_control_characters_of_a_run_never_reach_the_terminal(server: UnixServer, on_terminal: OnTerminal) -> None:
    """
    Names and messages come from anybody's code: their control characters are shown, not obeyed.
    """
    evil = "\x1b]0;title\x07\x1b[2J\x9b1m"
    run = a_run(message=evil, flow=evil, state="failed", shown="Failed")
    server.answers["GET /runs"] = {"runs": [run]}
    server.answers["GET /runs/x"] = a_detail(run, tasks=[a_task(message=evil, name=evil)])
    server.answers["GET /status"] = a_status(failed=[run])
    for words in (["runs"], ["show", "x"], ["status"]):
        drawn = _COLOURS.sub("", on_terminal(300, *words))

        assert not set(drawn) & {"\x1b", "\x07", "\x9b"}
        assert "\\x1b]0;title\\x07" in drawn


@given(
    st.lists(st.tuples(st.integers(1, 60), st.booleans(), st.sampled_from([0, 90])), min_size=1, max_size=8),
    st.integers(30, 200),
)
def test_columns_are_fitted(shape: list[tuple[int, bool, int]], width: int) -> None:
    """
    Whatever the columns: they fit into the window, none is wider than its text, and what fits whole is left whole.
    """
    columns = [Column(title="", gives_way=soft, from_width=above) for _, soft, above in shape]
    natural = [size for size, _, _ in shape]
    widths = fit(columns, natural, width)

    assert sum(widths.values()) + 2 * (len(widths) - 1) <= width
    assert all(1 <= widths[number] <= natural[number] for number in widths)
    if sum(natural) + 2 * (len(natural) - 1) <= width and width >= 90:
        assert widths == dict(enumerate(natural))


def test_a_run_is_shown_with_its_parent_and_its_children(server: UnixServer, on_terminal: OnTerminal) -> None:
    """
    Each child on a row of its own, with how it stands.
    """
    child = a_run(3, flow="data-science", state="waiting", shown="Waiting")
    run = a_run()
    server.answers[f"GET /runs/{run['name']}"] = a_detail(run, parent=a_run(2, flow="main-flow"), children=[child])
    text = "\n".join(_plain(on_terminal(100, "show", run["name"])))

    assert "parent" in text
    assert "calm-otter-000002 of main-flow" in text
    assert "Runs that it started" in text
    assert "calm-otter-000003" in text
    assert "Waiting" in text


def test_runs_that_wait_are_not_counted_among_the_places(server: UnixServer, on_terminal: OnTerminal) -> None:
    """
    They hold none.
    """
    waiting = a_run(2, state="waiting", shown="Waiting", ended_at=None, duration_s=None)
    running = a_run(3, state="running", shown="Running", ended_at=None, duration_s=None)
    server.answers["GET /status"] = a_status(running=[waiting, running])

    assert "1 of 8 taken" in "\n".join(_plain(on_terminal(100, "status")))
