"""
Runs that do to their folder, to their monitor or to the daemon's limits what no run should.
"""

import contextlib
import os
import signal
import threading

import pytest

from support.checker import check
from support.daemon import Daemon
from support.evidence import COUNTER, PRELUDE, TICKER, evidence
from support.waiting import eventually

#: A flow whose task does what ``{body}`` says.
STRANGE = (
    PRELUDE
    + """
import ctypes, shutil
RUN = os.environ.get("ORCHD_RUN_DIR", "")

@task
def work():
    print("before", flush=True)
    {body}
    note("done")

with Flow("strange") as flow:
    work()
"""
)
#: Seconds for which each monitor is killed.
KILLING_S = 4.0


def begin(daemon: Daemon, body: str) -> str:
    """
    Start a daemon and a run of a flow that does *body*.
    """
    daemon.flow("strange.py", STRANGE.replace("{body}", body))
    daemon.flow("ticker.py", TICKER)
    daemon.start()
    return daemon.begin("strange")


def entries(daemon: Daemon, run: str) -> int:
    """
    Return how often user code of *run* was entered.
    """
    return [note.word for note in evidence(daemon.home) if note.run == run].count("entered")


def assert_it_goes_on(daemon: Daemon) -> None:
    """
    The very daemon that was started serves another run.
    """
    assert daemon.finished(daemon.begin("ticker"))["state"] == "success"
    assert daemon.process is not None
    assert daemon.process.poll() is None


def kill_monitors(daemon: Daemon, stop: threading.Event) -> None:
    """
    Kill each monitor as soon as it is there, until *stop*.
    """
    while not stop.is_set():
        for pid in daemon.processes(name="orchd-monitor"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_no_place_is_lost_to_runs_whose_monitors_are_killed(daemon: Daemon) -> None:
    """
    Whether a monitor was killed before or after its run began, the run ends, without another start of the daemon.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.configure(daemon="max_runs = 8")
    daemon.start()
    stop = threading.Event()
    thread = threading.Thread(target=kill_monitors, args=(daemon, stop))
    thread.start()
    begun = [daemon.begin("ticker") for _ in range(8)]
    stop.wait(KILLING_S)
    stop.set()
    thread.join()

    assert {daemon.finished(run)["state"] for run in begun} <= {"success", "crashed"}
    assert_it_goes_on(daemon)
    check(daemon)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_run_that_removes_its_folder_is_entered_once(daemon: Daemon, restarted: bool) -> None:
    """
    It is Crashed, in words, also by the next daemon.
    """
    run = begin(daemon, "until('go'); shutil.rmtree(RUN)")
    eventually(lambda: daemon.run(run)["state"] == "running", what="it runs")
    if restarted:
        daemon.kill()
    (daemon.home / "go").touch()
    if restarted:
        eventually(lambda: not daemon.below(), what="it is over")
        daemon.start()
    told = daemon.finished(run)

    assert (told["state"], told["message"]) == ("crashed", "its folder is gone")
    assert entries(daemon, run) == 1
    assert_it_goes_on(daemon)


@pytest.mark.parametrize("name", ["stdout", "stderr", "journal.jsonl", "monitor.jsonl", "lock"])
def test_a_run_that_spoils_its_folder_hurts_only_itself(daemon: Daemon, name: str) -> None:
    """
    A folder stands in the place of one of its files: the rest is stored, and the daemon goes on.
    """
    run = begin(daemon, f"path = os.path.join(RUN, '{name}'); os.path.exists(path) and os.unlink(path); os.mkdir(path)")
    told = daemon.finished(run)

    assert told["state"] == ("crashed" if name in ("journal.jsonl", "monitor.jsonl") else "success")
    assert name == "stdout" or "before" in daemon.printed(run)
    said = [line["text"] for line in daemon.lines(run, stream="logger") if "cannot be read" in line["text"]]
    assert len(said) == (name != "lock")
    assert entries(daemon, run) == 1
    assert_it_goes_on(daemon)


def test_a_run_that_outlives_its_monitor_is_ended(daemon: Daemon) -> None:
    """
    One that the kernel does not kill with its monitor is killed by the daemon.
    """
    run = begin(daemon, "ctypes.CDLL(None).prctl(1, 0, 0, 0, 0); note('free'); until('go')")
    eventually(lambda: "free" in [note.word for note in evidence(daemon.home)], what="it is free")
    (monitor,) = daemon.processes(name="orchd-monitor")
    # Without its spawner nobody adopts, and kills, what the monitor leaves.
    for pid in (*daemon.processes(name="orchd-spawner"), monitor):
        os.kill(pid, signal.SIGKILL)
    told = daemon.finished(run)

    assert told["state"] == "crashed"
    assert not daemon.below()
    assert_it_goes_on(daemon)


def test_more_runs_than_descriptors_are_followed(daemon: Daemon) -> None:
    """
    The daemon takes as many as it may.
    """
    daemon.flow("counter.py", COUNTER)
    daemon.flow("ticker.py", TICKER)
    daemon.configure(daemon="max_runs = 40")
    daemon.start(command=["prlimit", "--nofile=32:1024"])
    begun = [daemon.begin("counter") for _ in range(30)]
    eventually(lambda: len(daemon.processes(name="orchd-run")) == 30, what="all run")
    assert daemon.process is not None
    assert len(os.listdir(f"/proc/{daemon.process.pid}/fd")) > 32
    (daemon.home / "go").touch()

    assert {daemon.finished(run)["state"] for run in begun} == {"success"}
    assert_it_goes_on(daemon)
