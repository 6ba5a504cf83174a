"""
The wall clock is set, forward and back, under the whole process tree of a daemon.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.checker import check, take
from support.clockshim import ClockShim
from support.daemon import Daemon
from support.evidence import TICKER
from support.waiting import eventually

HOUR = 3600
EVERY_US = 500_000
_2098 = 72 * 365 * 24 * HOUR


class Moved:
    """
    A daemon and its clock.
    """

    def __init__(self, daemon: Daemon, shim: ClockShim) -> None:
        self.daemon = daemon
        self._shim = shim
        self._offset_s = 0.0

    def jump(self, seconds: float) -> None:
        """
        Set the clock by *seconds*, and return when the daemon has told of it, which must be soon.
        """
        known = len(self.daemon.status()["clock_jumps"])
        self._offset_s += seconds
        self._shim.set(self._offset_s)
        before = time.monotonic()
        jumps = eventually(
            lambda: (found := self.daemon.status()["clock_jumps"])[known:] and found, what="the jump is noticed"
        )
        assert time.monotonic() - before < 5
        assert abs(jumps[-1]["seconds"] - seconds) < 2

    def ticks(self) -> None:
        """
        Wait for two more slots that are decided from now on.
        """
        count = len(self.daemon.slots("tick"))
        eventually(lambda: len(self.daemon.slots("tick")) > count + 1, what="it ticks")

    def newest(self) -> int:
        """
        Return the newest fire time that has a row.
        """
        return max(slot["fire_time_us"] for slot in self.daemon.slots("tick"))


@pytest.fixture
def moved(daemon: Daemon, tmp_path: Path) -> Iterator[Moved]:
    """
    A daemon that ticks every half second under a clock that can be moved.
    """
    shim = ClockShim(tmp_path)
    daemon.env |= shim.env()
    daemon.flow("ticker.py", TICKER)
    daemon.configure("[schedules.tick]\nflow = 'ticker'\nevery = '0.5s'\noverlap = 'allow'\n")
    daemon.start()
    moved = Moved(daemon, shim)
    moved.ticks()
    yield moved
    shim.set(0)


def entered_once(daemon: Daemon) -> None:
    """
    Check, once everything has ended, what holds whatever the clock did.
    """
    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    daemon.settled()
    keys = [note.key for note in take(daemon).notes if note.word == "entered"]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("seconds", [5 * HOUR, 70 * 60])
def test_a_clock_set_forward_is_caught_up(moved: Moved, seconds: int) -> None:
    """
    The fire times that it jumped over are owed: the newest 100 have rows, one row stands for the others, one starts.
    """
    before = moved.newest()
    moved.jump(seconds)
    eventually(lambda: moved.newest() > before + seconds * 1_000_000 - 5_000_000, what="it is caught up")
    moved.ticks()
    reasons = [slot["reason"] for slot in moved.daemon.slots("tick")]
    assert reasons.count("over_max_catchup") == 1
    assert reasons.count("newer_fire") == 99
    moved.daemon.configure()
    assert moved.daemon.client.post("/reload")["ok"]
    # Runs get a clean environment, and so the machine's own clock.
    check(moved.daemon, every_us=EVERY_US, one_clock=False)


@pytest.mark.parametrize("seconds", [70 * 60, -5 * HOUR])
def test_an_idle_daemon_notices_too(moved: Moved, seconds: int) -> None:
    """
    With no schedule and no run a jump is told as soon, and the alarm rings on: a run starts at once.
    """
    moved.daemon.configure()
    assert moved.daemon.client.post("/reload")["ok"]
    moved.daemon.settled()
    moved.jump(seconds)
    run = moved.daemon.begin("ticker")
    assert moved.daemon.finished(run)["state"] == "success"
    moved.jump(-seconds)


def test_a_clock_set_back_by_less_than_three_hours_holds_the_cursor(moved: Moved) -> None:
    """
    Nothing fires twice: the schedule waits until the clock is where it was, status says until when, and a schedule
    that waits goes on at once when the clock is set right again.
    """
    moved.jump(-70 * 60)
    held = moved.newest()
    waits = eventually(lambda: moved.daemon.status()["clock_waits"], what="the wait is told")
    assert waits[0]["schedule"] == "tick"
    assert moved.newest() == held
    moved.jump(70 * 60)
    moved.ticks()
    assert moved.daemon.status()["clock_waits"] == []
    entered_once(moved.daemon)


def test_a_clock_set_back_by_three_hours_or_more_lets_the_cursor_follow(moved: Moved) -> None:
    """
    It ticks on at once in the new time, and what has already run keeps its row and does not run again.
    """
    before = moved.daemon.slots("tick")
    moved.jump(-5 * HOUR)
    moved.ticks()
    assert moved.daemon.events("cursor_set_back")
    moved.jump(5 * HOUR)
    moved.ticks()
    after = moved.daemon.slots("tick")
    assert [slot for slot in after if slot["fire_time_us"] <= before[-1]["fire_time_us"]][-len(before) :] == before
    entered_once(moved.daemon)


def from_2098(moved: Moved) -> None:
    """
    The clock is set right while the daemon runs.
    """
    moved.jump(-_2098)


def from_2098_while_down(moved: Moved) -> None:
    """
    The clock is set right while there is no daemon.
    """
    moved.daemon.kill()
    moved._offset_s -= _2098
    moved._shim.set(moved._offset_s)
    moved.daemon.start()


@pytest.mark.parametrize("back", [from_2098, from_2098_while_down])
def test_a_machine_that_woke_up_in_2098(moved: Moved, back: Callable[[Moved], None]) -> None:
    """
    The long gap is not walked, and back in our time it ticks on, though its cursor lay in the future.
    """
    moved.jump(_2098)
    moved.ticks()
    back(moved)
    moved.ticks()
    entered_once(moved.daemon)
