"""
What a person may do, each in one transaction: start, and cancel in whatever state a run is.
"""

import pytest

from orchd import operations
from orchd.errors import StaleRun, UsageError
from orchd.model.records import Void
from orchd.model.specs import FlowSpec, ParameterSpec
from orchd.model.states import FlowRunState
from orchd.processes import fence
from orchd.processes.fence import Probe
from orchd.processes.folder import RunFolder
from orchd.store import runs
from scheduler.rig import START, Rig, minute, started, write_monitor

S = FlowRunState
FLOW = FlowSpec(
    name="load",
    file="/load.py",
    source_hash="aa",
    parameters=(ParameterSpec(name="day", required=True), ParameterSpec(name="ratio", required=False, default=0.3)),
)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"day": 1, "dya": 2}, "flow 'load' has no parameter 'dya': it takes day, ratio"),
        ({}, "flow 'load' needs a value for parameter 'day': it takes day, ratio"),
        ({"day": "x" * 70_000}, "the parameters are larger than 65536 bytes"),
        ({"day": float("inf")}, "the parameters cannot be kept as JSON"),
        ({"day": "\ud800"}, "the parameters cannot be kept as JSON"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(parameters: dict[str, object], message: str) -> None:
    """
    With what the flow takes.
    """
    with pytest.raises(UsageError, match=message):
        operations.check_parameters(FLOW, parameters)


def test_good_parameters_pass() -> None:
    """
    An optional one may be left out.
    """
    operations.check_parameters(FLOW, {"day": [1, {"a": None}]})


def test_a_run_is_made_once_for_each_key(rig: Rig) -> None:
    """
    Without a key, each wish is another run.
    """
    rig.use()
    flow = rig.board.flows["load"]

    def start(key: str | None) -> str:
        with rig.database.writing() as conn:
            return operations.start_run(
                conn, flow, parameters={}, wanted_at=minute(1), idempotency_key=key, by="ann", now=START
            )

    assert start("k") == start("k")
    assert start(None) != start(None)
    with rig.database.reading() as conn:
        row = runs.by_key(conn, "k")
    assert row is not None
    assert (S.SCHEDULED, "ann", "started by ann") == (row.state, row.created_by, row.message)


def cancel(rig: Rig, run_id: str) -> bool:
    """
    Cancel a run, and say whether that was its end.
    """
    with rig.database.writing() as conn:
        row = runs.get(conn, run_id)
        folder = RunFolder(rig.board.runs_folder / run_id)
        return operations.cancel_run(conn, row, folder, reason="no more", now=minute(1))


def test_a_run_that_waits_is_over_at_once(rig: Rig) -> None:
    """
    Its code was never entered.
    """
    run = rig.run(state=S.SCHEDULED)

    assert cancel(rig, run.id)
    assert ("cancelled", "no more") == (rig.detail(run).state, rig.detail(run).message)


def test_a_run_that_was_claimed_is_voided(rig: Rig) -> None:
    """
    Whoever comes to launch it finds that it shall not start.
    """
    run = rig.run(state=S.PENDING)

    assert cancel(rig, run.id)
    assert isinstance(run.folder.began(), Void)
    assert "cancelled" == rig.detail(run).state


def test_a_claimed_run_whose_folder_is_gone_is_over_at_once(rig: Rig) -> None:
    """
    Nobody can launch it.
    """
    run = rig.run(state=S.PENDING)
    run.folder.lock.unlink()
    run.folder.path.rmdir()

    assert cancel(rig, run.id)


@pytest.mark.parametrize(
    ("state", "becomes"), [(S.PENDING, "pending"), (S.RUNNING, "cancelling"), (S.WAITING, "cancelling")]
)
def test_a_run_that_has_begun_is_asked_to_end(rig: Rig, state: FlowRunState, becomes: str) -> None:
    """
    Its monitor finds the reason; the run is over when nothing of it is alive any more.
    """
    run = rig.run(state=state)
    write_monitor(run.folder, started())

    assert not cancel(rig, run.id)
    assert run.folder.read_cancel() is None
    operations.ask_to_end(run.folder, "no more")
    operations.ask_to_end(run.folder, "once more")
    asked = run.folder.read_cancel()
    assert asked is not None
    assert ("no more", becomes) == (asked.reason, rig.detail(run).state)


def test_a_claimed_run_whose_lock_is_gone_is_asked_like_one_that_has_begun(rig: Rig) -> None:
    """
    Whoever launches it looks for the request first.
    """
    run = rig.run(state=S.PENDING)
    run.folder.lock.unlink()

    assert not cancel(rig, run.id)
    assert "pending" == rig.detail(run).state


def test_a_run_that_is_over_cannot_be_cancelled(rig: Rig) -> None:
    """
    The sentence says how it ended.
    """
    run = rig.run()
    rig.move(run.id, S.FAILED)

    with pytest.raises(StaleRun, match="is over already: Failed"):
        cancel(rig, run.id)


def test_a_monitor_that_is_gone_is_not_woken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Its number may be somebody else's by now: it is probed again before the signal.
    """
    run = rig.run()
    gone = Probe(monitor_pid=2**22 - 3, run_pid=None)
    monkeypatch.setattr(fence, "probe", lambda folder: gone)
    operations.wake_monitor(run.folder)

    answers = iter([Probe(monitor_pid=1, run_pid=None), Probe(monitor_pid=None, run_pid=None)])
    monkeypatch.setattr(fence, "probe", lambda folder: next(answers))
    monkeypatch.setattr("orchd.operations.signal.pidfd_send_signal", lambda *_: pytest.fail("signalled"))
    operations.wake_monitor(run.folder)

    assert [] == list(answers)
