"""
A run that only waits for runs that it started holds no place, and coming back never waits for one.
"""

import pytest

from orchd.model.records import WaitRecord
from orchd.model.states import FlowRunState
from orchd.scheduler.ingest import End
from scheduler.rig import Rig, finished, minute, write_journal

S = FlowRunState
WAIT = WaitRecord(at=5, children=("some-id",))
GO_ON = WaitRecord(at=6, children=())


def test_a_run_that_waits_gives_its_place_away(rig: Rig) -> None:
    """
    Store and board move it together, with an event row.
    """
    run = rig.run()
    write_journal(run.folder, WAIT)
    rig.ingest.step(run, None)

    assert (S.WAITING, 0) == (run.state, rig.board.placed)
    assert ("running", "waiting") == (rig.detail(run).events[-1].from_, rig.detail(run).events[-1].to)


def test_a_run_that_goes_on_takes_a_place_whether_or_not_there_is_one(rig: Rig) -> None:
    """
    With both places of others it is the third.
    """
    run = rig.run()
    write_journal(run.folder, WAIT)
    rig.ingest.step(run, None)
    others = [rig.run(), rig.run()]
    write_journal(run.folder, WAIT, GO_ON)
    rig.ingest.step(run, None)

    assert (S.RUNNING, 1 + len(others)) == (run.state, rig.board.placed)


def test_reading_a_wait_twice_changes_nothing(rig: Rig) -> None:
    """
    The offset is stored with the move, and the same word again finds the run where it is.
    """
    run = rig.run()
    write_journal(run.folder, WAIT, WAIT, GO_ON, GO_ON)
    rig.ingest.step(run, None)
    rig.ingest.step(run, None)

    assert ["waiting", "running"] == [event.to for event in rig.detail(run).events[-2:]]


@pytest.mark.parametrize("state", [S.SUCCESS, S.FAILED, S.TIMED_OUT, S.CRASHED, S.CANCELLED])
def test_a_waiting_run_can_end_in_every_way(rig: Rig, state: FlowRunState) -> None:
    """
    Also when its last words came in one look with its end.
    """
    run = rig.run()
    write_journal(run.folder, WAIT)
    rig.ingest.step(run, End(state=state, message="done", at=finished(at=minute(1)).at))

    assert state.value == rig.detail(run).state


def test_a_run_that_is_cancelled_does_not_move_to_waiting(rig: Rig) -> None:
    """
    Its way leads to the end only.
    """
    run = rig.run(state=S.CANCELLING)
    write_journal(run.folder, WAIT)
    rig.ingest.step(run, None)

    assert S.CANCELLING is run.state
