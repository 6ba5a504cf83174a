"""
Flows that wait for flows.
"""

import pytest

from orchd.model.ids import FlowRunId
from orchd.model.slots import Reason, sentence
from orchd.model.specs import RuleKind, When
from orchd.model.states import FINAL_FLOW_RUN_STATES, FlowRunState
from orchd.schedules.joins import Finish, JoinDecision, JoinView, judge_join
from orchd.schedules.plan import Pause
from schedules.samples import MINUTE, active, spec, utc

NOON = utc("2026-06-01 12:00")


def _finish(name: str, state: str = "success") -> Finish:
    """
    Return the finish of run ``load/3`` of flow ``load``, three minutes past noon.
    """
    flow, minute = name.split("/")
    return Finish(flow=flow, run_id=FlowRunId(name), state=FlowRunState(state), ended_at=NOON + int(minute) * MINUTE)


def _view(*unused: Finish, after: tuple[str, ...] = ("load", "clean"), **fields: object) -> JoinView:
    more = {key: fields.pop(key) for key in ("paused", "active", "flow_loaded") if key in fields}
    return JoinView(spec=spec(kind=RuleKind.AFTER, rule="", after=after, **fields), unused=unused, **more)


def test_one_upstream_starts_at_each_of_its_finishes():
    """
    The fire time is the end of the run that was waited for.
    """
    decision = judge_join(_view(after=("load",)), _finish("load/3"))

    assert decision.start is not None
    assert decision.slot is decision.start.decision
    assert (NOON + 3 * MINUTE, Reason.JOIN) == (decision.slot.fire_time, decision.slot.reason)
    assert ((("load", "load/3"),), ("load/3",)) == (decision.upstream_runs, decision.used)
    assert "started because load finished" == sentence(decision.slot.reason, dict(decision.slot.fields))


def test_a_join_waits_for_every_upstream():
    """
    Until each flow has a finish that is not used, nothing is decided.
    """
    assert JoinDecision() == judge_join(_view(_finish("load/1")), _finish("load/3"))


def test_a_join_takes_the_newest_finish_of_each_and_uses_up_the_older_ones():
    """
    Three loads and one clean are one run, which knows the newest of each.
    """
    decision = judge_join(_view(_finish("load/2"), _finish("load/1"), _finish("load/3")), _finish("clean/4"))

    assert (("load", "load/3"), ("clean", "clean/4")) == decision.upstream_runs
    assert {"load/1", "load/2", "load/3", "clean/4"} == set(decision.used)


def test_the_order_in_which_finishes_are_learnt_changes_nothing():
    """
    A finish that is read late gives the same fire time, so the slot can be recomputed.
    """
    late = judge_join(_view(_finish("clean/4")), _finish("load/3"))
    early = judge_join(_view(_finish("load/3")), _finish("clean/4"))

    assert NOON + 4 * MINUTE == late.slot.fire_time
    assert (late.slot, late.upstream_runs, set(late.used)) == (early.slot, early.upstream_runs, set(early.used))


def test_the_judged_finish_may_be_among_the_unused():
    """
    Whether the caller lists it already or not, it counts once.
    """
    finish = _finish("load/3")

    assert ("load/3",) == judge_join(_view(finish, after=("load",)), finish).used


def test_a_finish_that_does_not_fit_is_used_up_alone():
    """
    A failed upstream skips, and leaves the finishes of the others standing.
    """
    decision = judge_join(_view(_finish("clean/1"), _finish("load/1")), _finish("load/3", "failed"))

    assert decision.start is None
    assert ("load/3",) == decision.used
    assert NOON + 3 * MINUTE == decision.slot.fire_time
    assert "skipped because upstream load ended as failed" == sentence(decision.slot.reason, dict(decision.slot.fields))


def test_a_standing_finish_that_does_not_fit_is_not_taken():
    """
    After an edit of *when*, an older finish that no longer fits completes nothing, but is used up with the others.
    """
    decision = judge_join(_view(_finish("load/1"), _finish("load/2", "failed")), _finish("clean/4"))

    assert (("load", "load/1"), ("clean", "clean/4")) == decision.upstream_runs
    assert {"load/1", "load/2", "clean/4"} == set(decision.used)


def test_a_flow_that_is_not_waited_for_causes_nothing():
    """
    A finish of any other flow is passed over, and one standing by mistake too.
    """
    assert JoinDecision() == judge_join(_view(after=("load",)), _finish("other/3"))
    assert ("load/3",) == judge_join(_view(_finish("other/1"), after=("load",)), _finish("load/3")).used


@pytest.mark.parametrize(
    ("when", "states"),
    [
        ("success", {"success"}),
        ("failure", {"failed", "timed_out", "crashed"}),
        ("finished", {"success", "failed", "timed_out", "crashed", "cancelled"}),
    ],
)
def test_each_when_counts_these_final_states(when, states):
    """
    Every final state either starts or skips; which is a table.
    """
    starting = {
        state.value
        for state in FINAL_FLOW_RUN_STATES
        if judge_join(_view(after=("load",), when=When(when)), _finish("load/3", state.value)).start
    }

    assert states == starting


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"paused": Pause(who="eva", at=NOON, note="")}, "paused"),
        ({"active": active("running")}, "overlap"),
        ({"active": active("running"), "overlap": "queue", "max_catchup": 1}, "join"),
        ({"active": active("running", "scheduled"), "overlap": "queue", "max_catchup": 1}, "queue_full"),
        ({"flow_loaded": False}, "flow_not_loaded"),
        ({"grace_s": 0.0, "catchup": "none"}, "join"),
    ],
)
def test_pause_overlap_and_loading_apply_to_a_join_and_use_it_up(fields, reason):
    """
    Whatever becomes of a join, its finishes are used; catch-up and grace do not apply.
    """
    decision = judge_join(_view(after=("load",), **fields), _finish("load/3"))

    assert (reason, reason == "join") == (decision.slot.reason, decision.start is not None)
    assert ("load/3",) == decision.used


def test_a_join_replaces_the_runs_of_its_schedule():
    """
    overlap = replace cancels what still runs.
    """
    decision = judge_join(_view(after=("load",), overlap="replace", active=active("running")), _finish("load/3"))

    assert ("run0",) == decision.start.replaces
