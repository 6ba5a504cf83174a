"""
A plan is carried out whole or not at all: slots, runs and claims in one transaction, then the launch.
"""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from orchd import clock
from orchd.errors import StateError, StoreError
from orchd.model.instants import from_us, to_us
from orchd.model.slots import Outcome, Reason
from orchd.model.specs import CatchUp, Overlap
from orchd.model.states import FlowRunState
from orchd.store import queries, schedules, slots, upkeep
from orchd.store.slots import NewSlot
from scheduler.rig import HOST, START, Rig, every_minute, minute

S = FlowRunState


def test_what_is_due_is_recorded_claimed_and_launched(rig: Rig) -> None:
    """
    One slot, one run that is pending here, one folder, one message to the spawner.
    """
    rig.use(every_minute("a"))
    rig.tick(minute(1))

    (run,) = rig.board.live.values()
    assert ["10:01 on_time"] == rig.slots("a")
    assert (S.PENDING, HOST, [run.id]) == (run.state, run.row.host, rig.launched)
    assert (run.id, "a") == (run.folder.read_spec().run_id, run.folder.read_spec().schedule)


def test_the_board_is_told_the_next_fire_time(rig: Rig) -> None:
    """
    A second tick at the same instant has nothing to do.
    """
    rig.use(every_minute("a"))
    rig.tick(minute(1))
    rig.tick(minute(1) + timedelta(milliseconds=1))

    assert minute(2) == rig.board.entries["a"].next_fire
    assert minute(2) == rig.board.next_wake(minute(1))
    assert ["10:01 on_time"] == rig.slots("a")


def test_the_board_holds_what_the_store_does(rig: Rig) -> None:
    """
    Rows that were never read back are those that reading would give.
    """
    rig.use(*[every_minute(f"s{number}") for number in range(20)])
    rig.tick(minute(1))
    shown = {run.id: run.row for run in rig.board.live.values()}
    rig.take_over()

    assert 20 == len(shown)
    assert shown == {run.id: run.row for run in rig.board.live.values()}


def test_launches_come_after_the_commit(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What the spawner is asked for is in the store already, whatever happens next.
    """
    seen: list[str] = []
    monkeypatch.setattr(rig.launcher, "_send", lambda folder: seen.extend(rig.states()))
    rig.use(every_minute("a"))
    rig.tick(minute(1))

    assert ["a pending"] == seen


@pytest.mark.parametrize("step", ["slots.insert_slots", "runs.insert_runs", "runs.claim", "schedules.set_decided"])
def test_a_tick_that_cannot_write_all_writes_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """
    Nothing is stored or launched, and the next tick does it all.
    """
    rig.use(every_minute("a"))

    def away(*_: object, **__: object) -> None:
        raise StoreError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(f"orchd.scheduler.tick.{step}", away)
        with pytest.raises(StoreError):
            rig.tick(minute(1))
    assert ([], [], []) == (rig.slots("a"), rig.states(), rig.launched)

    rig.tick(minute(1))

    assert (["10:01 on_time"], ["a pending"], 1) == (rig.slots("a"), rig.states(), len(rig.launched))


def test_without_a_place_a_run_is_held(rig: Rig) -> None:
    """
    It has its slot, and starts in the order of fire time and name when places get free.
    """
    rig.limit(max_runs=1)
    rig.use(*[every_minute(name) for name in ("c", "a", "b")])
    rig.tick(minute(1))
    assert ["a pending", "b scheduled", "c scheduled"] == sorted(rig.states())

    rig.move(rig.launched[0], S.RUNNING, S.SUCCESS)
    rig.tick(minute(1) + timedelta(seconds=1))

    assert ["a success", "b pending", "c scheduled"] == sorted(rig.states())
    assert 2 == len(rig.launched)


def test_with_no_place_at_all_nothing_is_admitted(rig: Rig) -> None:
    """
    The slot is recorded all the same.
    """
    rig.limit(max_runs=0)
    rig.use(every_minute("a"))
    rig.tick(minute(1))

    assert (["10:01 on_time"], ["a scheduled"], []) == (rig.slots("a"), rig.states(), rig.launched)


def test_a_clock_that_was_set_back_starts_nothing_twice(rig: Rig) -> None:
    """
    A fire time that has its row is left alone, and the schedule goes on behind it.
    """
    rig.use(every_minute("a", overlap=Overlap.ALLOW))
    rig.tick(minute(1))
    with rig.database.writing() as conn:
        schedules.set_decided(conn, [(rig.board.entries["a"].row.id, to_us(START))])
    rig.take_over()

    rig.tick(minute(1))
    rig.tick(minute(2))

    assert ["10:01 on_time", "10:02 on_time"] == rig.slots("a")
    assert ["a pending", "a pending"] == rig.states()
    assert 2 == len(rig.launched)


def test_a_cursor_far_in_the_future_is_set_back(rig: Rig) -> None:
    """
    A wrong clock of yesterday does not silence a schedule for ever, and the log says so.
    """
    rig.use(every_minute("a"), at=START + timedelta(days=300))
    with capture_logs() as logs:
        rig.tick(START, everything=True)

    assert START == from_us(rig.board.entries["a"].row.decided_until_us)
    assert [("cursor_set_back", "a")] == [(entry["event"], entry["schedule"]) for entry in logs]
    rig.tick(minute(1))
    assert ["10:01 on_time"] == rig.slots("a")


def test_a_cursor_is_not_set_back_before_what_was_purged(rig: Rig) -> None:
    """
    Rows that are gone can no longer refuse a second start; board and store say the same.
    """
    rig.use(every_minute("a"), at=START + timedelta(days=300))
    floor = START + timedelta(days=1)
    row = rig.board.entries["a"].row
    with rig.database.writing() as conn:
        slot = NewSlot(
            schedule_id=row.id,
            version_id=row.version_id,
            fire_time_us=to_us(floor),
            outcome=Outcome.SKIPPED,
            reason=Reason.REMOVED,
        )
        slots.insert_slots(conn, [slot])
        upkeep.purge(conn, before_us=to_us(floor) + 1, failed_before_us=0, limit=10)
    rig.tick(START, everything=True)
    rig.tick(minute(1))

    assert ([], floor) == (rig.slots("a"), from_us(rig.board.entries["a"].row.decided_until_us))


def test_replace_cancels_what_goes_on(rig: Rig) -> None:
    """
    The old run is asked to end, the new one waits until it has.
    """
    rig.use(every_minute("a", overlap=Overlap.REPLACE))
    rig.tick(minute(1))
    old = rig.board.live[rig.launched[0]]
    rig.move(old.id, S.RUNNING)
    rig.tick(minute(2))

    assert ["a cancelling", "a scheduled"] == rig.states()
    assert "replaced" in str(old.folder.read_cancel())
    assert S.CANCELLING is rig.board.live[old.id].state


def test_replace_of_a_run_without_a_folder_stops_no_schedule(rig: Rig) -> None:
    """
    What cannot be asked to end is logged once and asked again; everything else starts as ever.
    """
    rig.use(every_minute("a", overlap=Overlap.REPLACE), every_minute("b"))
    rig.tick(minute(1))
    old = next(run for run in rig.board.live.values() if run.row.schedule == "a")
    rig.move(old.id, S.RUNNING)
    away = old.folder.path.rename(old.folder.path.with_name("away"))
    with capture_logs() as logs:
        rig.tick(minute(2))
        rig.cancels.ask_all()

    assert ["a cancelling", "b pending", "a scheduled"] == rig.states()
    assert ["10:01 on_time", "10:02 overlap"] == rig.slots("b")
    assert 1 == [entry["event"] for entry in logs].count("run_not_asked_to_end")

    away.rename(old.folder.path)
    rig.cancels.ask_all()
    assert "replaced" in str(old.folder.read_cancel())


def test_a_request_to_end_that_is_lost_is_put_again(rig: Rig) -> None:
    """
    As after a daemon that died right after its commit.
    """
    run = rig.run(state=S.CANCELLING)
    rig.cancels.ask_all()
    run.folder.cancel.unlink()
    rig.cancels.ask_all()

    assert run.folder.cancel.exists()


def test_replace_cancels_what_waits_too(rig: Rig) -> None:
    """
    A run that had no place yet is over at once.
    """
    rig.limit(max_runs=0)
    rig.use(every_minute("a", overlap=Overlap.REPLACE))
    rig.tick(minute(1))
    rig.tick(minute(2))

    assert ["a cancelled", "a scheduled"] == rig.states()
    assert 1 == len(rig.board.live)


def test_what_was_skipped_or_missed_is_logged_with_its_reason(rig: Rig) -> None:
    """
    The daemon's log tells it without being asked.
    """
    rig.use(every_minute("a", catchup=CatchUp.LATEST))
    with capture_logs() as logs:
        rig.tick(minute(3))

    assert ["10:01 newer_fire", "10:02 newer_fire", "10:03 on_time"] == rig.slots("a")
    assert ["2026-06-01T10:01:00+00:00", "2026-06-01T10:02:00+00:00"] == [
        entry["fire_time"] for entry in logs if entry["event"] == "slot_not_started"
    ]


def test_a_flow_that_was_never_loaded_starts_nothing(rig: Rig) -> None:
    """
    The slot says so.
    """
    rig.use(every_minute("a", flow="lost"))
    rig.tick(minute(1))

    assert (["10:01 flow_not_loaded"], []) == (rig.slots("a"), rig.states())


def test_a_paused_schedule_is_not_due_and_is_judged_when_it_goes_on(rig: Rig) -> None:
    """
    What it owes is decided once, and the ended pause is forgotten with it.
    """
    rig.use(every_minute("a"))
    with rig.database.writing() as conn:
        schedules.pause(conn, "a", who="ann", note="", at_us=to_us(START))
    rig.take_over()
    rig.tick(minute(3))
    assert [] == rig.slots("a")
    assert rig.board.next_wake(minute(3)) is None

    with rig.database.writing() as conn:
        schedules.unpause(conn, "a", at_us=to_us(minute(3)) + 1)
    rig.take_over()
    rig.tick(minute(3) + timedelta(seconds=1))

    assert ["10:01 paused", "10:02 paused", "10:03 on_time"] == rig.slots("a")
    with rig.database.reading() as conn:
        assert schedules.load(conn)[0].last_pause is None
    assert rig.board.entries["a"].row.last_pause is None


@pytest.mark.parametrize("error", [StateError("no spawner"), OSError(28, "No space left on device")])
def test_a_launch_that_fails_is_tried_again(rig: Rig, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """
    The run keeps its place, and goes when the spawner is back.
    """
    rig.use(every_minute("a"))

    def refuse(_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(rig.launcher, "_send", refuse)
        rig.tick(minute(1))
    assert (["a pending"], 1) == (rig.states(), len(rig.launcher.unlaunched))
    assert {str(error)} == set(rig.launcher.waiting().values())

    rig.launcher.again()

    assert (1, set()) == (len(rig.launched), rig.launcher.unlaunched)


def test_a_launch_that_fails_is_told_once_a_minute(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    However often it is tried; at once when the reason is another one.
    """
    times = iter((100.0, 159.0, 160.0, 161.0, 162.0))
    run = rig.run(state=S.PENDING)
    monkeypatch.setattr(clock, "monotonic", lambda: next(times))
    with capture_logs() as logs:
        for why in ("full", "full", "full", "away", "away"):
            rig.launcher.put_off(run.id, why)

    assert ["full", "full", "away"] == [entry["error"] for entry in logs if entry["event"] == "launch_put_off"]

    rig.move(run.id, S.RUNNING)
    rig.launcher.again()

    assert (None, {}) == (rig.launcher.why_put_off(run.id), rig.launcher.waiting())


def test_what_was_cancelled_meanwhile_is_not_launched_again(rig: Rig) -> None:
    """
    Nor is what is no longer there.
    """
    run = rig.run(state=S.RUNNING)
    rig.launcher.unlaunched |= {run.id, "gone"}
    rig.launcher.again()

    assert ([], set()) == (rig.launched, rig.launcher.unlaunched)


def test_a_herd_starts_in_order(rig: Rig) -> None:
    """
    Of 300 schedules due at one instant each gets its slot, and the held runs start by name.
    """
    names = [f"herd-{number:03}" for number in range(300)]
    rig.use(*[every_minute(name) for name in reversed(names)])
    rig.tick(minute(1))
    for _ in range(4):
        for run_id in rig.launched[-8:]:
            rig.move(run_id, S.RUNNING, S.SUCCESS)
        rig.tick(minute(1) + timedelta(seconds=1))

    with rig.database.reading() as conn:
        found = {run.id: run.schedule for run in queries.runs(conn, limit=500)}
    assert names[:40] == [found[run_id] for run_id in rig.launched]
    assert 300 == len(found)
    assert 8 == rig.board.placed
