"""
Ending the daemon in each of its ways, and what it tells systemd and its log meanwhile.
"""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.checker import check
from support.daemon import Daemon
from support.evidence import COUNTER, PRELUDE, evidence
from support.waiting import eventually

#: Cleans up when it is asked to end.
TIDY = (
    PRELUDE
    + """
@task
def work():
    try:
        note("works")
        until("go")
    finally:
        note("tidied")

with Flow("tidy") as flow:
    work()
"""
)


def noted(daemon: Daemon, word: str) -> int:
    """
    Count the notes that say *word*.
    """
    return sum(note.word == word for note in evidence(daemon.home))


@pytest.fixture
def going(daemon: Daemon) -> Daemon:
    """
    A daemon with one run that goes on until the file ``go`` is there.
    """
    daemon.flow("tidy.py", TIDY)
    daemon.configure(daemon='stop_grace = "60s"')
    daemon.start()
    daemon.begin("tidy")
    eventually(lambda: noted(daemon, "works"), what="it works")
    return daemon


@pytest.mark.parametrize("way", ["SIGTERM", "orchd stop"])
def test_stop_leaves_runs_to_go_on(going: Daemon, way: str) -> None:
    """
    The daemon and its spawner end with exit code 0, the run goes on, and the next daemon adopts it.
    """
    if way == "SIGTERM":
        going.signal(signal.SIGTERM)
    else:
        going.cli("stop")
    assert going.wait() == 0
    assert not going.socket.exists()
    assert sorted(going.processes().values()) == ["orchd-monitor", "orchd-run"]
    going.start()
    assert [run["state"] for run in going.runs()] == ["running"]
    (going.home / "go").touch()
    check(going)
    assert going.rows("SELECT state FROM flow_run") == [{"state": "success"}]


def test_ctrl_c_waits_for_runs_and_a_second_one_cancels_them(going: Daemon) -> None:
    """
    After the first nothing new starts and the daemon still answers; after the second the run gets its own grace, and
    nothing is left.
    """
    going.signal(signal.SIGINT)
    eventually(lambda: going.events("stopping"), what="it is stopping")
    held = going.begin("tidy")
    assert going.run(held)["state"] == "scheduled"
    assert going.process is not None
    assert going.process.poll() is None
    going.signal(signal.SIGINT)
    assert going.wait() == 0
    assert not going.processes()
    assert noted(going, "tidied") == 1
    states = {row["id"]: row["state"] for row in going.rows("SELECT id, state FROM flow_run")}
    assert states.pop(held) == "scheduled"
    assert list(states.values()) == ["cancelled"]


def test_ctrl_c_ends_as_soon_as_the_last_run_is_over(going: Daemon) -> None:
    """
    It does not wait for the whole grace, and the run was not cancelled.
    """
    going.signal(signal.SIGINT)
    eventually(lambda: going.events("stopping"), what="it is stopping")
    (going.home / "go").touch()
    assert going.wait() == 0
    assert going.rows("SELECT state FROM flow_run") == [{"state": "success"}]


def test_stop_cancel_leaves_nothing(daemon: Daemon) -> None:
    """
    Every run is final, nothing is alive, and a schedule starts nothing meanwhile.
    """
    daemon.flow("tidy.py", TIDY)
    schedules = "[schedules.tick]\nflow = 'tidy'\nevery = '0.2s'\noverlap = 'allow'\n"
    daemon.configure(schedules, daemon='stop_grace = "0.5s"\nmax_runs = 20')
    daemon.start()
    eventually(lambda: noted(daemon, "works") > 3, what="several work")
    daemon.cli("stop", "--cancel")
    assert daemon.wait() == 0
    assert not daemon.processes()
    assert {row["state"] for row in daemon.rows("SELECT state FROM flow_run")} == {"cancelled"}
    assert noted(daemon, "tidied") == noted(daemon, "works")
    check(daemon, every_us=200_000)


def test_an_idle_daemon_ends_at_once(daemon: Daemon) -> None:
    """
    Also with a reader that waits for news; its log is JSON lines only, from ready to stopped.
    """
    daemon.flow("counter.py", COUNTER)
    daemon.start()
    run = daemon.begin("counter", go="log")
    assert daemon.finished(run)["state"] == "success"
    daemon.stop()
    events = [json.loads(line) for line in daemon.log.read_text().splitlines()]
    assert [event["event"] for event in events] == ["ready", "run_ended", "stopping", "stopped"]
    assert all({"timestamp", "level", "room"} <= event.keys() for event in events)
    assert events[1]["flow"] == "counter"


class Systemd:
    """
    What stands in for systemd: the socket to which a service sends its messages.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(20)

    def next(self, name: str) -> dict[str, str]:
        """
        Return the next message that sets *name*.
        """
        while True:
            lines = self._socket.recv(4096).decode().splitlines()
            message = dict(line.split("=", 1) for line in lines)
            if name in message:
                return message

    def close(self) -> None:
        """
        Take it away.
        """
        self._socket.close()


@pytest.fixture
def systemd(daemon: Daemon) -> Iterator[Systemd]:
    """
    A socket that the daemon is told of.
    """
    daemon.env["NOTIFY_SOCKET"] = str(daemon.home / "notify")
    systemd = Systemd(daemon.home / "notify")
    yield systemd
    systemd.close()


def test_systemd_is_told_of_every_turn(daemon: Daemon, systemd: Systemd) -> None:
    """
    READY comes when it answers, WATCHDOG with each tick, RELOADING with its time and READY again around a reload,
    STOPPING at the end; a broken config ends the reload too.
    """
    daemon.start(wait=False)
    assert systemd.next("READY")["READY"] == "1"
    assert daemon.status()["daemon"]
    for _ in range(3):
        assert "running" in systemd.next("WATCHDOG")["STATUS"]
    for schedules in ("", "nonsense"):
        daemon.configure(schedules)
        daemon.signal(signal.SIGHUP)
        assert systemd.next("RELOADING")["MONOTONIC_USEC"].isdigit()
        assert systemd.next("READY")["READY"] == "1"
    daemon.signal(signal.SIGTERM)
    assert systemd.next("STOPPING")["STOPPING"] == "1"
    assert daemon.wait() == 0
