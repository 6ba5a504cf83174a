"""
Task runs: moved by the table only, in bulk, with one event for each move.
"""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchd.model.records import TaskRecord
from orchd.model.states import TASK_RUN_MOVES, FlowRunState, TaskRunState
from orchd.store import queries, tasks
from orchd.store.database import Database
from orchd.store.views import TaskView
from store.making import add_run

_RECORDS = st.lists(
    st.builds(
        TaskRecord,
        at=st.integers(1, 99),
        slug=st.sampled_from(["a", "b"]),
        map_index=st.sampled_from([-1, 0]),
        state=st.sampled_from([*TaskRunState, "nonsense"]),
        attempt=st.integers(1, 3),
    ),
    max_size=30,
)


def expected(records: list[TaskRecord]) -> tuple[dict[tuple[str, int], str], list[tuple[str, str]], int]:
    """
    Walk *records* by the table: last states, moves made, and how many were passed over.
    """
    states: dict[tuple[str, int], str] = {}
    moves: list[tuple[str, str]] = []
    for record in records:
        key = (record.slug, record.map_index)
        found = states.get(key, "pending")
        if record.state in list(TaskRunState) and found in TASK_RUN_MOVES.get(TaskRunState(record.state), ()):
            states[key] = record.state
            moves.append((found, record.state))
    return states, moves, len(records) - len(moves)


@pytest.fixture(params=[1, 4, 100])
def piece(request: pytest.FixtureRequest) -> int:
    """
    How many records are applied at once.
    """
    return request.param


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=_RECORDS)
def test_records_move_tasks_by_the_table_however_they_are_cut(
    store: Database, piece: int, records: list[TaskRecord]
) -> None:
    """
    Applying records in pieces of any size gives the states and events that walking the table one by one gives.
    """
    with store.writing() as conn:
        run = add_run(conn, state=FlowRunState.RUNNING)
        cuts = range(0, len(records), piece)
        refused = sum(tasks.apply(conn, run.number, records[start : start + piece]) for start in cuts)
        detail = queries.run_detail(conn, run.id)

    states, moves, passed_over = expected(records)
    assert {(task.slug, task.map_index): task.state for task in detail.tasks} == states
    assert [(event.from_, event.to) for event in detail.events if event.task] == moves
    assert refused == passed_over


def one_task(store: Database, *records: TaskRecord) -> TaskView:
    """
    Apply *records*, all of one task, and return it as shown.
    """
    with store.writing() as conn:
        run = add_run(conn, state=FlowRunState.RUNNING)
        assert tasks.apply(conn, run.number, records) == 0
        (task,) = queries.run_detail(conn, run.id).tasks
    return task


def test_a_retry_keeps_the_first_start_and_the_last_end(store: Database) -> None:
    """
    A task that was tried twice lasted from its first start to its end, and shows its last attempt and message.
    """
    moves = itertools.starmap(
        lambda at, state, attempt: TaskRecord(
            at=at, slug="a", state=state, attempt=attempt, message=f"{state} {attempt}"
        ),
        [(1_000_000, "running", 1), (2_000_000, "retrying", 1), (3_000_000, "running", 2), (4_500_000, "success", 2)],
    )
    task = one_task(store, *moves)

    assert (task.started_at, task.ended_at) == ("1970-01-01T00:00:01Z", "1970-01-01T00:00:04.500000Z")
    assert (task.duration_s, task.attempt, task.message, task.shown) == (3.5, 2, "success 2", "Success")


def test_the_result_location_is_kept(store: Database) -> None:
    """
    A location that a record gave stays when a later one gives none.
    """
    records = [
        TaskRecord(at=1, slug="a", state="running", location="/r/1"),
        TaskRecord(at=2, slug="a", state="success"),
    ]

    assert one_task(store, *records).location == "/r/1"


def test_applying_twice_changes_nothing(store: Database) -> None:
    """
    Records that are read a second time are passed over, all of them.
    """
    records = [TaskRecord(at=1, slug="a", state="running"), TaskRecord(at=2, slug="a", state="success")]
    with store.writing() as conn:
        run = add_run(conn, state=FlowRunState.RUNNING)
        tasks.apply(conn, run.number, records)
        before = queries.run_detail(conn, run.id)

        assert tasks.apply(conn, run.number, records) == 2
        assert queries.run_detail(conn, run.id) == before


@pytest.mark.parametrize("to", [TaskRunState.CRASHED, TaskRunState.TIMED_OUT, TaskRunState.CANCELLED])
def test_open_tasks_end_with_their_run(store: Database, to: TaskRunState) -> None:
    """
    Tasks that are not final move to the given end with an event, and those that ended stay as they are.
    """
    ways = {
        "r": ["running"],
        "y": ["running", "retrying"],
        "p": ["paused"],
        "s": ["running", "success"],
        "c": ["cached"],
    }
    records = [TaskRecord(at=1, slug=slug, state=state) for slug, states in ways.items() for state in states]
    with store.writing() as conn:
        run = add_run(conn, state=FlowRunState.RUNNING)
        tasks.apply(conn, run.number, records)
        tasks.end_open(conn, run.number, to, at_us=50, message="killed")
        tasks.end_open(conn, run.number, to, at_us=60, message="again")
        detail = queries.run_detail(conn, run.id)

    assert {task.slug: task.state for task in detail.tasks} == {
        "r": to,
        "y": to,
        "p": to,
        "s": "success",
        "c": "cached",
    }
    assert [event.message for event in detail.events].count("killed") == 3
    assert [event.message for event in detail.events].count("again") == 0


def test_mapped_children_are_told_apart(store: Database) -> None:
    """
    Children of one slug are separate tasks, and only those asked for are moved.
    """
    with store.writing() as conn:
        run = add_run(conn, state=FlowRunState.RUNNING)
        tasks.apply(
            conn, run.number, [TaskRecord(at=1, slug="m", map_index=index, state="running") for index in range(600)]
        )
        tasks.apply(conn, run.number, [TaskRecord(at=2, slug="m", map_index=7, state="failed")])
        states = {task.map_index: task.state for task in queries.task_runs(conn, run, limit=999)}

    assert len(states) == 600
    assert [index for index, state in states.items() if state == "failed"] == [7]
