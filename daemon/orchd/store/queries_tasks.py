"""
Questions about the task runs of a run. Their key is slug and map index, and every list is a page by it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from orchd.errors import NotFound, UsageError
from orchd.model.instants import duration_s, from_us, iso, iso_us
from orchd.model.names import shown
from orchd.model.specs import FlowSpec
from orchd.model.states import TaskRunState
from orchd.store.database import Connection
from orchd.store.runs import RunRow
from orchd.store.schema import event, flow_version
from orchd.store.schema import task_run as task_table
from orchd.store.views import EventView, TaskView

_T: Final = task_table.c
_E: Final = event.c
_SPEC: Final = msgspec.json.Decoder(FlowSpec)
#: Most moves that are given of one run, and of one task run; a task that is tried again has two for each try.
MAX_MOVES: Final = 2000
#: The end of what :func:`task_key` gives.
_INDEX: Final = re.compile(r"-?[0-9]{1,18}")


def task_runs(
    conn: Connection,
    row: RunRow,
    *,
    slug: str | None = None,
    states: Collection[TaskRunState] = (),
    after: tuple[str, int] | None = None,
    limit: int,
) -> list[TaskView]:
    """
    Return a page of the task runs of a run, by slug and then by map index.

    Args:
        slug: only those of the task of that slug, in all its map indices.

        states: only those in one of these; all when empty.

        after: slug and map index of the last one of the page before this one; with *slug* only the index counts.
    """
    asked = sa.select(task_table).where(_T.run_number == row.number).order_by(_T.slug, _T.map_index).limit(limit)
    if slug is not None:
        asked = asked.where(_T.slug == slug)
    if states:
        asked = asked.where(_T.state.in_(sorted(states)))
    if after is not None:
        # SQLite does not see by itself that the slug is the same, and would sort.
        asked = asked.where(sa.tuple_(_T.slug, _T.map_index) > after if slug is None else _T.map_index > after[1])
    names = task_names(conn, row)
    return [task_view(task, names) for task in conn.execute(asked)]


def task_key(task: TaskView) -> str:
    """
    Return the text by which the page after *task* is asked for.
    """
    return f"{task.slug}@{task.map_index}"


def task_before(key: str) -> tuple[str, int] | None:
    """
    Return slug and map index of what :func:`task_key` gave; None for the empty text.

    Raises:
        UsageError: it is no such text.
    """
    slug, _, index = key.rpartition("@")
    if key and not _INDEX.fullmatch(index):
        raise UsageError(f"{shown(key)} is no `next` of a page of task runs: write the one that the page before gave")

    return (slug, int(index)) if key else None


def task_run(conn: Connection, row: RunRow, slug: str, map_index: int) -> TaskView:
    """
    Return one task run of a run; *map_index* is -1 for the task itself.

    Raises:
        NotFound: there is none.
    """
    asked = sa.select(task_table).where(_T.run_number == row.number, _T.slug == slug, _T.map_index == map_index)
    found = conn.execute(asked).one_or_none()
    if found is None:
        which = shown(slug if map_index < 0 else f"{slug}[{map_index}]")
        raise NotFound(f"run {row.name} has no task run {which}: `orchd show {row.name}` lists those that there are")

    return task_view(found, task_names(conn, row))


def task_moves(conn: Connection, number: int, slug: str, map_index: int) -> tuple[EventView, ...]:
    """
    Return the newest moves of one task run of the run of that number, in order: at most :data:`MAX_MOVES`.
    """
    return _moves(conn, number, _E.slug == slug, _E.map_index == map_index)


def run_moves(conn: Connection, number: int) -> tuple[EventView, ...]:
    """
    Return the newest moves of the run of that number itself, without those of its tasks, in order: at most
    :data:`MAX_MOVES`.
    """
    return _moves(conn, number, _E.slug.is_(None))


def all_moves(conn: Connection, number: int) -> tuple[EventView, ...] | None:
    """
    Return the moves of the run of that number and of its task runs, in order; None when there are more than
    :data:`MAX_MOVES`.
    """
    some = sa.select(_E.id).where(_E.run_number == number).limit(MAX_MOVES + 1).subquery()
    if conn.execute(sa.select(sa.func.count()).select_from(some)).scalar_one() > MAX_MOVES:
        return None

    return _moves(conn, number)


def by_attempt(moves_of_task: Sequence[EventView]) -> list[tuple[EventView, ...]]:
    """
    Cut the moves of one task run, in order, into its attempts, the first one first.

    Each move to ``running`` begins the next attempt, unless the task goes on after a pause; what comes before the first
    one belongs to it.
    """
    found: list[list[EventView]] = []
    has_begun = False
    for move in moves_of_task:
        is_begin = move.to == TaskRunState.RUNNING and move.from_ != TaskRunState.PAUSED
        if not found or (is_begin and has_begun):
            found.append([])
        found[-1].append(move)
        has_begun = has_begun or is_begin
    return [tuple(part) for part in found]


def task_names(conn: Connection, row: RunRow) -> dict[str, str]:
    """
    Return slug -> name of the tasks of a run's flow as it was then.
    """
    spec = conn.execute(sa.select(flow_version.c.spec).where(flow_version.c.id == row.flow_version_id)).scalar()
    return {} if spec is None else {task.slug: task.name for task in _SPEC.decode(spec).tasks}


def task_view(task: sa.Row[*tuple[Any, ...]], names: Mapping[str, str]) -> TaskView:
    """
    Return how a row of task runs is shown.

    Args:
        names: slug -> name, where it is known.
    """
    return TaskView(
        slug=task.slug,
        name=names.get(task.slug, task.slug),
        map_index=task.map_index,
        state=task.state,
        shown=TaskRunState(task.state).shown,
        attempt=task.attempt,
        started_at=iso_us(task.started_at_us),
        ended_at=iso_us(task.ended_at_us),
        duration_s=duration_s(task.started_at_us, task.ended_at_us),
        message=task.message,
        location=task.location,
    )


def _moves(conn: Connection, number: int, *which: sa.ColumnElement[bool]) -> tuple[EventView, ...]:
    asked = sa.select(_E.at_us, _E.from_state, _E.to_state, _E.message, _E.slug, _E.map_index)
    newest = conn.execute(asked.where(_E.run_number == number, *which).order_by(_E.id.desc()).limit(MAX_MOVES)).all()
    return tuple(
        EventView(at=iso(from_us(at)), from_=source, to=to, message=message, task=slug, map_index=index)
        for at, source, to, message, slug, index in reversed(newest)
    )
