"""
The scheduler: each reason to act does what follows from it, at once or when the store is back.
"""

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from orchd.errors import NotFound, StoreError
from orchd.model.instants import from_us, to_us
from orchd.model.records import TaskRecord
from orchd.model.specs import Overlap
from orchd.model.states import FlowRunState
from orchd.processes.protocol import Described, Launched
from orchd.store import schedules
from scheduler.daemon import PID, Daemon
from scheduler.rig import START, every_minute, finished, minute, started, waiting, write_journal, write_monitor

S = FlowRunState


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


def test_descriptions_are_not_for_the_scheduler(daemon: Daemon) -> None:
    """
    Who asked for one has got it already.
    """
    daemon.scheduler.reply(Described(id=1, ok=True, error=None))

    assert [] == daemon.writer.jobs


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
