"""
What the finish of a run causes for the schedules that wait for its flow, in the transaction of that finish.
"""

from datetime import timedelta

import pytest

from orchd.errors import StoreError
from orchd.model.instants import from_us, to_us
from orchd.model.specs import Overlap, When
from orchd.model.states import FlowRunState
from orchd.scheduler.board import LiveRun
from orchd.scheduler.ingest import End
from orchd.store import schedules
from scheduler.rig import START, Rig, minute, waiting

S = FlowRunState


def finish(rig: Rig, run: LiveRun, state: FlowRunState = S.SUCCESS, *, at: int = 1) -> None:
    """
    Let *run* end as *state*, so many minutes after the start.
    """
    rig.ingest.step(run, End(state=state, message="over", at=to_us(minute(at))))


def test_a_finish_starts_what_waits_for_it(rig: Rig) -> None:
    """
    The run that waited is held until it gets a place, and knows whom it waited for.
    """
    rig.use(waiting("w", "load"))
    run = rig.run()
    finish(rig, run)
    rig.tick(minute(1))

    assert ["10:01 join"] == rig.slots("w")
    assert ["load success", "w pending"] == rig.states()
    started = next(live for live in rig.board.live.values() if live.row.schedule == "w")
    assert {"load": run.id} == started.row.upstream_runs
    assert [started.id] == rig.launched


def test_the_finish_of_another_flow_causes_nothing(rig: Rig) -> None:
    """
    Only the flows that a schedule names count.
    """
    rig.use(waiting("w", "clean"))
    finish(rig, rig.run())

    assert [] == rig.slots("w")


def test_a_join_waits_for_all_of_its_flows(rig: Rig) -> None:
    """
    The last of them starts it, and it takes the newest of each.
    """
    rig.use(waiting("w", "load", "clean"))
    old, new, other = rig.run("load"), rig.run("load"), rig.run("clean")
    finish(rig, old, at=1)
    finish(rig, new, at=2)
    assert [] == rig.slots("w")

    finish(rig, other, at=3)

    started = next(live for live in rig.board.live.values() if live.row.schedule == "w")
    assert {"load": new.id, "clean": other.id} == started.row.upstream_runs


def test_a_finish_serves_one_slot_only(rig: Rig) -> None:
    """
    The second finish of one flow does not use the first one of the other again.
    """
    rig.use(waiting("w", "load", "clean"))
    finish(rig, rig.run("load"), at=1)
    finish(rig, rig.run("clean"), at=2)
    finish(rig, rig.run("clean"), at=3)

    assert ["10:02 join"] == rig.slots("w")


@pytest.mark.parametrize(
    ("when", "state", "reason"),
    [
        (When.SUCCESS, S.FAILED, "upstream_failed"),
        (When.SUCCESS, S.CRASHED, "upstream_failed"),
        (When.FAILURE, S.TIMED_OUT, "join"),
        (When.FAILURE, S.SUCCESS, "upstream_failed"),
        (When.FINISHED, S.CANCELLED, "join"),
    ],
)
def test_only_the_wanted_finish_starts_it(rig: Rig, when: When, state: FlowRunState, reason: str) -> None:
    """
    Another one is written down as skipped, and says so.
    """
    rig.use(waiting("w", "load", when=when))
    finish(rig, rig.run(), state)

    assert [f"10:01 {reason}"] == rig.slots("w")


def test_a_paused_schedule_skips_the_join(rig: Rig) -> None:
    """
    Nothing of it is caught up later.
    """
    rig.use(waiting("w", "load"))
    with rig.database.writing() as conn:
        schedules.pause(conn, "w", who="ann", note="", at_us=to_us(START))
    rig.take_over()
    finish(rig, rig.run())

    assert ["10:01 paused"] == rig.slots("w")


def test_replace_cancels_the_run_that_waits(rig: Rig) -> None:
    """
    A newer finish takes the place of an older one whose run has not begun.
    """
    rig.use(waiting("w", "load", overlap=Overlap.REPLACE))
    finish(rig, rig.run(), at=1)
    finish(rig, rig.run(), at=2)

    assert ["10:01 join", "10:02 join"] == rig.slots("w")
    assert ["load success", "w cancelled", "load success", "w scheduled"] == rig.states()


def test_skip_leaves_the_run_that_goes_on(rig: Rig) -> None:
    """
    While one is not final, the next finish is skipped and used up.
    """
    rig.use(waiting("w", "load"))
    finish(rig, rig.run(), at=1)
    finish(rig, rig.run(), at=2)

    assert ["10:01 join", "10:02 overlap"] == rig.slots("w")


def test_chains_go_on_through_several_flows(rig: Rig) -> None:
    """
    The finish of what was started by a finish starts the next.
    """
    rig.use(waiting("w", "load"), waiting("x", "report", flow="load"))
    finish(rig, rig.run(), at=1)
    rig.tick(minute(1))
    second = next(live for live in rig.board.live.values() if live.row.schedule == "w")
    rig.move(second.id, S.RUNNING)
    finish(rig, second, at=2)

    assert ["10:02 join"] == rig.slots("x")


def test_the_search_for_finishes_moves_on(rig: Rig) -> None:
    """
    A day after a join older finishes are no longer walked through.
    """
    rig.use(waiting("w", "load"))
    days = 3 * 24 * 60
    finish(rig, rig.run(), at=days)
    with rig.database.reading() as conn:
        row = schedules.load(conn)[0]

    assert minute(days) - timedelta(days=1) == from_us(row.decided_until_us)


def test_what_cannot_be_written_leaves_all_as_it_was(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The finish and what it causes are one transaction: tried again, both happen once.
    """
    rig.use(waiting("w", "load"))
    run = rig.run()
    with monkeypatch.context() as patch:
        patch.setattr("orchd.scheduler.chains.slots.mark_used", _away)
        with pytest.raises(StoreError):
            finish(rig, run)
    assert (["load running"], []) == (rig.states(), rig.slots("w"))

    finish(rig, run)

    assert (["load success", "w scheduled"], ["10:01 join"]) == (rig.states(), rig.slots("w"))


def _away(*_: object) -> None:
    raise StoreError("the store is away")
