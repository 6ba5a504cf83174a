"""
The tables of moves: every state can be reached, and nothing leaves a final one.
"""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from orchd.model import states
from orchd.model.states import (
    FAILURE_STATES,
    FINAL_FLOW_RUN_STATES,
    FINAL_TASK_RUN_STATES,
    FLOW_RUN_MOVES,
    PLACED_FLOW_RUN_STATES,
    TASK_RUN_MOVES,
    FlowRunState,
    TaskRunState,
)

Moves = Mapping[StrEnum, frozenset[StrEnum]]

TABLES = pytest.mark.parametrize(
    ("moves", "first", "final"),
    [
        pytest.param(FLOW_RUN_MOVES, FlowRunState.SCHEDULED, FINAL_FLOW_RUN_STATES, id="flow runs"),
        pytest.param(TASK_RUN_MOVES, TaskRunState.PENDING, FINAL_TASK_RUN_STATES, id="task runs"),
    ],
)


@TABLES
def test_every_state_can_be_reached(moves: Moves, first: StrEnum, final: frozenset[StrEnum]) -> None:
    """
    From the first state, by moves of the table.
    """
    reached = {first}
    while more := {to for to, sources in moves.items() if sources & reached} - reached:
        reached |= more

    assert set(type(first)) == reached


@TABLES
def test_nothing_leaves_a_final_state(moves: Moves, first: StrEnum, final: frozenset[StrEnum]) -> None:
    """
    No move begins in one.
    """
    assert not final & frozenset().union(*moves.values())


@TABLES
def test_every_other_state_has_a_way_to_an_end(moves: Moves, first: StrEnum, final: frozenset[StrEnum]) -> None:
    """
    No run can be stuck for ever.
    """
    ending = set(final)
    while more := {source for to in ending if to in moves for source in moves[to]} - ending:
        ending |= more

    assert set(type(first)) == ending


@TABLES
def test_no_move_leads_where_it_came_from(moves: Moves, first: StrEnum, final: frozenset[StrEnum]) -> None:
    """
    A state that is reported twice moves nothing the second time.
    """
    assert not [to for to, sources in moves.items() if to in sources]


@TABLES
def test_is_final_says_what_the_table_says(moves: Moves, first: StrEnum, final: frozenset[StrEnum]) -> None:
    """
    The property of a state and the set of final ones agree.
    """
    assert final == {state for state in type(first) if state.is_final}


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (FlowRunState.TIMED_OUT, "TimedOut"),
        (FlowRunState.SUCCESS, "Success"),
        (TaskRunState.TRIGGER_FAILED, "TriggerFailed"),
        (TaskRunState.MAPPED, "Mapped"),
    ],
)
def test_people_see_the_classic_names(state: FlowRunState | TaskRunState, shown: str) -> None:
    """
    As classic Prefect writes them.
    """
    assert shown == state.shown


def test_a_final_run_takes_no_place() -> None:
    """
    Places are for runs that may have a process.
    """
    assert not PLACED_FLOW_RUN_STATES & FINAL_FLOW_RUN_STATES
    assert FlowRunState.WAITING not in PLACED_FLOW_RUN_STATES


def test_a_failure_is_final() -> None:
    """
    What counts as a failure for a flow that waits is over.
    """
    assert FAILURE_STATES < FINAL_FLOW_RUN_STATES


def test_a_table_that_names_an_unknown_state_is_refused() -> None:
    """
    A slip in the table is found when the module is imported.
    """
    with pytest.raises(ValueError, match="runing"):
        states._moves(FlowRunState, {"success": "runing"})
