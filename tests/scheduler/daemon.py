"""
A scheduler whose clock, writer and processes are the test's.
"""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchd import clock
from orchd.errors import OrchdError
from orchd.model.instants import to_us
from orchd.processes import fence
from orchd.processes.fence import Probe
from orchd.scheduler.board import LiveRun
from orchd.scheduler.core import Hooks, Scheduler
from orchd.scheduler.writer import Urgency, Writer
from scheduler.rig import START, Rig

PID = 4711


class HandWriter(Writer):
    """
    A writer whose jobs are done when the test says so.
    """

    def __init__(self) -> None:
        super().__init__(on_death=lambda error: pytest.fail(str(error)))
        self.jobs: list[Callable[[], None]] = []

    def submit(self, urgency: Urgency, job: Callable[[], None]) -> None:
        """
        Keep *job*.
        """
        self.jobs.append(job)

    def ask(self, job: Callable[[], Any]) -> "Future[Any]":
        """
        Do *job* now.
        """
        future: Future[Any] = Future()
        try:
            future.set_result(job())
        except OrchdError as error:
            future.set_exception(error)
        return future

    def work(self, *, rounds: int = 10) -> None:
        """
        Do all jobs, and those that they cause.
        """
        for _ in range(rounds):
            jobs, self.jobs = self.jobs, []
            for job in jobs:
                job()


class Daemon:
    """
    A scheduler over a rig's store, whose clock and processes are the test's.
    """

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Begin at the rig's start.
        """
        self.now, self.monotonic_s = START, 1000.0
        self.holders: dict[str, Probe] = {}
        self.launched: list[str] = []
        self.wakes: list[datetime | None] = []
        self.changes = 0
        self.ticks = 0
        self.monitors_are_there = True
        monkeypatch.setattr(clock, "now", lambda: self.now)
        monkeypatch.setattr(clock, "now_us", lambda: to_us(self.now))
        monkeypatch.setattr(clock, "monotonic", lambda: self.monotonic_s)
        nobody = Probe(monitor_pid=None, run_pid=None)
        monkeypatch.setattr(fence, "probe", lambda folder: self.holders.get(folder.path.name, nobody))
        monkeypatch.setattr("orchd.scheduler.follow.kill_strays", lambda run_id: 2)
        self.rig = rig
        self.begin()

    def begin(self) -> None:
        """
        Begin anew, as after a restart.
        """
        self.writer = HandWriter()
        self.scheduler = Scheduler(
            self.rig.database,
            self.writer,
            config=self.rig.config,
            runs_folder=self.rig.board.runs_folder,
            nudge=None,
            hooks=Hooks(
                send=self._send,
                wake_at=lambda instant, now: self.wakes.append(instant),
                ticked=self._ticked,
                changed=self._changed,
                watch=lambda run, pid: self.monitors_are_there,
            ),
        )

    def _send(self, folder: Path) -> None:
        self.launched.append(folder.name)

    def _ticked(self) -> None:
        self.ticks += 1

    def _changed(self) -> None:
        self.changes += 1

    def load(self) -> None:
        """
        Take over what the store holds.
        """
        self.scheduler.load()
        self.writer.work()

    def tick(self, *, after: timedelta = timedelta(seconds=1), set_by: timedelta = timedelta(0)) -> None:
        """
        Let time pass, set the clock, and tick.
        """
        self.monotonic_s += after.total_seconds()
        self.now += after + set_by
        self.scheduler.wake()
        self.writer.work()

    def run(self) -> LiveRun:
        """
        Return the only live run.
        """
        (run,) = self.scheduler.board.live.values()
        return run

    def hold(self, run: LiveRun, *, run_pid: int | None = None) -> None:
        """
        Have a monitor hold the run's lock.
        """
        self.holders[run.id] = Probe(monitor_pid=PID, run_pid=run_pid)
