"""
kill -9 of everything, at any moment: nothing is lost, nothing runs twice, nothing is left.
"""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from orchd import clock
from support.checker import check
from support.daemon import Daemon
from support.evidence import COUNTER, TICKER, evidence
from support.waiting import eventually

EVERY_S = 0.2
#: Seconds for which things are killed.
KILLING_S = 18.0
#: Fewer prove little.
KILLS = 30


def words(daemon: Daemon) -> list[str]:
    """
    Return what user code has noted.
    """
    return [note.word for note in evidence(daemon.home)]


def test_a_killed_daemon_loses_no_line_and_doubles_no_run(daemon: Daemon) -> None:
    """
    The run goes on while there is no daemon; the next one adopts it, twice, and stores every line once, in order.
    """
    daemon.flow("counter.py", COUNTER)
    daemon.start()
    run = daemon.begin("counter")
    for _ in range(2):
        eventually(lambda: len(daemon.printed(run)) > 20, what="lines are stored")
        daemon.kill()
        before = len(words(daemon))
        eventually(lambda there=before: len(words(daemon)) > there + 20, what="the run goes on without a daemon")
        daemon.start()
        assert daemon.run(run)["state"] == "running"
    (daemon.home / "go").touch()
    told = daemon.finished(run)

    assert told["state"] == "success"
    assert [event["to"] for event in told["events"] if event["task"] is None].count("running") == 1
    noted = [word for word in words(daemon) if word.startswith("line ")]
    assert noted == [f"line {number}" for number in range(len(noted))]
    assert daemon.printed(run) == noted
    check(daemon)


def test_a_run_that_ends_while_there_is_no_daemon_is_stored_by_the_next(daemon: Daemon) -> None:
    """
    Its end, its time and its last lines come from its folder.
    """
    daemon.flow("counter.py", COUNTER)
    daemon.start()
    run = daemon.begin("counter")
    eventually(lambda: len(daemon.printed(run)) > 5, what="lines are stored")
    daemon.kill()
    (daemon.home / "go").touch()
    eventually(lambda: not daemon.below(), what="the run has ended")
    ended_us = clock.now_us()
    daemon.start()

    assert daemon.finished(run)["state"] == "success"
    assert daemon.rows("SELECT ended_at_us FROM flow_run")[0]["ended_at_us"] <= ended_us
    check(daemon)


@pytest.mark.parametrize("victim", ["orchd-run", "orchd-monitor"])
def test_a_killed_run_is_crashed_and_its_last_line_is_kept(daemon: Daemon, victim: str) -> None:
    """
    Whether the run itself or its monitor is killed, the run ends as Crashed, in words, with all that it printed.
    """
    daemon.flow("counter.py", COUNTER)
    daemon.start()
    run = daemon.begin("counter")
    eventually(lambda: len(words(daemon)) > 5, what="it counts")
    os.kill(next(iter(daemon.processes(name=victim))), signal.SIGKILL)
    told = daemon.finished(run)

    assert told["state"] == "crashed"
    assert ("SIGKILL" if victim == "orchd-run" else "monitor") in told["message"]
    assert [task["state"] for task in told["tasks"] if task["slug"].startswith("count")] == ["crashed"]
    check(daemon)


def killer(daemon: Daemon, chance: random.Random, stop: threading.Event, kills: Counter[str]) -> None:
    """
    Kill something at random every 20 to 200 ms: monitors and runs mostly, spawners now and then.
    """
    while not stop.wait(chance.uniform(0.02, 0.2)):
        victims = [(pid, name) for pid, name in daemon.below().items() if name in ("orchd-monitor", "orchd-run")]
        if chance.random() < 0.1:
            victims = list(daemon.processes(name="orchd-spawner").items())
        if victims:
            pid, name = chance.choice(victims)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                kills[name] += 1


def test_random_kills_lose_nothing_and_double_nothing(daemon: Daemon) -> None:
    """
    Daemon, spawners, monitors and runs are killed at random while three schedules fire every 0.2 s and one waits for
    them: each instant has one row, user code is entered at most once, nothing is stuck and nothing is left.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.flow("after.py", TICKER.replace('"ticker"', '"after"'))
    rule = f'flow = "ticker"\nevery = "{EVERY_S}s"\n'
    daemon.configure(
        f"[schedules.all]\n{rule}catchup = 'all'\noverlap = 'allow'\nmax_catchup = 1000\n"
        f"[schedules.queue]\n{rule}catchup = 'all'\noverlap = 'queue'\nmax_catchup = 1000\n"
        f"[schedules.skip]\n{rule}"
        "[schedules.joined]\nflow = 'after'\nafter = ['ticker']\noverlap = 'allow'\nwhen = 'finished'\n"
    )
    chance = random.Random(2)
    kills: Counter[str] = Counter()
    stop = threading.Event()
    thread = threading.Thread(target=killer, args=(daemon, chance, stop, kills))
    daemon.start()
    thread.start()
    try:
        deadline = time.monotonic() + KILLING_S
        # On a busy machine the kills come slower, and are waited for.
        while time.monotonic() < deadline or sum(kills.values()) < KILLS:
            if not stop.wait(chance.uniform(0.05, 2.0)):
                daemon.kill()
                kills["orchd"] += 1
                daemon.start(wait=chance.random() < 0.7)
    finally:
        stop.set()
        thread.join()
    daemon.wait_until_up()
    # Nothing more comes due, and what is owed is worked off.
    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    daemon.settled(within_s=60)

    picture = check(daemon, every_us=round(EVERY_S * 1_000_000))
    print(f"{dict(kills)} killed, {len(picture.slots)} slots, {len(picture.runs)} runs")
    assert kills["orchd"] >= 4
    assert sum(kills.values()) >= KILLS
    assert Counter(run["state"] for run in picture.runs)["success"] > 50


def test_nothing_of_a_test_is_left(daemon: Daemon, tmp_path: Path) -> None:
    """
    The daemon of a test, killed with a run in progress, leaves no process behind when the test is over.
    """
    daemon.flow("counter.py", COUNTER)
    daemon.start()
    daemon.begin("counter")
    eventually(lambda: daemon.processes(name="orchd-run"), what="it runs")
    daemon.close()
    assert not daemon.processes()
