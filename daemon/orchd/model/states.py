"""
The states of flow runs and task runs, and the two tables of the moves that are allowed.

A state is written in one place (``store/runs.py`` and ``store/tasks.py``), which reads these tables; the diagram in
``daemon/docs/states.md`` is made from them.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

S = TypeVar("S", bound=StrEnum)


class FlowRunState(StrEnum):
    """
    Where a flow run stands.
    """

    SCHEDULED = "scheduled"
    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    CANCELLING = "cancelling"
    SUCCESS = "success"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """
        True when the run can never move again.
        """
        return self in FINAL_FLOW_RUN_STATES

    @property
    def shown(self) -> str:
        """
        The name that people see, as in classic Prefect: ``TimedOut``.
        """
        return _shown(self.value)


class TaskRunState(StrEnum):
    """
    Where a task run stands. A task that has not begun has no row, and counts as pending.
    """

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    PAUSED = "paused"
    MAPPED = "mapped"
    SUCCESS = "success"
    CACHED = "cached"
    SKIPPED = "skipped"
    FAILED = "failed"
    TRIGGER_FAILED = "trigger_failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """
        True when the task run can never move again.
        """
        return self in FINAL_TASK_RUN_STATES

    @property
    def shown(self) -> str:
        """
        The name that people see, as in classic Prefect: ``TriggerFailed``.
        """
        return _shown(self.value)


def _shown(word: str) -> str:
    return "".join(part.capitalize() for part in word.split("_"))


def _moves(kind: type[S], table: Mapping[str, str]) -> Mapping[S, frozenset[S]]:
    return MappingProxyType({kind(to): frozenset(map(kind, sources.split())) for to, sources in table.items()})


#: Target of a move -> the states from which it may be reached.
FLOW_RUN_MOVES: Final = _moves(
    FlowRunState,
    {
        # to          from
        "pending": "scheduled",
        "running": "pending waiting",
        "waiting": "running",
        "cancelling": "running waiting",
        "success": "running cancelling",
        "failed": "running waiting cancelling",
        "timed_out": "running waiting cancelling",
        "crashed": "pending running waiting cancelling",
        "cancelled": "scheduled pending cancelling",
    },
)

#: The same for task runs. The four of a run's sudden end also take a task that waits for its retry with them.
TASK_RUN_MOVES: Final = _moves(
    TaskRunState,
    {
        # to             from
        "running": "pending retrying paused",
        "retrying": "running",
        "paused": "pending running",
        "mapped": "pending",
        "success": "running",
        "cached": "pending running retrying paused",
        "skipped": "pending running retrying paused",
        "failed": "pending running retrying paused",
        "trigger_failed": "pending retrying paused",
        "timed_out": "running retrying paused",
        "crashed": "running retrying paused",
        "cancelled": "pending running retrying paused",
    },
)

FINAL_FLOW_RUN_STATES: Final = frozenset(
    {
        FlowRunState.SUCCESS,
        FlowRunState.FAILED,
        FlowRunState.TIMED_OUT,
        FlowRunState.CRASHED,
        FlowRunState.CANCELLED,
    }
)

FINAL_TASK_RUN_STATES: Final = frozenset(TaskRunState) - {
    TaskRunState.PENDING,
    TaskRunState.RUNNING,
    TaskRunState.RETRYING,
    TaskRunState.PAUSED,
}

#: States in which a run has, or may have, a process, and takes a place of ``max_runs``.
PLACED_FLOW_RUN_STATES: Final = frozenset({FlowRunState.PENDING, FlowRunState.RUNNING, FlowRunState.CANCELLING})

#: States that count as ``failure`` for a flow that waits (``scheduling.md``, section 5).
FAILURE_STATES: Final = frozenset({FlowRunState.FAILED, FlowRunState.TIMED_OUT, FlowRunState.CRASHED})
