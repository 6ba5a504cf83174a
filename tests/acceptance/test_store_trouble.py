"""
A store that cannot be written for a while: nothing that was acknowledged is lost, and then it goes on.
"""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from orchd.errors import StoreError
from support.checker import check
from support.daemon import Daemon
from support.evidence import TICKER, evidence
from support.needs import cannot_run
from support.waiting import eventually

EVERY_US = 250_000
SCHEDULE = (
    "[schedules.tick]\nflow = 'ticker'\nevery = '0.25s'\ncatchup = 'all'\noverlap = 'allow'\nmax_catchup = 1000\n"
)


@pytest.fixture
def ticking(daemon: Daemon) -> Daemon:
    """
    A daemon, not started yet, that will tick four times a second.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.configure(SCHEDULE)
    return daemon


def entered(daemon: Daemon) -> int:
    """
    Count the runs whose code was entered.
    """
    return sum(note.word == "entered" for note in evidence(daemon.home))


def come_to_rest(daemon: Daemon) -> None:
    """
    Let nothing more come due, and check everything.
    """
    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    check(daemon, every_us=EVERY_US)


def test_a_store_that_another_process_holds_locked_is_waited_for(ticking: Daemon) -> None:
    """
    The daemon answers, says what stands in the way, starts nothing that it cannot write down, and catches up.
    """
    ticking.start()
    eventually(lambda: entered(ticking) > 2, what="it ticks")
    with contextlib.closing(sqlite3.connect(ticking.state / "orchd.sqlite3", isolation_level=None)) as holder:
        holder.execute("PRAGMA busy_timeout = 5000")
        holder.execute("BEGIN EXCLUSIVE")
        count = entered(ticking)
        eventually(lambda: ticking.events("store_away"), what="it says so")
        assert "locked" in ticking.status()["daemon"]["store_error"]
        assert entered(ticking) <= count + 1
        assert len(ticking.events("store_away")) == 1
        holder.execute("ROLLBACK")
    eventually(lambda: ticking.events("store_back"), what="it goes on")
    assert ticking.status()["daemon"]["store_error"] is None
    come_to_rest(ticking)


def fill(folder: Path) -> Path:
    """
    Leave no byte free on the disk of *folder*, and return the file that is to be removed again.
    """
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return ballast


def refusal(daemon: Daemon) -> str:
    """
    Ask for a run, and return what is said when it cannot be stored.
    """
    try:
        daemon.begin("ticker")
    except StoreError as error:
        return str(error)

    return ""


def test_a_full_disk_is_survived(ticking: Daemon) -> None:
    """
    With no byte left the daemon stays up and says so; once there is space it goes on by itself, and every fire time
    of the meantime has its row.
    """
    if os.geteuid() != 0:
        cannot_run("a disk of one's own needs root")
    mount = f'mount -t tmpfs -o size=6m tmpfs "{ticking.state}" && exec "$@"'
    ticking.state.mkdir()
    ticking.start(command=["unshare", "-m", "sh", "-c", mount, "sh"])
    assert ticking.process is not None
    state = Path(f"/proc/{ticking.process.pid}/root{ticking.state}")
    eventually(lambda: entered(ticking) > 2, what="it ticks")

    ballast = fill(state)
    told = eventually(lambda: ticking.events("store_away") or ticking.events("launch_put_off"), what="it says so")
    assert any(word in str(told) for word in ("full", "space"))
    eventually(lambda: refusal(ticking), what="the store is full too")
    count = entered(ticking)
    assert ticking.status()["running"]
    assert ticking.process.poll() is None
    ballast.unlink()

    eventually(lambda: entered(ticking) > count + 3, what="it goes on")
    assert ticking.status()["daemon"]["store_error"] is None
    told_last = [event["event"] for event in ticking.events() if event["event"] in ("store_away", "store_back")][-1:]
    assert told_last != ["store_away"]
    ticking.configure()
    assert ticking.client.post("/reload")["ok"]
    eventually(lambda: not (ticking.status()["running"] or ticking.status()["held"]), what="all is over")
    # Only the daemon sees its disk, and SQLite does not open a file by way of /proc.
    for file in state.glob("orchd.sqlite3*"):
        shutil.copy(file, ticking.state)
    check(ticking, every_us=EVERY_US)
