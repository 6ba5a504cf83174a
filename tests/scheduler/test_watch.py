"""
Watching processes and sockets from the loop: the end of a monitor, nudges of runs, and the spawner's words.
"""

import asyncio
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from orchd.model.specs import Description
from orchd.processes import fence
from orchd.processes.fence import Probe
from orchd.processes.folder import RunFolder
from orchd.processes.launch import SpawnerGone
from orchd.processes.protocol import Describe, Described, Ended, Reply
from orchd.scheduler import spawning
from orchd.scheduler.spawning import SpawnerKeeper
from orchd.scheduler.watch import MonitorWatch, NudgeSocket

Loop = asyncio.AbstractEventLoop


def run(test: Callable[[Loop], Awaitable[Any]]) -> Any:
    """
    Run *test* in a loop.
    """

    async def main() -> Any:
        return await asyncio.wait_for(test(asyncio.get_running_loop()), 20)

    return asyncio.run(main())


def a_process() -> "subprocess.Popen[bytes]":
    """
    Start a process that ends when its input does.
    """
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("holds", [True, False])
def test_the_end_of_a_monitor_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holds: bool) -> None:
    """
    Of the process that holds the run's lock; any other process of that number is not watched.
    """

    async def test(loop: Loop) -> list[str]:
        gone: list[str] = []
        told = asyncio.Event()

        def ended(run_id: str) -> None:
            gone.append(run_id)
            told.set()

        watch = MonitorWatch(loop, ended)
        with a_process() as process:
            holder = Probe(monitor_pid=process.pid if holds else process.pid + 1, run_pid=None)
            monkeypatch.setattr(fence, "probe", lambda folder: holder)
            is_watched = watch.watch("r", RunFolder(tmp_path), process.pid)
            assert holds == is_watched
            process.kill()
        if holds:
            await told.wait()
        return gone

    assert (["r"] if holds else []) == run(test)


def test_a_monitor_that_is_gone_is_not_watched(tmp_path: Path) -> None:
    """
    There is no such process.
    """

    async def test(loop: Loop) -> bool:
        with a_process() as process:
            process.kill()
        return MonitorWatch(loop, lambda _: None).watch("r", RunFolder(tmp_path), process.pid)

    assert run(test) is False


@pytest.mark.parametrize("call", ["os.pidfd_open", "orchd.processes.fence.probe"])
def test_a_monitor_that_no_descriptor_is_left_for_is_not_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """
    It is looked at each second instead.
    """

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    async def test(loop: Loop) -> bool:
        with monkeypatch.context() as patch:
            patch.setattr(call, refuse)
            return MonitorWatch(loop, lambda _: None).watch("r", RunFolder(tmp_path), os.getpid())

    assert run(test) is False


def test_nudges_are_heard(tmp_path: Path) -> None:
    """
    Each with the id of a run; several at once, and nonsense, hurt nobody. A stale socket is replaced.
    """

    async def test(loop: Loop) -> list[str]:
        heard: list[str] = []
        enough = asyncio.Event()
        (tmp_path / "api.sock.nudge").touch()

        def nudged(run_id: str) -> None:
            heard.append(run_id)
            if len(heard) == 3:
                enough.set()

        nudges = NudgeSocket.beside(loop, tmp_path / "api.sock", nudged)
        assert nudges is not None
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            for data in (b"r1", b"\xff" * 200, b"r2"):
                sender.sendto(data, str(nudges.path))
        await enough.wait()
        nudges.close()
        assert not nudges.path.exists()
        return heard

    first, nonsense, last = run(test)
    assert ("r1", 64, "r2") == (first, len(nonsense), last)


def test_a_path_that_is_too_long_for_nudges_does_without(tmp_path: Path) -> None:
    """
    Runs are looked at once a second then.
    """

    async def test(loop: Loop) -> object:
        return NudgeSocket.beside(loop, tmp_path / ("x" * 100), lambda _: None)

    assert run(test) is None


class Talker:
    """
    A spawner whose words are the test's.
    """

    def __init__(self) -> None:
        """
        Be ready to be started.
        """
        self.pid = 7
        self.starts = 0
        self.refuses = 0
        self.is_open = False
        self.launched: list[Path] = []
        self.replies: list[Reply] = []
        self.answer: Callable[[int, Path], Described | None] = lambda number, out: None

    def start(self) -> None:
        """
        Start, or refuse to.
        """
        self.close()
        if self.refuses:
            self.refuses -= 1
            raise SpawnerGone("no more processes")
        self.starts += 1
        self.ours, self.theirs = socket.socketpair()
        self.is_open = True

    def fileno(self) -> int:
        """
        Return what becomes readable.
        """
        return self.ours.fileno()

    def launch(self, folder: Path) -> None:
        """
        Note the launch.
        """
        self.launched.append(folder)

    def describe(self, request: Describe) -> None:
        """
        Say what the test wants said.
        """
        if not self.is_open:
            raise SpawnerGone("the spawner is not started")
        said = self.answer(request.id, Path(request.out))
        if said is not None:
            self.say(said)

    def say(self, reply: Reply) -> None:
        """
        Have *reply* received.
        """
        self.replies.append(reply)
        self.theirs.send(b"x")

    def die(self) -> None:
        """
        End.
        """
        self.theirs.close()

    def receive(self) -> list[Reply]:
        """
        Return what was said.
        """
        if not self.ours.recv(100):
            raise SpawnerGone("ended")
        replies, self.replies = self.replies, []
        return replies

    def close(self) -> None:
        """
        Close both ends.
        """
        if self.is_open:
            self.ours.close()
            self.theirs.close()
            self.is_open = False


class Kept:
    """
    A keeper of a talker, and what it passed on.
    """

    def __init__(self, loop: Loop) -> None:
        """
        Start it.
        """
        self.talker = Talker()
        self.heard: list[Reply] = []
        self.gone = 0
        self.stirred = asyncio.Event()
        self.keeper = SpawnerKeeper(loop, self.talker, heard=self._heard, gone=self._gone)  # type: ignore[arg-type]
        self.keeper.start()

    def _heard(self, reply: Reply) -> None:
        self.heard.append(reply)
        self.stirred.set()

    def _gone(self) -> None:
        self.gone += 1
        self.stirred.set()

    async def describe(self, *files: str) -> list[Description]:
        """
        Describe *files*.
        """
        paths = [Path(file) for file in files]
        return await asyncio.to_thread(self.keeper.describe, paths, time_limit_s=1, env_file=None)


def test_replies_about_runs_are_passed_on() -> None:
    """
    And launches are asked for.
    """

    async def test(loop: Loop) -> tuple[object, ...]:
        kept = Kept(loop)
        kept.keeper.launch(Path("/runs/r"))
        kept.talker.say(Ended(folder="/runs/r", pid=1, status=0))
        await kept.stirred.wait()
        kept.keeper.stop()
        return kept.heard, kept.talker.launched, kept.keeper.pid

    assert ([Ended(folder="/runs/r", pid=1, status=0)], [Path("/runs/r")], 7) == run(test)


def test_files_are_described_in_their_order() -> None:
    """
    One that cannot be described says why, also when its description is no JSON.
    """

    async def test(loop: Loop) -> list[Description]:
        kept = Kept(loop)

        def answer(number: int, out: Path) -> Described:
            if number == 1:
                out.write_bytes(msgspec.json.encode(Description(file="/a.py", source_hash="aa")))
            return Described(id=number, ok=number < 3, error=None if number != 3 else "it took too long")

        kept.talker.answer = answer
        found = await kept.describe("/a.py", "/b.py", "/c.py")
        kept.talker.answer = lambda number, out: Described(id=number, ok=False, error=None)
        found += await kept.describe("/d.py")
        kept.talker.say(Described(id=99, ok=True, error=None))
        kept.keeper.stop()
        return found

    a, b, c, d = run(test)
    assert Description(file="/a.py", source_hash="aa") == a
    assert "its description is unreadable" in str(b.error)
    assert ("it took too long", "it could not be described") == (c.error, d.error)


@pytest.mark.parametrize(("refusals", "error"), [(0, "said by the second"), (2, "the spawner is not started")])
def test_a_dead_spawner_is_replaced(monkeypatch: pytest.MonkeyPatch, refusals: int, error: str) -> None:
    """
    Also when no process can be had at first; who waits for a description is answered by the next one, or told.
    """
    monkeypatch.setattr(spawning, "_RETRY_S", 0.01)

    async def test(loop: Loop) -> tuple[object, ...]:
        kept = Kept(loop)
        asked = asyncio.Event()

        def answer(number: int, out: Path) -> Described | None:
            if number == 1:
                loop.call_soon_threadsafe(asked.set)
                return None
            return Described(id=number, ok=False, error="said by the second")

        kept.talker.answer = answer
        describing = asyncio.create_task(kept.describe("/a.py"))
        await asked.wait()
        kept.talker.refuses = refusals
        kept.talker.die()
        await kept.stirred.wait()
        (description,) = await describing
        kept.keeper.stop()
        return kept.talker.starts, kept.gone, description.error

    with capture_logs() as logs:
        assert (2, 1, error) == run(test)
    assert ["spawner_died", *["spawner_not_started"] * refusals] == [entry["event"] for entry in logs]


def test_a_daemon_that_stops_waits_for_no_spawner(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is asked of one that is gone is answered at once, and none is started any more.
    """
    monkeypatch.setattr(spawning, "_RETRY_S", 0.01)

    async def test(loop: Loop) -> tuple[object, ...]:
        kept = Kept(loop)
        kept.talker.refuses = 1
        kept.talker.die()
        while kept.talker.refuses:
            await asyncio.to_thread(int)
        kept.keeper.stop()
        (description,) = await kept.describe("/a.py")
        return kept.talker.starts, description.error

    assert (1, "the spawner is not started") == run(test)
