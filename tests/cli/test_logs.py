"""
Printing and following logs, as a program against a server that grows.
"""

import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.canned import a_flow, a_line, a_run
from support.program import ENVIRONMENT, PROGRAM, Orchd
from support.unix_server import UnixServer
from support.waiting import eventually


class GrowingDaemon:
    """
    Runs whose log lines and ends come when the test says so; questions wait for them as in the real daemon.
    """

    def __init__(self, server: UnixServer) -> None:
        """
        Answer on *server* for the flow ``data-science``.
        """
        self._changed = threading.Condition()
        self._server = server
        self.runs: list[dict[str, Any]] = []
        self.lines: dict[int, list[str]] = {}
        #: Lines of one answer at most, lines that one answer looks at, and what stands in those that are wanted.
        self.most = 10_000
        self.looks = 50_000
        self.wanted = ""
        server.answers["GET /flows/data-science"] = {"flow": a_flow("data-science")}
        server.answers["GET /runs"] = self._list

    def begin(self, number: int, *, state: str = "running") -> None:
        """
        Add a run.
        """
        run = a_run(number, flow="data-science", state=state, shown=state.capitalize(), ended_at=None, message="")
        with self._changed:
            self.runs.append(run)
            self.lines[number] = []
            self._server.answers[f"GET /runs/{run['id']}/logs"] = lambda query, body: self._logs(number, query)
            self._changed.notify_all()

    def say(self, number: int, *texts: str) -> None:
        """
        Add log lines.
        """
        with self._changed:
            self.lines[number] += texts
            self._changed.notify_all()

    def end(self, number: int, state: str) -> None:
        """
        Move a run.
        """
        with self._changed:
            self._run(number).update(state=state, shown=state.capitalize())
            self._changed.notify_all()

    def _run(self, number: int) -> dict[str, Any]:
        return next(run for run in self.runs if run["number"] == number)

    def _list(self, query: dict[str, str], _: object) -> dict[str, Any]:
        def newer() -> list[dict[str, Any]]:
            return [run for run in self.runs if run["number"] > int(query.get("after", 0))]

        with self._changed:
            self._changed.wait_for(newer, timeout=min(float(query.get("wait_s", 0)), 1))
            return {"runs": [dict(run) for run in reversed(newer())][: int(query["limit"])]}

    def _logs(self, number: int, query: dict[str, str]) -> dict[str, Any]:
        with self._changed:
            lines = [a_line(seq, text) for seq, text in enumerate(self.lines[number])]
            if "tail" in query:
                end = int(query.get("before", len(lines)))
                begin = max(end - self.looks, 0)
                count = min(int(query["tail"]), self.most)
                found = [line for line in lines[begin:end] if self.wanted in line["text"]][-count:]
                before = found[0]["seq"] if len(found) == count else begin
                return self._page(number, found, next=end - 1, more=False, before=before or None)

            after = int(query.get("after", -1))
            is_over = ("success", "failed")
            self._changed.wait_for(
                lambda: self.lines[number][after + 1 :] or self._run(number)["state"] in is_over,
                timeout=min(float(query.get("wait_s", 0)), 1),
            )
            lines = [a_line(seq, text) for seq, text in enumerate(self.lines[number])]
            seen = lines[after + 1 :][: self.looks]
            found = [line for line in seen if self.wanted in line["text"]][: self.most]
            reached = found[-1]["seq"] if len(found) == self.most else after + len(seen)
            return self._page(number, found, next=reached, more=reached < len(lines) - 1, before=None)

    def _page(self, number: int, lines: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {"run": dict(self._run(number)), "lines": lines, **more}


@pytest.fixture
def daemon(server: UnixServer) -> GrowingDaemon:
    """
    A daemon whose runs grow.
    """
    return GrowingDaemon(server)


class Following:
    """
    A started `orchd logs -f`, whose output can be waited for.
    """

    def __init__(self, socket: Path, *words: str) -> None:
        """
        Start it.
        """
        self.program = subprocess.Popen(
            [str(PROGRAM), "logs", "-f", *words],
            env=ENVIRONMENT | {"ORCHD_SOCKET": str(socket)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.text = ""

    def until(self, text: str) -> str:
        """
        Read until *text* was printed; return all that was.
        """
        assert self.program.stdout is not None
        while text not in self.text:
            readable, _, _ = select.select([self.program.stdout], [], [], 20)
            chunk = os.read(self.program.stdout.fileno(), 65536) if readable else b""
            assert chunk, f"{text!r} never came, only: {self.text}"
            self.text += chunk.decode()
        return self.text


@pytest.fixture
def follow(server: UnixServer) -> Iterator[Any]:
    """
    Starts `orchd logs -f`, and ends what a test leaves.
    """
    started: list[Following] = []

    def start(*words: str) -> Following:
        started.append(Following(server.path, *words))
        return started[-1]

    yield start
    for following in started:
        following.program.kill()
        following.program.communicate()


def test_a_log_is_printed_whole(daemon: GrowingDaemon, orchd: Orchd) -> None:
    """
    Of a flow its newest run; each line with time and level; lines below the first of a text under its beginning.
    """
    daemon.begin(1)
    daemon.begin(2)
    daemon.say(2, "Model accuracy on test set: 96.67", "Traceback:\n  in train")
    done = orchd("logs", "data-science")

    assert done.stdout == (
        "2026-11-23 17:06:00+00:00 | INFO    | Model accuracy on test set: 96.67\n"
        "2026-11-23 17:06:00+00:00 | INFO    | Traceback:\n"
        "                          |         |   in train\n"
    )


def test_the_last_lines(daemon: GrowingDaemon, orchd: Orchd) -> None:
    """
    --tail prints only so many.
    """
    daemon.begin(1)
    daemon.say(1, *"abcde")
    lines = orchd("logs", "data-science", "--tail", "2").stdout.splitlines()

    assert [line[-1] for line in lines] == ["d", "e"]


@pytest.mark.parametrize(("words", "found"), [((), "abcdefg"), (("--tail", "5"), "cdefg"), (("-f",), "abcdefg")])
def test_answers_that_are_cut_short_are_gone_on_from(
    daemon: GrowingDaemon, orchd: Orchd, words: tuple[str, ...], found: str
) -> None:
    """
    An answer holds so many bytes only: fewer lines than were asked for do not mean the end.
    """
    daemon.begin(1)
    daemon.say(1, *"abcdefg")
    daemon.end(1, "success")
    daemon.most = 2

    assert found == "".join(line[-1] for line in orchd("logs", daemon.runs[0]["id"], *words).stdout.splitlines())


@pytest.mark.parametrize(("words", "found"), [((), "x1x2x3"), (("--tail", "2"), "x2x3"), (("-f",), "x1x2x3")])
def test_an_empty_answer_with_more_to_look_at_is_not_the_end(
    daemon: GrowingDaemon, orchd: Orchd, words: tuple[str, ...], found: str
) -> None:
    """
    One answer looks at so many lines only, and those that are wanted may lie further apart.
    """
    daemon.begin(1)
    daemon.say(1, *("a", "x1", "b", "c", "d", "e", "x2", "f", "g", "h", "i", "x3", "j", "k", "l", "m"))
    daemon.end(1, "success")
    daemon.looks, daemon.wanted = 2, "x"

    assert found == "".join(line[-2:] for line in orchd("logs", daemon.runs[0]["id"], *words).stdout.splitlines())


def test_control_characters_are_escaped_unless_raw(daemon: GrowingDaemon, orchd: Orchd) -> None:
    """
    Nothing that a run prints can move the cursor, colour the terminal or ring its bell; --raw is the bare text.
    """
    text = "\x1b[31mred\x07\x9b\u202e\x00 tab\t ä"
    daemon.begin(1)
    daemon.say(1, text)

    assert orchd("logs", "data-science").stdout.endswith("| \\x1b[31mred\\x07\\x9b\\u202e\\x00 tab\t ä\n")
    assert orchd("logs", "data-science", "--raw").stdout == text + "\n"


@pytest.mark.parametrize(("state", "code"), [("success", 0), ("failed", 1)])
def test_following_a_run_ends_with_it(daemon: GrowingDaemon, follow: Any, state: str, code: int) -> None:
    """
    Lines come as they are printed, the last ones too, and the exit code says how the run ended.
    """
    daemon.begin(1)
    daemon.say(1, "one")
    following = follow(a_run(1)["id"])
    following.until("one")
    daemon.say(1, "two")
    following.until("two")
    daemon.say(1, "three")
    daemon.end(1, state)
    following.until("three")

    assert following.program.wait(20) == code


def test_following_a_flow_goes_on_into_later_runs(daemon: GrowingDaemon, follow: Any) -> None:
    """
    The last run's end, then every later run in order, each under its name; a held run hides none.
    """
    daemon.begin(3, state="success")
    daemon.say(3, *(f"old {n}" for n in range(20)))
    following = follow("data-science")
    text = following.until("old 19")
    assert "old 10\n" in text
    assert "old 9\n" not in text

    daemon.begin(5, state="scheduled")
    daemon.begin(9)
    daemon.say(9, "nine")
    following.until("nine")
    daemon.begin(12)
    daemon.say(12, "twelve")
    daemon.end(9, "failed")
    text = following.until("twelve")

    assert text.index("calm-otter-000009 is Failed") < text.index("── data-science · calm-otter-00000c")
    daemon.end(12, "success")
    daemon.say(5, "five")
    daemon.end(5, "success")
    assert following.until("five").count("nine") == 1


def test_following_survives_a_restart_of_the_daemon(daemon: GrowingDaemon, server: UnixServer, follow: Any) -> None:
    """
    While the daemon is away the command waits and says so; then it goes on with the next line, none lost or doubled.
    """
    daemon.begin(1)
    daemon.say(1, "before")
    following = follow(a_run(1)["id"])
    following.until("before")
    server.stop()
    assert b"waiting for it" in following.program.stderr.readline()

    server.start()
    daemon.say(1, "after")
    daemon.end(1, "success")
    assert following.until("after").count("before") == 1
    assert following.program.wait(20) == 0


def test_ctrl_c_ends_quietly(daemon: GrowingDaemon, follow: Any) -> None:
    """
    Ctrl-C while following prints nothing, and the exit code is that of an interrupt.
    """
    daemon.begin(1)
    daemon.say(1, "one")
    following = follow("data-science")
    following.until("one")
    following.program.send_signal(signal.SIGINT)

    assert following.program.wait(20) == 130
    assert following.program.stderr.read() == b""


def test_a_closed_pipe_ends_quietly(daemon: GrowingDaemon, server: UnixServer) -> None:
    """
    `orchd logs | head -1` prints its line and nothing else, however much there would be.
    """
    daemon.begin(1)
    daemon.say(1, *("x" * 100 for _ in range(5000)))
    command = f"{PROGRAM} logs data-science | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        env=ENVIRONMENT | {"ORCHD_SOCKET": str(server.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == ["141"]


def test_a_flow_without_runs_says_how_to_start_one(daemon: GrowingDaemon, orchd: Orchd) -> None:
    """
    There is nothing to print yet; the sentence leads on.
    """
    done = orchd("logs", "data-science")

    assert done.returncode == 66
    assert "flow 'data-science' has no run yet; `orchd start data-science` starts one" in done.stderr


def test_the_first_run_of_a_flow_is_waited_for(daemon: GrowingDaemon, follow: Any) -> None:
    """
    Following a flow that never ran prints its first run.
    """
    following = follow("data-science")
    eventually(lambda: any(request[1] == "/runs" for request in daemon._server.requests))
    daemon.begin(1)
    daemon.say(1, "first")

    assert "── data-science · calm-otter-000001" in following.until("first")
