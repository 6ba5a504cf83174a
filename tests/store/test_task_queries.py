"""
Task runs as people ask for them: page by page, one by one, and with their moves.
"""

import itertools
from collections.abc import Sequence

import pytest

from orchd.errors import NotFound, UsageError
from orchd.model.records import TaskRecord
from orchd.model.states import FlowRunState, TaskRunState
from orchd.store import flows, queries, runs, tasks
from orchd.store.database import Connection, Database
from store.making import add_run, flow_spec

T = TaskRunState
_MANY = 10_000


def ran(conn: Connection, *records: TaskRecord, tasks_of_flow: tuple[str, ...] = ()) -> runs.RunRow:
    """
    Make a run whose tasks moved as *records* say.
    """
    version = flows.record_flows(conn, [flow_spec(tasks=tasks_of_flow)], at_us=1)["load"]
    run = add_run(conn, state=FlowRunState.RUNNING, flow_version_id=version.version_id)
    assert tasks.apply(conn, run.number, records) == 0
    return run


def record(slug: str, *states: TaskRunState, map_index: int = -1) -> list[TaskRecord]:
    """
    Return the moves of a task run to *states*, one each microsecond.
    """
    return [
        TaskRecord(at=at, slug=slug, map_index=map_index, state=state.value, message=state.value)
        for at, state in enumerate(states, start=1)
    ]


def keys(found: Sequence[queries.TaskView]) -> list[tuple[str, int]]:
    """
    Return what tells *found* apart.
    """
    return [(task.slug, task.map_index) for task in found]


@pytest.fixture
def run(store: Database) -> runs.RunRow:
    """
    A run with the tasks a, b (mapped over three, of which the second failed) and c.
    """
    with store.writing() as conn:
        return ran(
            conn,
            *record("a", T.RUNNING, T.SUCCESS),
            *record("b", T.MAPPED),
            *record("b", T.RUNNING, T.SUCCESS, map_index=0),
            *record("b", T.RUNNING, T.FAILED, map_index=1),
            *record("b", T.RUNNING, map_index=2),
            *record("c", T.FAILED),
            tasks_of_flow=("a", "b", "c"),
        )


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [("a", -1), ("b", -1), ("b", 0), ("b", 1), ("b", 2), ("c", -1)]),
        ({"limit": 2}, [("a", -1), ("b", -1)]),
        ({"after": ("b", -1), "limit": 2}, [("b", 0), ("b", 1)]),
        ({"after": ("b", 2)}, [("c", -1)]),
        ({"after": ("c", -1)}, []),
        ({"slug": "b"}, [("b", -1), ("b", 0), ("b", 1), ("b", 2)]),
        ({"slug": "b", "after": ("b", 0), "limit": 1}, [("b", 1)]),
        ({"slug": "nothing"}, []),
        ({"states": [T.FAILED, T.RUNNING]}, [("b", 1), ("b", 2), ("c", -1)]),
        ({"states": [T.FAILED], "slug": "b"}, [("b", 1)]),
    ],
)
def test_task_runs_are_given_by_slug_and_map_index(
    store: Database, run: runs.RunRow, asked: dict[str, object], found: list[tuple[str, int]]
) -> None:
    """
    Every filter narrows the list, and a page goes on after the last one of the page before.
    """
    with store.reading() as conn:
        assert keys(queries.task_runs(conn, run, **{"limit": 50} | asked)) == found


def test_pages_lose_and_double_none_of_ten_thousand_children(store: Database) -> None:
    """
    Page by page they are those that there are, in their order.
    """
    with store.writing() as conn:
        run = ran(conn, *itertools.chain(*(record("m", T.CACHED, map_index=index) for index in range(_MANY))))
        add_run(conn)
    found: list[tuple[str, int]] = []
    with store.reading() as conn:
        while page := queries.task_runs(conn, run, after=found[-1] if found else None, limit=999):
            found += keys(page)

    assert found == [("m", index) for index in range(_MANY)]


def test_a_task_run_is_found_by_slug_and_map_index(store: Database, run: runs.RunRow) -> None:
    """
    With the name that it has in the flow.
    """
    with store.reading() as conn:
        child = queries.task_run(conn, run, "b", 1)
        parent = queries.task_run(conn, run, "b", -1)

    assert (child.name, child.state, child.message) == ("B", "failed", "failed")
    assert parent.state == "mapped"


@pytest.mark.parametrize(("slug", "map_index", "said"), [("b", 7, r"'b\[7\]'"), ("z", -1, "'z'")])
def test_a_task_run_that_is_not_there_is_said(
    store: Database, run: runs.RunRow, slug: str, map_index: int, said: str
) -> None:
    """
    With the run, and where those that there are can be seen.
    """
    with store.reading() as conn, pytest.raises(NotFound, match=f"{run.name} has no task run {said}: `orchd show"):
        queries.task_run(conn, run, slug, map_index)


def test_the_moves_of_a_task_run_are_its_own(store: Database, run: runs.RunRow) -> None:
    """
    In order, and none of other children, tasks or of the run itself.
    """
    with store.reading() as conn:
        moves = queries.task_moves(conn, run.number, "b", 1)
        none = queries.task_moves(conn, run.number, "b", 9)

    assert [(move.task, move.map_index, move.from_, move.to) for move in moves] == [
        ("b", 1, "pending", "running"),
        ("b", 1, "running", "failed"),
    ]
    assert none == ()


@pytest.mark.parametrize(
    ("states", "attempts"),
    [
        ([], []),
        ([T.CACHED], [["cached"]]),
        ([T.RUNNING, T.SUCCESS], [["running", "success"]]),
        ([T.RUNNING, T.RETRYING, T.RUNNING, T.FAILED], [["running", "retrying"], ["running", "failed"]]),
        ([T.PAUSED, T.RUNNING, T.SUCCESS], [["paused", "running", "success"]]),
        ([T.RUNNING, T.PAUSED, T.RUNNING, T.SUCCESS], [["running", "paused", "running", "success"]]),
        (
            [T.RUNNING, T.RETRYING, T.RUNNING, T.RETRYING, T.CANCELLED],
            [["running", "retrying"], ["running", "retrying", "cancelled"]],
        ),
    ],
)
def test_each_move_to_running_begins_an_attempt(states: list[TaskRunState], attempts: list[list[str]]) -> None:
    """
    Unless the task only goes on; no move is left out, and what comes before the first one belongs to it.
    """
    moves = [
        queries.EventView(at="", from_=before, to=state.value, message="", task="a", map_index=-1)
        for before, state in zip([None, *states], states, strict=False)
    ]

    assert [[move.to for move in attempt] for attempt in queries.by_attempt(moves)] == attempts


@pytest.mark.parametrize(
    ("children", "key", "has_all"), [(499, None, True), (500, "m@498", True), (1001, "m@498", False)]
)
def test_a_run_in_detail_is_bounded(store: Database, children: int, key: str | None, has_all: bool) -> None:
    """
    It has the first 500 task runs, says where the others begin, and leaves the moves of too many tasks out.
    """
    moved = (record("m", T.RUNNING, T.SUCCESS, map_index=index) for index in range(children))
    with store.writing() as conn:
        run = ran(conn, *record("a", T.RUNNING, T.SUCCESS), *itertools.chain(*moved))
        detail = queries.run_detail(conn, run.id)
        rest = [] if key is None else queries.task_runs(conn, run, after=queries.task_before(key), limit=children)

    assert (len(detail.tasks), detail.tasks_next) == (min(children + 1, 500), key)
    assert len(detail.tasks) + len(rest) == children + 1
    assert detail.has_all_events == has_all
    assert [event.to for event in detail.events if event.task is None] == ["scheduled", "pending", "running"]
    assert len(detail.events) == (3 + 2 * (children + 1) if has_all else 3)


@pytest.mark.parametrize("task", [("a", -1), ("b@2", 7), ("", 0)])
def test_a_key_of_a_page_is_read_as_it_was_written(task: tuple[str, int]) -> None:
    """
    A slug may have any character.
    """
    slug, map_index = task
    view = queries.TaskView(
        slug=slug,
        name=slug,
        map_index=map_index,
        state="success",
        shown="Success",
        attempt=1,
        started_at=None,
        ended_at=None,
        duration_s=None,
        message="",
        location=None,
    )

    assert queries.task_before(queries.task_key(view)) == task


@pytest.mark.parametrize("key", ["a", "a@", "a@b", "@", "a@1.5", "a@" + "9" * 19])
def test_what_is_no_key_of_a_page_is_refused(key: str) -> None:
    """
    The sentence says where one is to be had.
    """
    with pytest.raises(UsageError, match="write the one that the page before gave"):
        queries.task_before(key)
