"""
What a schedule that is due does about its runs that are not final yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchd.model.ids import FlowRunId
from orchd.model.instants import iso
from orchd.model.slots import Outcome, Reason, SlotDecision
from orchd.model.specs import Overlap, ScheduleSpec
from orchd.model.states import FlowRunState

#: The fields of a reason's sentence, as :class:`~orchd.model.slots.SlotDecision` holds them.
Fields = tuple[tuple[str, str | int | float], ...]

#: A decision, and the runs to cancel if it starts one.
Judged = tuple[SlotDecision, tuple[FlowRunId, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRun:
    """
    A run of the schedule that is not final.
    """

    run_id: FlowRunId
    state: FlowRunState
    #: None for a run that a person started.
    fire_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """
    Who paused a schedule, and when.
    """

    who: str
    at: datetime
    note: str
    #: When it was resumed; None while it is paused, or when nobody knows.
    until: datetime | None = None

    def covers(self, fire_time: datetime) -> bool:
        """
        True when *fire_time* came while the schedule was paused.
        """
        return self.at < fire_time and (self.until is None or fire_time <= self.until)

    def fields(self) -> Fields:
        """
        Return the fields of the sentence of ``Reason.PAUSED``.
        """
        return (("note", f": {self.note}" if self.note else ""), ("when", iso(self.at)), ("who", self.who))


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """
    A fire time that starts a run.
    """

    decision: SlotDecision
    #: Runs to cancel first, oldest first: running ones and waiting ones alike.
    replaces: tuple[FlowRunId, ...] = ()


def refusal(spec: ScheduleSpec, active: Sequence[ActiveRun], *, flow_loaded: bool) -> tuple[Reason, Fields] | None:
    """
    Return why a due fire time of *spec* may not start now, or None when it may.

    ``queue`` counts as waiting every run that is not the one going, and takes ``max_catchup`` of them.
    """
    if not flow_loaded:
        return Reason.FLOW_NOT_LOADED, (("flow", spec.flow),)

    if active and spec.overlap is Overlap.SKIP:
        return Reason.OVERLAP, (("run", active[0].run_id), ("state", active[0].state.value))

    if active and spec.overlap is Overlap.QUEUE:
        waiting = sum(run.state is FlowRunState.SCHEDULED for run in active)
        waiting -= waiting == len(active)
        return (Reason.QUEUE_FULL, (("waiting", waiting),)) if waiting >= spec.max_catchup else None

    return None


def replaced(spec: ScheduleSpec, active: Sequence[ActiveRun]) -> tuple[FlowRunId, ...]:
    """
    Return the runs that a new run of *spec* cancels: all of ``replace`` that nobody cancels already.
    """
    if spec.overlap is not Overlap.REPLACE:
        return ()

    return tuple(run.run_id for run in active if run.state is not FlowRunState.CANCELLING)


def skipped(spec: ScheduleSpec, fire_time: datetime, reason: Reason, fields: Fields) -> SlotDecision:
    """
    Return the decision that *fire_time* is skipped.
    """
    return SlotDecision(schedule=spec.name, fire_time=fire_time, outcome=Outcome.SKIPPED, reason=reason, fields=fields)
