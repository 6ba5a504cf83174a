"""
Flows that wait for flows: what one finished run causes for a schedule with ``after``.

The slot that a finish causes belongs in the transaction of that finish, so a join is judged there and then: a paused
schedule skips it, and nothing is caught up later (``scheduling.md`` section 5).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchd.model.ids import FlowRunId
from orchd.model.slots import Outcome, Reason, SlotDecision
from orchd.model.specs import ScheduleSpec, When
from orchd.model.states import FAILURE_STATES, FINAL_FLOW_RUN_STATES, FlowRunState
from orchd.schedules.overlap import ActiveRun, Judged, Pause, Start, refusal, replaced, skipped

#: Which final states of an upstream run count.
COUNTED: Final = {
    When.SUCCESS: frozenset({FlowRunState.SUCCESS}),
    When.FAILURE: FAILURE_STATES,
    When.FINISHED: FINAL_FLOW_RUN_STATES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """
    A run of an upstream flow that is final (its last attempt, when it was resumed).
    """

    flow: str
    run_id: FlowRunId
    state: FlowRunState
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinView:
    """
    What one waiting schedule knows when a run has finished.
    """

    spec: ScheduleSpec
    #: Finishes of its upstream flows that no slot of it has used; the one that is judged may be among them.
    unused: tuple[Finish, ...]
    paused: Pause | None = None
    #: Its own runs that are not final, oldest first.
    active: tuple[ActiveRun, ...] = ()
    flow_loaded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinDecision:
    """
    What one finish causes; all empty while the schedule still waits for another flow.
    """

    slot: SlotDecision | None = None
    #: Set when *slot* is started.
    start: Start | None = None
    #: Flow -> run that the new run waited for, in the order of ``after``.
    upstream_runs: tuple[tuple[str, FlowRunId], ...] = ()
    #: Finishes that *slot* uses up, whatever became of it.
    used: tuple[FlowRunId, ...] = ()


def judge_join(view: JoinView, finish: Finish) -> JoinDecision:
    """
    Decide what *finish* causes.

    The fire time of a join is the end of the newest run that it takes, so that the order in which finishes are learnt
    of changes nothing. A finish that does not fit ``when`` is used up alone; the others go on standing.
    """
    spec = view.spec
    if finish.flow not in spec.after:
        return JoinDecision()

    if finish.state not in COUNTED[spec.when]:
        fields = (("state", finish.state.value), ("upstream", finish.flow))
        slot = skipped(spec, finish.ended_at, Reason.UPSTREAM_FAILED, fields)
        return JoinDecision(slot=slot, used=(finish.run_id,))

    standing = {each.run_id: each for each in (*view.unused, finish) if each.flow in spec.after}
    newest: dict[str, Finish] = {}
    for each in sorted(standing.values(), key=lambda each: (each.ended_at, each.run_id)):
        if each.state in COUNTED[spec.when]:
            newest[each.flow] = each

    if any(flow not in newest for flow in spec.after):
        return JoinDecision()

    slot, replaces = _join(view, max(each.ended_at for each in newest.values()))
    return JoinDecision(
        slot=slot,
        start=Start(decision=slot, replaces=replaces) if slot.outcome is Outcome.STARTED else None,
        upstream_runs=tuple((flow, newest[flow].run_id) for flow in spec.after),
        used=tuple(standing),
    )


def _join(view: JoinView, fire_time: datetime) -> Judged:
    spec = view.spec
    if view.paused is not None:
        return skipped(spec, fire_time, Reason.PAUSED, view.paused.fields()), ()

    refused = refusal(spec, view.active, flow_loaded=view.flow_loaded)
    if refused is not None:
        return skipped(spec, fire_time, *refused), ()

    decision = SlotDecision(
        schedule=spec.name,
        fire_time=fire_time,
        outcome=Outcome.STARTED,
        reason=Reason.JOIN,
        fields=(("upstream", ", ".join(spec.after)),),
    )
    return decision, replaced(spec, view.active)
