"""
The daemon as the API sees it, and the order in which it goes down.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from orchd.errors import NotFound, StoreError
from orchd.model.ids import FlowRunId
from orchd.model.records import Started
from orchd.model.states import FlowRunState
from orchd.scheduler.changes import Changes
from orchd.service.doors import Doors
from orchd.service.facade import Facade
from orchd.service.stopping import Stopper
from orchd.store.database import Connection
from orchd.store.runs import RunRow
from scheduler.daemon import Daemon
from scheduler.rig import Rig, every_minute, finished, minute, started, write_monitor
from scheduler.test_reload import Reloading

S = FlowRunState


@pytest.fixture
def daemon(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """
    A daemon with one schedule that is due each minute, which has begun.
    """
    rig.use(every_minute("a"))
    made = Daemon(rig, monkeypatch)
    made.load()
    made.tick()
    return made


class Faced:
    """
    A facade over a daemon whose writer works by hand.
    """

    def __init__(self, daemon: Daemon, loop: asyncio.AbstractEventLoop) -> None:
        """
        Be up since now.
        """
        self.stops: list[bool] = []
        self.reloading = Reloading(daemon)
        self.changes = Changes(loop)
        self.reloading.reloader.has_loaded.set()
        self.facade = Facade(
            daemon.scheduler,
            self.reloading.reloader,
            self.changes,
            Doors(daemon.scheduler, daemon.scheduler.launcher.config.daemon),
            version="1",
            stop=self.stops.append,
        )


@pytest.fixture
def faced(daemon: Daemon) -> Any:
    """
    A facade that needs no running loop.
    """
    loop = asyncio.new_event_loop()
    yield Faced(daemon, loop)
    loop.close()


def test_the_facts_are_those_that_no_store_holds(daemon: Daemon, faced: Faced) -> None:
    """
    Who, where, since when; what is broken; how the clock was set, and who waits for it.
    """
    faced.reloading.reloader.error = "line 3"
    daemon.tick(set_by=timedelta(hours=-1))
    facts = faced.facade.facts()

    assert {"pid", "version", "started_at", "store", "timezone", "state_dir", "socket", "max_runs", "host"} < set(
        facts["daemon"]  # type: ignore[call-overload]
    )
    assert ("line 3", []) == (facts["config_error"], facts["broken"])
    assert [-3600.0] == [jump["seconds"] for jump in facts["clock_jumps"]]  # type: ignore[attr-defined]
    assert [{"schedule": "a", "until": "2026-06-01T10:00:00Z"}] == facts["clock_waits"]


def test_a_daemon_is_healthy_while_it_ticks_and_stores(daemon: Daemon, faced: Faced) -> None:
    """
    Without a tick for long, or with a store that is away, it is not.
    """
    assert faced.facade.is_healthy()
    daemon.monotonic_s += 4.9
    assert faced.facade.is_healthy()
    daemon.monotonic_s += 0.2
    assert not faced.facade.is_healthy()

    faced.facade.ticked_s = daemon.monotonic_s
    daemon.scheduler.health.error = "away"

    assert not faced.facade.is_healthy()


def test_a_run_is_started_and_cancelled(daemon: Daemon, faced: Faced) -> None:
    """
    By a person; the board knows it at once, and a tick follows.
    """
    run_id = faced.facade.start_run(
        flow="load", parameters={"x": 1}, at=minute(30), idempotency_key=None, by="ann"
    ).result(10)
    assert [run_id] == list(daemon.scheduler.board.live)
    assert {run_id: "held because it is wanted at 2026-06-01T10:30:00Z, which is still to come"} == (
        faced.facade.holds()
    )
    assert daemon.writer.jobs

    assert run_id == faced.facade.cancel_run(run_id, reason="no more", by="bob").result(10)

    assert {} == daemon.scheduler.board.live
    with daemon.rig.database.reading():
        assert ["load cancelled"] == daemon.rig.states()


def test_a_flow_that_is_not_there_cannot_be_started(faced: Faced) -> None:
    """
    The sentence says which there are.
    """
    with pytest.raises(NotFound, match="there is no flow 'lost'; there are: load, report"):
        faced.facade.start_run(flow="lost", parameters={}, at=None, idempotency_key=None, by="ann").result(10)


def test_a_schedule_is_paused_and_goes_on(daemon: Daemon, faced: Faced) -> None:
    """
    The board knows it at once.
    """
    faced.facade.pause("a", note="holidays", by="ann").result(10)
    paused = daemon.scheduler.board.entries["a"].row.paused
    assert paused is not None
    assert ("ann", "holidays") == (paused.who, paused.note)

    faced.facade.unpause("a", by="ann").result(10)

    assert daemon.scheduler.board.entries["a"].row.paused is None


def test_questions_are_passed_on(faced: Faced) -> None:
    """
    Coming fire times, broken files, reload, stop.
    """
    assert ["2026-06-01T10:01:00Z"] == [row["fire_time"] for row in faced.facade.upcoming("a", n=1, after=None)]
    assert ["2026-06-01T10:06:00Z"] == [row["fire_time"] for row in faced.facade.upcoming("a", n=1, after=minute(5))]
    assert {} == faced.facade.flow_errors()
    assert faced.facade.reload().result(10)["ok"]
    faced.facade.stop(cancel=True)

    assert [True] == faced.stops
    assert faced.facade.monotonic()


def test_a_reload_that_fails_in_an_unknown_way_is_told(faced: Faced, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The daemon goes on with what it had.
    """

    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(faced.reloading.reloader, "reload", broken)

    assert isinstance(faced.facade.reload().exception(10), ZeroDivisionError)


def test_readers_wait_for_the_next_change(daemon: Daemon) -> None:
    """
    Through the facade.
    """

    async def poll() -> bool:
        faced = Faced(daemon, asyncio.get_running_loop())
        change = faced.facade.next_change()
        faced.changes.notify()
        await faced.facade.changed(change, within_s=10)
        return change.done()

    assert asyncio.run(poll())


# Going down


def going_down(daemon: Daemon, *, grace_s: float, asks: int, cancel: bool, ends: bool = True) -> list[str]:
    """
    Stop a daemon with one running run, and say what became of the run.
    """

    async def stop() -> None:
        changes = Changes(asyncio.get_running_loop())
        stopper = Stopper(daemon.scheduler, changes, grace=timedelta(seconds=grace_s))
        waiting = asyncio.create_task(stopper.wait())
        for _ in range(asks):
            stopper.stop(cancel=cancel)
        for _ in range(1000):
            if waiting.done():
                break
            await asyncio.to_thread(int)
            daemon.monotonic_s += 1
            run = next(iter(daemon.scheduler.board.live.values()), None)
            is_asked = run is not None and run.folder.read_cancel() is not None
            if run is not None and is_asked and ends and run.folder.finished() is None:
                daemon.holders.pop(run.id)
                write_monitor(run.folder, finished("cancelled", at=daemon.now))
                daemon.scheduler.stir(run.id)
            daemon.writer.work()
            changes.notify()
        await asyncio.wait_for(waiting, 10)

    asyncio.run(stop())
    return daemon.rig.states()


@pytest.fixture
def running(daemon: Daemon) -> Daemon:
    """
    The same with a run that goes on.
    """
    daemon.tick(after=timedelta(seconds=60))
    run = daemon.run()
    daemon.hold(run)
    write_monitor(run.folder, started(daemon.now))
    daemon.tick()
    assert isinstance(run.folder.began(), Started)
    return daemon


def test_a_plain_stop_leaves_the_runs_to_themselves(running: Daemon) -> None:
    """
    They go on under their monitors, and nothing new is started.
    """
    assert ["a running"] == going_down(running, grace_s=30, asks=1, cancel=False)
    running.tick(after=timedelta(minutes=2))
    assert ["a running"] == running.rig.states()


@pytest.mark.parametrize(("grace_s", "asks"), [(30, 1), (1e9, 2)])
def test_a_stop_with_cancel_ends_the_runs(running: Daemon, grace_s: float, asks: int) -> None:
    """
    After their grace, or at once when it is asked for twice.
    """
    assert ["a cancelled"] == going_down(running, grace_s=grace_s, asks=asks, cancel=True)


def test_with_nothing_going_on_a_stop_is_over_at_once(daemon: Daemon) -> None:
    """
    Nobody waits for a grace.
    """
    assert [] == going_down(daemon, grace_s=1e9, asks=1, cancel=True)


def test_a_writer_that_dies_ends_the_daemon_at_once(running: Daemon) -> None:
    """
    Also in the grace of a stop with cancel: nobody would ever say that the runs are over.
    """

    async def stop() -> None:
        stopper = Stopper(running.scheduler, Changes(asyncio.get_running_loop()), grace=timedelta(days=1))
        waiting = asyncio.create_task(stopper.wait())
        stopper.stop(cancel=True)
        await asyncio.to_thread(int)
        stopper.fail()
        await asyncio.wait_for(waiting, 10)

    asyncio.run(stop())
    assert ["a running"] == running.rig.states()


def test_a_stop_with_cancel_that_is_asked_for_three_times_waits_for_nobody(running: Daemon) -> None:
    """
    A run that does not end cannot keep the daemon up for ever.
    """
    assert ["a cancelling"] == going_down(running, grace_s=1e9, asks=3, cancel=True, ends=False)


def test_one_run_that_cannot_be_cancelled_keeps_no_other_from_it(
    running: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is logged, and tried again until it succeeds.
    """
    cancel, refused = running.scheduler.cancel, []

    def once_refused(conn: Connection, row: RunRow, **values: Any) -> list[FlowRunId]:
        if not refused:
            refused.append(row.name)
            raise StoreError("the store is away")
        return cancel(conn, row, **values)

    monkeypatch.setattr(running.scheduler, "cancel", once_refused)
    other = running.rig.run()
    running.hold(other)
    write_monitor(other.folder, started(running.now))
    running.load()
    with capture_logs() as logs:
        states = going_down(running, grace_s=0, asks=1, cancel=True)

    assert ["a cancelled", "load cancelled"] == states
    assert refused == [entry["run"] for entry in logs if entry["event"] == "run_not_cancelled"]
