"""
Runs that have begun are followed to their end, whatever dies, is spoilt or is missing on the way.
"""

import errno
import os
import shutil
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from orchd.model.instants import to_us
from orchd.model.records import TaskRecord, Void
from orchd.model.states import FlowRunState
from orchd.processes.fence import Probe
from orchd.processes.protocol import Ended, Launched
from orchd.scheduler.recovery import FOLDER_GONE, MONITOR_DIED
from orchd.store import runs
from scheduler.daemon import PID, Daemon
from scheduler.rig import START, Rig, finished, started, write_journal, write_monitor

S = FlowRunState


def test_a_run_goes_on_over_a_restart(launched: Daemon) -> None:
    """
    The next daemon adopts it, and knows whose its output is.
    """
    run = launched.run()
    launched.hold(run)
    write_monitor(run.folder, started(launched.now))
    run.folder.stdout.write_bytes(b"one\n")
    write_journal(run.folder, TaskRecord(at=1, slug="t", state="running", stdout=0, stderr=0))
    launched.scheduler.stir(run.id)
    launched.writer.work()

    launched.begin()
    launched.load()
    with run.folder.stdout.open("ab") as file:
        file.write(b"two\n")
    launched.tick()

    assert PID == launched.run().monitor_pid
    assert ["t: one", "t: two"] == launched.rig.lines(launched.run())
    assert 1 == len(launched.launched)


def test_a_monitor_that_died_without_a_word_is_a_crash(launched: Daemon) -> None:
    """
    Its strays are killed, and the run's message says what happened.
    """
    run = launched.run()
    write_monitor(run.folder, started(launched.now))
    with capture_logs() as logs:
        launched.tick()

    assert [("a crashed", MONITOR_DIED)] == [(launched.rig.states()[0], launched.rig.detail(run).message)]
    assert [2] == [entry["strays_killed"] for entry in logs if entry["event"] == "monitor_died"]


def test_a_run_that_is_being_killed_is_waited_for(launched: Daemon) -> None:
    """
    While it holds its byte it may still write.
    """
    run = launched.run()
    write_monitor(run.folder, started(launched.now))
    launched.holders[run.id] = Probe(monitor_pid=None, run_pid=PID)
    launched.tick()

    assert ["a running"] == launched.rig.states()


def test_a_run_that_outlives_its_monitor_is_killed(launched: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The kernel was to do it; a second later the daemon does.
    """
    killed: list[int] = []
    monkeypatch.setattr("orchd.scheduler.follow.kill_holder", lambda folder, pid: killed.append(pid))
    run = launched.run()
    write_monitor(run.folder, started(launched.now))
    launched.holders[run.id] = Probe(monitor_pid=None, run_pid=PID + 1)
    launched.tick(after=timedelta(seconds=0.5))
    launched.tick(after=timedelta(seconds=0.5))
    assert [] == killed
    launched.tick(after=timedelta(seconds=0.5))
    assert [PID + 1] == killed

    launched.holders.clear()
    launched.tick()

    assert [("a crashed", MONITOR_DIED)] == [(launched.rig.states()[0], launched.rig.detail(run).message)]


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("restarted", [True, False])
def test_a_run_whose_folder_is_gone_is_over(launched: Daemon, begun: bool, restarted: bool) -> None:
    """
    Its own code may have removed it, so it is not launched again; what never was with a spawner is.
    """
    run = launched.run()
    if begun:
        write_monitor(run.folder, started(launched.now))
        launched.hold(run)
        launched.scheduler.stir(run.id)
        launched.writer.work()
        launched.holders.clear()
    shutil.rmtree(run.folder.path)
    if restarted:
        launched.begin()
        launched.load()
    else:
        launched.scheduler.reply(Ended(folder=str(run.folder.path), pid=PID, status=0))
        launched.writer.work()

    if restarted and not begun:
        assert (["a pending"], [run.id, run.id]) == (launched.rig.states(), launched.launched)
    else:
        assert [("a crashed", FOLDER_GONE)] == [(launched.rig.states()[0], launched.rig.detail(run).message)]
        assert [run.id] == launched.launched


@pytest.mark.parametrize("state", [S.PENDING, S.RUNNING])
def test_a_run_of_another_host_is_left_alone(rig: Rig, monkeypatch: pytest.MonkeyPatch, state: FlowRunState) -> None:
    """
    Its folder is elsewhere; the log says so once.
    """
    run = rig.run(state=S.SCHEDULED)
    with rig.database.writing() as conn:
        runs.claim(conn, [run.id], host="another", at_us=to_us(START))
    if state is S.RUNNING:
        rig.move(run.id, state)
    shutil.rmtree(run.folder.path)
    daemon = Daemon(rig, monkeypatch)
    with capture_logs() as logs:
        daemon.load()
        daemon.tick()
        daemon.scheduler.spawner_gone()
        daemon.writer.work()

    assert ([f"load {state.value}"], []) == (rig.states(), daemon.launched)
    assert ["another"] == [entry["host"] for entry in logs if entry["event"] == "run_of_another_host"]


@pytest.mark.parametrize("name", ["stdout", "stderr", "journal.jsonl", "monitor.jsonl"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_a_run_that_spoils_its_folder_hurts_nobody_else(launched: Daemon, name: str, kind: str) -> None:
    """
    The rest of it is still stored, its log says what is not, once, and it ends as its monitor says, or as crashed.
    """
    run = launched.run()
    write_monitor(run.folder, started(launched.now))
    launched.hold(run)
    launched.tick()
    path = run.folder.path / name
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    if name != "stdout":
        run.folder.stdout.write_bytes(b"one\n")
    if name != "journal.jsonl":
        write_journal(run.folder, TaskRecord(at=1, slug="t", state="running", stdout=0, stderr=9))
    launched.tick()
    launched.tick()
    if name != "monitor.jsonl":
        write_monitor(run.folder, finished(at=launched.now))
    launched.holders.clear()
    launched.scheduler.monitor_gone(run.id)
    launched.writer.work()

    assert ["a crashed" if name == "monitor.jsonl" else "a success"] == launched.rig.states()
    lines = launched.rig.lines(run)
    assert 1 == sum(f"{path} cannot be read" in line for line in lines)
    assert (name != "stdout") == any(line.endswith(": one") for line in lines)
    assert [run.id] == launched.launched


def test_a_spoilt_run_does_not_keep_the_next_daemon_from_starting(launched: Daemon) -> None:
    """
    It reads where the last one had come to.
    """
    run = launched.run()
    write_monitor(run.folder, started(launched.now))
    launched.hold(run)
    write_journal(run.folder, TaskRecord(at=1, slug="t", state="running", stdout=0, stderr=0))
    launched.tick()
    run.folder.journal.unlink()
    run.folder.journal.mkdir()
    launched.begin()
    launched.load()

    assert ["a running"] == launched.rig.states()


@pytest.mark.parametrize("call", ["orchd.processes.fence.probe", "orchd.scheduler.ingest.look"])
def test_a_shortage_of_descriptors_costs_only_time(
    launched: Daemon, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """
    A run that ended meanwhile ends in the store when there are some again, with all its lines.
    """
    run = launched.run()
    write_monitor(run.folder, started(launched.now), finished(at=launched.now))
    run.folder.stdout.write_bytes(b"one\n")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(call, refuse)
        launched.scheduler.reply(Ended(folder=str(run.folder.path), pid=PID, status=0))
        launched.tick()
    launched.tick()

    assert (["a success"], ["-: one"]) == (launched.rig.states(), launched.rig.lines(run))


def test_a_run_that_was_voided_is_cancelled(launched: Daemon) -> None:
    """
    A daemon that was killed in the middle of a cancel finds the word that it left.
    """
    run = launched.run()
    write_monitor(run.folder, Void(at=1, reason="by ann"))
    launched.tick()

    assert [("a cancelled", "by ann")] == [(launched.rig.states()[0], launched.rig.detail(run).message)]


def test_a_monitor_that_is_gone_before_it_is_watched_is_looked_at_again(launched: Daemon) -> None:
    """
    Nothing is noted of it.
    """
    run = launched.run()
    launched.hold(run)
    launched.monitors_are_there = False
    launched.tick()
    assert run.monitor_pid is None

    launched.monitors_are_there = True
    launched.tick()
    launched.tick()

    assert PID == run.monitor_pid


def test_words_about_runs_that_are_no_more_are_passed_over(daemon: Daemon) -> None:
    """
    A late nudge, a late reply, the end of a monitor.
    """
    daemon.scheduler.stir("gone")
    daemon.scheduler.monitor_gone("gone")
    daemon.scheduler.reply(Launched(folder="/runs/gone", pid=PID))
    daemon.writer.work()

    assert {} == daemon.scheduler.board.live


def test_a_long_output_is_taken_piece_by_piece(launched: Daemon) -> None:
    """
    In between the writer does what is more urgent.
    """
    run = launched.run()
    run.folder.stdout.write_bytes(b"line\n" * 50_000)
    launched.scheduler.stir(run.id)
    launched.writer.work(rounds=1)
    assert 1 == len(launched.writer.jobs)
    launched.writer.work()

    assert 50_000 == len(launched.rig.lines(run))
