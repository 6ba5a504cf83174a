"""
Nudges: the daemon hears of every record soon, and not of each.
"""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchd import clock
from orchd.processes.nudge import Nudge, ThrottledNudge

from .conftest import House


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    """
    A daemon's datagram socket.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "nudge"))
        ear.settimeout(20)
        yield ear


def test_a_nudge_is_the_runs_id(ear: socket.socket) -> None:
    """
    One datagram says which run to look at.
    """
    Nudge(ear.getsockname(), "run").send()

    assert ear.recv(100) == b"run"


@pytest.mark.parametrize("address", [None, "/none/nudge", "x" * 200])
def test_nobody_listening_is_no_error(address: str | None) -> None:
    """
    A nudge is best effort.
    """
    Nudge(address, "run").send()


def test_a_burst_is_one_nudge_and_one_request_to_the_monitor(
    ear: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The first record nudges, the second asks the monitor to nudge later, and more in the quiet time do nothing.
    """
    asked: list[tuple[int, int]] = []
    now = [100.0]
    monkeypatch.setattr(os, "kill", lambda pid, number: asked.append((pid, number)))
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    nudge = ThrottledNudge(Nudge(ear.getsockname(), "run"), monitor_pid=7)
    for _ in range(10):
        nudge()
    assert asked == [(7, signal.SIGUSR1)]

    now[0] += 1.0
    nudge()

    assert [ear.recv(100), ear.recv(100)] == [b"run", b"run"]
    assert asked == [(7, signal.SIGUSR1)]


def test_the_last_record_of_a_hanging_run_is_heard(house: House, ear: socket.socket) -> None:
    """
    While the run hangs after a burst of records, the size of its journal at the last nudge is its whole size.
    """
    folder = house.folder("orchd.context.logger.info('last')\nhang()", nudge=ear.getsockname())
    house.spawner.launch(folder.path)
    while not (folder.journal.exists() and b"last" in folder.journal.read_bytes()):
        assert ear.recv(100).decode() == folder.read_spec().run_id
    folder.write_cancel("enough")
    began = folder.began()
    assert began is not None
    os.kill(began.pid, signal.SIGTERM)
    while folder.finished() is None:
        ear.recv(100)
    house.ended(folder)
