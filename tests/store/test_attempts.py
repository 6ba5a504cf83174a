"""
Attempts and what they come to know of those before, in both databases.
"""

from orchd.model.ids import FlowRunId
from orchd.model.records import REUSED, TaskRecord
from orchd.model.specs import EdgeSpec, FlowSpec, TaskSpec
from orchd.model.states import FlowRunState
from orchd.store import attempts, flows, runs, tasks
from orchd.store.database import Connection, Database
from store.making import add_run

S = FlowRunState
SPEC = FlowSpec(
    name="load",
    file="/load.py",
    source_hash="aa",
    tasks=tuple(TaskSpec(slug=slug, name=slug) for slug in "abcd"),
    edges=(EdgeSpec(upstream="a", downstream="b"), EdgeSpec(upstream="b", downstream="c")),
)


def ended(conn: Connection, row: runs.RunRow, **messages: str) -> None:
    """
    Have tasks of *row* succeed, each with its message.
    """
    moves = [
        TaskRecord(at=at, slug=slug, state=state, message=message, location=f"/{row.attempt}/{slug}")
        for slug, message in messages.items()
        for at, state in ((1, "running"), (2, "success"))
    ]
    tasks.apply(conn, row.number, moves)


def chain(conn: Connection) -> tuple[runs.RunRow, runs.RunRow]:
    """
    Make a run that failed and the attempt that goes on from it.
    """
    flows.record_flows(conn, [SPEC], at_us=1)
    version = flows.current_flows(conn)["load"].version_id
    first = add_run(conn, state=S.FAILED, flow_version_id=version)
    second = add_run(
        conn,
        state=S.CRASHED,
        id=attempts.id_after(first),
        attempt=2,
        resumed_from=first.id,
        flow_version_id=version,
    )
    return first, second


def known(conn: Connection, row: runs.RunRow) -> tuple[FlowRunId, dict[str, str | None]]:
    """
    Return from which attempt a run after *row* goes on, and where it finds the result of each task.
    """
    base, found = attempts.known_before(conn, row)
    return base.id, {task.slug: task.location for task in found}


def test_the_attempt_after_a_run_is_found_by_its_id(store: Database) -> None:
    """
    So that there is only one, whoever asks for it.
    """
    with store.writing() as conn:
        first, second = chain(conn)

        assert attempts.last_attempt(conn, first).id == second.id
        assert attempts.last_attempt(conn, second) == second


def test_an_attempt_that_came_to_nothing_is_passed_over(store: Database) -> None:
    """
    The next goes on from the one before it.
    """
    with store.writing() as conn:
        first, second = chain(conn)
        ended(conn, first, a="", b="")

        assert known(conn, second) == (first.id, {"a": "/1/a", "b": "/1/b"})


def test_what_an_attempt_did_not_come_to_stands_as_before(store: Database) -> None:
    """
    Unless something above it ran anew meanwhile.
    """
    with store.writing() as conn:
        first, second = chain(conn)
        ended(conn, first, a="", b="", c="", d="")
        ended(conn, second, a=f"{REUSED} attempt 1", b="Task run succeeded.")

        assert known(conn, second) == (second.id, {"a": "/2/a", "b": "/2/b", "d": "/1/d"})


def test_only_what_did_not_succeed_can_be_resumed(store: Database) -> None:
    """
    And only what the store has.
    """
    with store.writing() as conn:
        failed = add_run(conn, state=S.FAILED)
        good = add_run(conn, state=S.SUCCESS)

        assert attempts.resumable(conn, [failed.id, good.id, "gone"]) == {failed.id}


def test_the_task_to_begin_from_is_kept_for_the_launch(store: Database) -> None:
    """
    And forgotten with its run.
    """
    with store.writing() as conn:
        run = add_run(conn)
        attempts.keep_from_task(conn, run.id, "a", at_us=5)
        assert attempts.from_task(conn, run.id) == "a"
        attempts.forget_from_tasks(conn, before_us=6)

        assert attempts.from_task(conn, run.id) is None
