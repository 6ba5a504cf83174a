"""
Kill -9 of every process at every bad moment: user code is entered at most once, and a run is never lost.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchd.model.records import Finished, Started, Void
from orchd.processes import fence
from orchd.processes.folder import RunFolder
from orchd.processes.launch import SpawnerGone
from orchd.processes.protocol import Launched
from orchd.processes.reaper import kill_strays
from support.waiting import eventually

from .conftest import House, is_alive
from .test_fence import HOLD

#: Crash point -> how often user code is entered, and how the recovery finds the run; None when it is launched again.
POINTS = {
    "spawner.received": (0, None),
    "spawner.forked": (1, "finished"),
    "monitor.unlocked": (0, None),
    "monitor.locked": (0, None),
    "run.locked": (0, "finished"),
    "monitor.forked": (0, None),
    "monitor.started": (0, "started"),
    "monitor.opened": (None, "started"),
    "run.unwritten": (1, "finished"),
    "run.written": (1, "finished"),
    "monitor.unfinished": (1, "started"),
    "monitor.finished": (1, "finished"),
}


def recover(folder: RunFolder) -> str | None:
    """
    Do as the design's table of recovery says, once both bytes are free; None means: launch again.
    """
    eventually(lambda: fence.probe(folder) == fence.Probe(monitor_pid=None, run_pid=None))
    records = folder.records()
    if any(isinstance(record, Finished) for record in records):
        return "finished"
    if any(isinstance(record, Started) for record in records):
        kill_strays(folder.read_spec().run_id)
        return "started"
    return "void" if any(isinstance(record, Void) for record in records) else None


def _launch_until_over(house: House, folder: RunFolder) -> None:
    try:
        house.spawner.launch(folder.path)
        house.ended(folder)
    except SpawnerGone:
        return


@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_any_point_enters_once_and_loses_nothing(house: House, tmp_path: Path, point: str) -> None:
    """
    Dying at this point leaves the run as the table says; launched again it is entered once, or never when it began.
    """
    entries, found = POINTS[point]
    dying = House(tmp_path, {"ORCHD_CRASH_AT": f"{point}:1"})
    folder = dying.folder("pass")
    _launch_until_over(dying, folder)
    if found == "finished":
        eventually(folder.finished)
    state = recover(folder)
    dying.close()
    seen = len(house.said(folder, "entered"))
    assert state == found
    assert seen in ({entries} if entries is not None else {0, 1})

    house.spawner.launch(folder.path)
    assert house.ended(folder).status == 0

    assert len(house.said(folder, "entered")) == (1 if found is None else seen)


def test_a_run_waits_for_one_that_is_being_killed(house: House) -> None:
    """
    While the run of an earlier launch still holds byte 1, user code is not entered; then it is, once.
    """
    folder = house.folder("pass")
    dying = subprocess.Popen([sys.executable, "-c", HOLD, str(folder.path), str(fence.RUN_BYTE)], stdin=subprocess.PIPE)
    eventually(lambda: fence.probe(folder).run_pid == dying.pid)
    house.spawner.launch(folder.path)
    eventually(folder.began)
    assert house.said(folder, "entered") == []
    dying.communicate()

    assert house.ended(folder).status == 0
    finished = folder.finished()
    assert finished is not None
    assert finished.state == "success"
    assert len(house.said(folder, "entered")) == 1


def test_a_death_while_writing_the_end_is_judged_as_crashed(tmp_path: Path) -> None:
    """
    A run that died with its last word written but its exit missing has crashed, and says after what.
    """
    house = House(tmp_path, {"ORCHD_CRASH_AT": "run.written:1"})
    folder, finished = house.run("pass")
    house.close()

    assert (finished.state, finished.exit_code) == ("crashed", 137)
    assert "although its flow ended as success" in finished.message
    assert len(house.said(folder, "entered")) == 1


@pytest.mark.parametrize("victim", ["monitor", "run"])
def test_a_killed_process_takes_the_run_along(house: House, victim: str) -> None:
    """
    After kill -9 of the run its monitor says so; after kill -9 of the monitor the run is gone and has no end.
    """
    folder = house.folder("hang()")
    house.spawner.launch(folder.path)
    eventually(lambda: house.said(folder, "hangs"))
    probe = fence.probe(folder)
    assert probe.monitor_pid is not None
    assert probe.run_pid is not None
    os.kill(probe.monitor_pid if victim == "monitor" else probe.run_pid, signal.SIGKILL)
    house.ended(folder)

    assert recover(folder) == ("started" if victim == "monitor" else "finished")
    assert not is_alive(probe.run_pid)
    finished = folder.finished()
    assert (finished is None) == (victim == "monitor")
    assert finished is None or finished.message.startswith("killed by SIGKILL")


def test_random_kills_enter_at_most_once_and_lose_nothing(own_house: House) -> None:
    """
    Monitor, run or spawner dies once or twice at random moments of each of fifteen runs, which are launched until they
    are over: each is entered at most once, and exactly once unless its record says that it began and crashed.
    """
    dice = random.Random(20261123)
    pause = threading.Event()
    outcomes = []
    for _ in range(15):
        folder = own_house.folder("print('x')")
        kills = dice.randint(1, 2)
        state = None
        while state is None:
            own_house.spawner.launch(folder.path)
            if kills:
                kills -= 1
                _wait_for_monitor(own_house)
                pause.wait(dice.uniform(0.0, 0.015))
                _kill_one(own_house, folder, dice)
            else:
                own_house.ended(folder)
            state = recover(folder)
        outcomes.append(state)
        entered = len(own_house.said(folder, "entered"))
        assert entered <= 1
        assert entered == 1 or state == "started" or _crashed_first(folder)

    assert "finished" in outcomes


def _wait_for_monitor(house: House) -> None:
    house.replies.clear()
    while not any(isinstance(reply, Launched) for reply in house.replies):
        house.receive()


def _kill_one(house: House, folder: RunFolder, dice: random.Random) -> None:
    probe = fence.probe(folder)
    victim = dice.choice([probe.monitor_pid, probe.run_pid, house.spawner.pid])
    if victim is None:
        return
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return
    if victim == house.spawner.pid:
        house.spawner.start()
        house.replies.clear()


def _crashed_first(folder: RunFolder) -> bool:
    finished = folder.finished()
    return finished is not None and finished.state == "crashed"
