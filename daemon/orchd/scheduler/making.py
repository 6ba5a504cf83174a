"""
From a decision that starts a run to the rows of its slot and of the run itself.
"""

from collections.abc import Mapping

from orchd.model.ids import FlowRunId, run_name, slot_run_id
from orchd.model.instants import to_us
from orchd.model.slots import Outcome, SlotDecision, sentence
from orchd.model.states import FlowRunState
from orchd.scheduler.board import Entry
from orchd.store.flows import FlowVersionRow
from orchd.store.runs import NewRun
from orchd.store.slots import NewSlot


def run_id_of(decision: SlotDecision) -> FlowRunId:
    """
    Give the id of the first attempt of a slot.
    """
    return slot_run_id(schedule=decision.schedule, fire_time=decision.fire_time, attempt=1)


def new_slot(entry: Entry, decision: SlotDecision) -> NewSlot:
    """
    Give the ledger's row of *decision*.
    """
    return NewSlot(
        schedule_id=entry.row.id,
        version_id=entry.row.version_id,
        fire_time_us=to_us(decision.fire_time),
        until_us=None if decision.until is None else to_us(decision.until),
        outcome=decision.outcome,
        reason=decision.reason,
        fields=dict(decision.fields),
        run_id=run_id_of(decision) if decision.outcome is Outcome.STARTED else None,
    )


def new_run(
    entry: Entry,
    flow: FlowVersionRow,
    decision: SlotDecision,
    slot: NewSlot,
    *,
    host: str | None,
    trigger: str = "schedule",
    upstream_runs: Mapping[str, str] | None = None,
) -> NewRun:
    """
    Give the run of a slot that is started.

    Args:
        slot: as :func:`new_slot` made it of *decision*.

        host: where it is claimed in the same moment; None when it is held at first.
    """
    run_id = slot.run_id or run_id_of(decision)
    return NewRun(
        id=run_id,
        name=run_name(run_id),
        flow=flow.flow,
        flow_version_id=flow.version_id,
        source_hash=flow.spec.source_hash,
        schedule_id=entry.row.id,
        schedule=decision.schedule,
        fire_time_us=slot.fire_time_us,
        wanted_at_us=slot.fire_time_us,
        parameters=entry.row.spec.parameters_at(decision.fire_time),
        state=FlowRunState.SCHEDULED if host is None else FlowRunState.PENDING,
        host=host,
        trigger=trigger,
        created_by=f"schedule {decision.schedule}",
        upstream_runs=upstream_runs or {},
        message=sentence(decision.reason, dict(decision.fields)),
    )
