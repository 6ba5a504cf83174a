"""
Whether a task run may begin: its own state, its time, and what its trigger says of the tasks above.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchd.engine.context import context
from orchd.engine.faults import said
from orchd.engine.handlers import LOG
from orchd.engine.signals import TRIGGERFAIL, StateSignal
from orchd.engine.state import Mapped, Scheduled, State, Success, TriggerFailed
from orchd.engine.work import Known, Work
from orchd.graph.edges import Edge

Upstream = Mapping[Edge[Any], State]


def may_begin(state: State, now: datetime) -> bool:
    """
    Tell whether a task run that stands at *state* may begin at *now*.
    """
    if isinstance(state, Scheduled):
        return state.start_time is not None and state.start_time <= now

    return state.is_pending() or state.is_cached() or state.is_mapped()


def has_mapped(upstream: Upstream) -> bool:
    """
    Tell whether a mapped task is above.
    """
    return any(type(state) is Mapped for state in upstream.values())


def went_well(state: State) -> bool:
    """
    Tell whether a task that is not mapped succeeded.
    """
    return type(state) is not Mapped and state.is_successful()


def refusal(task: Work, upstream: Upstream, constants: Mapping[str, Any], *, name: str) -> State | None:
    """
    Return the state of a task whose trigger does not let it run; None when it does.
    """
    whole: Any = task
    seen = dict(upstream)
    for key, value in constants.items():
        seen[Edge(Known(value), whole, key)] = Success(message="Auto-generated constant value", result=value)

    try:
        if not task.trigger(seen):
            raise TRIGGERFAIL("Trigger failed")
    except StateSignal as signal:
        if context.get("raise_on_exception"):
            raise

        return signal.state
    except Exception as exc:
        if context.get("raise_on_exception"):
            raise

        LOG.error("Task '%s': Unexpected error while evaluating task trigger!", name, exc_info=exc)
        return TriggerFailed(message=f"Unexpected error while checking task trigger: {said(exc)}", result=exc)

    return None
