"""
The scheduler: each reason to act does what follows from it, at once or when the store is back.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from orchd.errors import NotFound, StoreError
from orchd.model.instants import from_us, to_us
from orchd.model.records import TaskRecord, Void
from orchd.model.specs import Overlap
from orchd.model.states import FlowRunState
from orchd.processes.fence import Probe
from orchd.processes.protocol import Described, Ended, Launched, Refused
from orchd.scheduler.recovery import FOLDER_GONE, MONITOR_DIED
from orchd.store import runs, schedules
from scheduler.daemon import PID, Daemon
from scheduler.rig import START, Rig, every_minute, finished, minute, started, waiting, write_journal, write_monitor

S = FlowRunState


@pytest.fixture
def daemon(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """
    A daemon with one schedule that is due each minute, which has begun.
    """
    rig.use(every_minute("a"))
    made = Daemon(rig, monkeypatch)
    made.load()
    made.tick()
    return made


@pytest.fixture
def launched(daemon: Daemon) -> Daemon:
    """
    The same with a run that was launched.
    """
    daemon.tick(after=timedelta(seconds=60))
    return daemon


def test_a_tick_sets_the_alarm_to_what_is_next(daemon: Daemon) -> None:
    """
    And says that it really ran.
    """
    assert (minute(1), 1) == (daemon.wakes[-1], daemon.ticks)


def test_a_run_is_started_followed_and_ended(launched: Daemon) -> None:
    """
    From its fire time to its last line.
    """
    run = launched.run()
    assert [run.id] == launched.launched

    launched.hold(run)
    write_monitor(run.folder, started(launched.now))
    launched.scheduler.reply(Launched(folder=str(run.folder.path), pid=PID))
    launched.writer.work()
    assert (S.RUNNING, PID) == (run.state, run.monitor_pid)

    write_journal(run.folder, TaskRecord(at=1, slug="t", state="running"))
    launched.scheduler.stir(run.id)
    launched.scheduler.stir(run.id)
    assert 1 == len(launched.writer.jobs)
    write_monitor(run.folder, finished(at=launched.now))
    launched.holders.clear()
    launched.scheduler.monitor_gone(run.id)
    launched.writer.work()

    assert ["a success"] == launched.rig.states()
    assert {} == launched.scheduler.board.live
    assert launched.changes == 3


def test_readers_are_told_of_runs_that_a_tick_makes(daemon: Daemon) -> None:
    """
    Whoever waits for the next run of a flow need not wait for its first line; a tick with nothing to do is no news.
    """
    daemon.tick()
    assert 0 == daemon.changes

    daemon.tick(after=timedelta(seconds=60))

    assert 1 == daemon.changes


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


@pytest.mark.parametrize("reply", [Ended, Launched])
def test_a_run_that_never_began_is_launched_again(launched: Daemon, reply: type) -> None:
    """
    When its monitor has ended; one that was only just launched is given its time.
    """
    run = launched.run()
    values = {"status": 0} if reply is Ended else {}
    launched.scheduler.reply(reply(folder=str(run.folder.path), pid=PID, **values))
    launched.writer.work()

    assert [run.id] * (2 if reply is Ended else 1) == launched.launched


def test_a_run_that_is_still_dying_is_launched_again_when_it_is_dead(launched: Daemon) -> None:
    """
    Its monitor was killed before it wrote how the run began; the kernel takes its time with the run.
    """
    run = launched.run()
    launched.holders[run.id] = Probe(monitor_pid=None, run_pid=PID)
    launched.scheduler.reply(Ended(folder=str(run.folder.path), pid=PID, status=-9))
    launched.writer.work()
    launched.tick(after=timedelta(seconds=0.2))
    assert 1 == len(launched.launched)

    launched.holders.clear()
    launched.tick()

    assert 2 == len(launched.launched)


def test_a_run_that_cannot_begin_is_launched_at_growing_intervals(launched: Daemon) -> None:
    """
    A full disk, for one, ends each monitor of it within milliseconds.
    """
    run = launched.run()
    launches: list[int] = []
    for second in range(20):
        for _ in range(3):
            launched.scheduler.reply(Ended(folder=str(run.folder.path), pid=PID, status=70))
            launched.writer.work()
        launches += [second] * (len(launched.launched) - 1 - len(launches))
        launched.tick()

    assert [0, 1, 3, 7, 15] == launches


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


def test_a_new_spawner_is_asked_again(launched: Daemon) -> None:
    """
    What the old one had not launched would wait for ever.
    """
    launched.scheduler.spawner_gone()
    launched.writer.work()

    assert 2 == len(launched.launched)


def test_a_launch_that_was_refused_is_tried_with_the_next_tick(launched: Daemon) -> None:
    """
    And the log says why.
    """
    run = launched.run()
    with capture_logs() as logs:
        launched.scheduler.reply(Refused(folder=str(run.folder.path), error="no more processes"))
        launched.writer.work()
        launched.tick()

    assert 2 == len(launched.launched)
    assert ["no more processes"] == [entry["error"] for entry in logs if entry["event"] == "launch_put_off"]


def test_descriptions_are_not_for_the_scheduler(daemon: Daemon) -> None:
    """
    Who asked for one has got it already.
    """
    daemon.scheduler.reply(Described(id=1, ok=True, error=None))

    assert [] == daemon.writer.jobs


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


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_was_set_is_noticed_and_kept(daemon: Daemon, hours: int) -> None:
    """
    Also for the next daemon.
    """
    with capture_logs() as logs:
        daemon.tick(set_by=timedelta(hours=hours))
    assert [hours * 3600.0] == [entry["seconds"] for entry in logs if entry["event"] == "clock_jumped"]

    daemon.begin()
    daemon.load()

    assert [(daemon.now, hours * 3600.0)] == [(jump.at, jump.seconds) for jump in daemon.scheduler.jumps.latest()]


def test_a_clock_set_back_by_days_silences_nobody(daemon: Daemon) -> None:
    """
    Cursors that lie far in the future are set back, also when the store was away at that moment.
    """
    with daemon.rig.database.writing() as conn:
        schedules.set_decided(conn, [(daemon.scheduler.board.entries["a"].row.id, to_us(START + timedelta(days=9)))])
    daemon.scheduler.take_over_schedules()
    with pytest.MonkeyPatch.context() as patch:

        def away(*_: object) -> None:
            raise StoreError("away")

        patch.setattr("orchd.scheduler.tick.schedules.set_decided", away)
        daemon.tick(set_by=timedelta(days=-1))
    assert "away" == daemon.scheduler.health.error
    daemon.tick()

    assert daemon.scheduler.health.error is None
    assert daemon.now == from_us(daemon.scheduler.board.entries["a"].row.decided_until_us)


def test_a_daemon_that_stops_starts_nothing_more(daemon: Daemon) -> None:
    """
    It goes on following what runs.
    """
    daemon.scheduler.stop_starting()
    daemon.tick(after=timedelta(minutes=5))

    assert ([], 2) == (daemon.rig.states(), daemon.ticks)


def test_what_a_person_does_is_followed_by_a_tick(daemon: Daemon) -> None:
    """
    The result comes when it is stored, and readers are told.
    """
    done: list[int] = []
    future = daemon.scheduler.perform(lambda conn: 5, then=done.append)

    assert (5, [5], 1) == (future.result(), done, daemon.changes)
    assert 1 == len(daemon.writer.jobs)


def test_what_cannot_be_done_changes_nothing(daemon: Daemon) -> None:
    """
    Who asked is told why; nobody else hears of it.
    """

    def act(conn: object) -> None:
        raise NotFound("no such run")

    assert isinstance(daemon.scheduler.perform(act).exception(), NotFound)
    assert (0, []) == (daemon.changes, daemon.writer.jobs)


def test_a_swap_is_followed_by_a_tick(daemon: Daemon) -> None:
    """
    New rules may be due at once.
    """
    daemon.scheduler.swap(lambda: None).result()

    assert (1, 1) == (daemon.changes, len(daemon.writer.jobs))


def test_the_old_rules_decide_up_to_the_change(daemon: Daemon) -> None:
    """
    What is gone starts nothing more, and says so.
    """
    daemon.rig.use(every_minute("a", overlap=Overlap.ALLOW), every_minute("b"))
    daemon.scheduler.take_over_schedules()
    daemon.now = minute(2)
    daemon.scheduler.decide_up_to_now([daemon.rig.board.entries["a"].row.spec])

    assert ["10:01 newer_fire", "10:02 on_time"] == daemon.rig.slots("a")
    assert ["10:01 removed", "10:02 removed"] == daemon.rig.slots("b")


def test_another_config_counts_from_now_on(daemon: Daemon) -> None:
    """
    Places too.
    """
    few = type(daemon.rig.config)(daemon=type(daemon.rig.config.daemon)(**_fields(daemon), max_runs=0))
    daemon.scheduler.set_config(few)
    daemon.tick(after=timedelta(minutes=1))

    assert ["a scheduled"] == daemon.rig.states()


def _fields(daemon: Daemon) -> dict[str, Any]:
    settings = daemon.rig.config.daemon
    return {name: getattr(settings, name) for name in ("socket", "store", "state_dir", "timezone")}


def test_the_log_of_the_store_is_moved_when_nothing_is_going_on(
    launched: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Or when it has grown too large.
    """
    calls: list[int] = []
    monkeypatch.setattr(launched.rig.database, "checkpoint", lambda: calls.append(1))
    launched.hold(launched.run())
    launched.tick()
    assert [] == calls

    monkeypatch.setattr(launched.rig.database, "wal_bytes", lambda: 1 << 30)
    launched.tick()

    assert [1] == calls


def test_a_cancelled_run_starts_what_waits_for_any_end(daemon: Daemon) -> None:
    """
    In the transaction of the cancel.
    """
    daemon.rig.use(waiting("w", "load", when="finished"))
    daemon.scheduler.take_over_schedules()
    run = daemon.rig.run(state=S.SCHEDULED)
    touched = daemon.scheduler.perform(
        lambda conn: daemon.scheduler.cancel(conn, run.row, reason="no more", now=minute(1))
    ).result()
    daemon.scheduler.take_over(*touched)

    assert ["10:01 join"] == daemon.rig.slots("w")
    assert ["w"] == [live.row.schedule for live in daemon.scheduler.board.live.values()]
