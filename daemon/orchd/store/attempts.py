"""
Attempts of a run: the one that goes on from another, and what its tasks had come to.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from orchd.model.ids import FlowRunId, next_attempt_id
from orchd.model.instants import from_us
from orchd.model.records import REUSED, SKIPPED_AGAIN, TaskBefore
from orchd.model.states import FlowRunState, TaskRunState
from orchd.store import bulk, flows, runs, upkeep
from orchd.store.database import Connection
from orchd.store.runs import RunRow
from orchd.store.schema import flow_run, task_run

_C: Final = flow_run.c
_T: Final = task_run.c
#: Before the id of a run: the task from which on it runs everything anew.
_FROM_TASK: Final = "from_task/"


def id_after(row: RunRow) -> FlowRunId:
    """
    Return the id of the one run that can go on from *row*.
    """
    fire_time = None if row.fire_time_us is None else from_us(row.fire_time_us)
    return next_attempt_id(row.id, schedule=row.schedule, fire_time=fire_time, attempt=row.attempt)


def last_attempt(conn: Connection, row: RunRow) -> RunRow:
    """
    Return the last run of those that go on from *row*, one after the other; itself when none does.
    """
    while (after := runs.find(conn, id_after(row))) is not None:
        row = after
    return row


def known_before(conn: Connection, row: RunRow) -> tuple[RunRow, tuple[TaskBefore, ...]]:
    """
    Return the attempt that a run after *row* goes on from, and how each task run stood in the end.

    That is *row* itself, unless it came to no task at all. What it did not come to stands as in the attempt before it,
    if nothing above ran anew meanwhile.
    """
    own = _tasks(conn, row.number)
    older = runs.find(conn, FlowRunId(row.resumed_from)) if row.resumed_from else None
    if older is None:
        return row, tuple(task for task, _ in own)

    base, known = known_before(conn, older)
    if not own:
        return base, known

    tasks = tuple(task for task, _ in own)
    if row.source_hash != base.source_hash:
        return row, tasks

    changed = {task.slug for task, is_as_before in own if not is_as_before}
    doubtful = _below(conn, row, changed)
    begun = {(task.slug, task.map_index) for task in tasks}
    left = (t for t in known if (t.slug, t.map_index) not in begun and t.slug not in doubtful)
    return row, (*tasks, *left)


def _tasks(conn: Connection, number: int) -> list[tuple[TaskBefore, bool]]:
    """
    Return how each task run of run *number* stands, and whether it is as in the attempt before.
    """
    asked = sa.select(_T.slug, _T.map_index, _T.state, _T.location, _T.message).where(_T.run_number == number)
    return [
        (
            TaskBefore(slug=slug, map_index=index, state=state, location=location),
            state == TaskRunState.MAPPED.value or message.startswith((REUSED, SKIPPED_AGAIN)),
        )
        for slug, index, state, location, message in conn.execute(asked)
    ]


def _below(conn: Connection, row: RunRow, slugs: set[str]) -> set[str]:
    """
    Return the slugs of all tasks below *slugs*, but for parameters among these, which an attempt never changes.
    """
    spec = flows.spec_of(conn, row.flow_version_id)
    if spec is None:
        return slugs

    above = slugs - {parameter.name for parameter in spec.parameters}
    found: set[str] = set()
    while more := {edge.downstream for edge in spec.edges if edge.upstream in above | found} - found:
        found |= more
    return found


def resumable(conn: Connection, run_ids: Sequence[str]) -> set[str]:
    """
    Return those of *run_ids* that the store has and that did not succeed: what they kept may be wanted.
    """
    fits = (_C.id.in_(bulk.text_list(conn, run_ids)), _C.state != FlowRunState.SUCCESS.value)
    return set(conn.execute(sa.select(_C.id).where(*fits)).scalars())


def keep_from_task(conn: Connection, run_id: FlowRunId, from_task: str, *, at_us: int) -> None:
    """
    Note from which task on a resumed run is to run everything anew, until it is launched.
    """
    upkeep.put_state(conn, _FROM_TASK + run_id, from_task, at_us=at_us)


def from_task(conn: Connection, run_id: FlowRunId) -> str | None:
    """
    Return the task from which on a resumed run is to run everything anew, if there is one.
    """
    found = upkeep.get_state(conn, _FROM_TASK + run_id)
    return None if found is None else found.value


def forget_from_tasks(conn: Connection, *, before_us: int) -> None:
    """
    Forget the tasks of runs that were resumed before *before_us*.
    """
    upkeep.forget_states(conn, _FROM_TASK, before_us=before_us)
