"""
Task runs, and the only code that writes ``task_run.state``: by the table of moves, each with its event row.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from orchd.errors import StaleRun
from orchd.model.records import TaskRecord
from orchd.model.states import FINAL_TASK_RUN_STATES, TASK_RUN_MOVES, TaskRunState
from orchd.store import bulk
from orchd.store.database import Connection
from orchd.store.schema import event, task_run

Key = tuple[str, int]

#: State, attempt, start, end, message, result location.
_Standing = tuple[str, int, int | None, int | None, str, str | None]

_FRESH: Final[_Standing] = (TaskRunState.PENDING.value, 1, None, None, "", None)
_FINAL: Final = frozenset(state.value for state in FINAL_TASK_RUN_STATES)
_SOURCES: Final = {to.value: frozenset(state.value for state in sources) for to, sources in TASK_RUN_MOVES.items()}
#: How much of a task's message its run repeats.
_LONGEST_MESSAGE: Final = 500
_COLUMNS: Final = (
    "run_number",
    "slug",
    "map_index",
    "state",
    "attempt",
    "started_at_us",
    "ended_at_us",
    "message",
    "location",
)
_EVENT: Final = ("run_number", "slug", "map_index", "from_state", "to_state", "at_us", "message")
_UPSERT: Final = (
    "ON CONFLICT (run_number, slug, map_index) DO UPDATE SET state = excluded.state, attempt = excluded.attempt,"
    " started_at_us = excluded.started_at_us, ended_at_us = excluded.ended_at_us, message = excluded.message,"
    f" location = excluded.location WHERE task_run.state NOT IN ({', '.join(repr(word) for word in sorted(_FINAL))})"
)
_FOUND: Final = "t.slug, t.map_index, t.state, t.attempt, t.started_at_us, t.ended_at_us, t.message, t.location"
#: CROSS JOIN keeps SQLite from walking all tasks of the run, which may be many more than are asked for.
_SQLITE_STANDING: Final = (
    f"SELECT {_FOUND} FROM json_each(?) AS want CROSS JOIN task_run AS t"
    " WHERE t.run_number = ? AND t.slug = json_extract(want.value, '$[0]')"
    " AND t.map_index = json_extract(want.value, '$[1]')"
)
_POSTGRES_STANDING: Final = (
    f"SELECT {_FOUND} FROM unnest(%s::text[], %s::bigint[]) AS want (slug, map_index)"
    " JOIN task_run AS t ON t.run_number = %s AND t.slug = want.slug AND t.map_index = want.map_index FOR UPDATE OF t"
)


def apply(conn: Connection, number: int, records: Sequence[TaskRecord]) -> int:
    """
    Move the tasks of run *number* as *records* say, in their order, each with its event row.

    Returns:
        How many records were passed over, because the table knows no such move (also: no such state).
    """
    standing = _standing(conn, number, {(record.slug, record.map_index) for record in records})
    moved: dict[Key, _Standing] = {}
    events: list[bulk.Row] = []
    refused = 0
    for record in records:
        key = (record.slug, record.map_index)
        found, _, started_at, _, _, location = moved.get(key) or standing.get(key, _FRESH)
        if found not in _SOURCES.get(record.state, ()):
            refused += 1
            continue

        if record.state == "running" and started_at is None:
            started_at = record.at
        ended_at = record.at if record.state in _FINAL else None
        moved[key] = (record.state, record.attempt, started_at, ended_at, record.message, record.location or location)
        events.append((number, *key, found, record.state, record.at, record.message))
    rows: list[bulk.Row] = [(number, *key, *values) for key, values in moved.items()]
    if bulk.insert(conn, task_run, _COLUMNS, rows, tail=_UPSERT) != len(rows):
        raise StaleRun(f"somebody else moved tasks of run number {number} to an end at the same moment")

    bulk.insert(conn, event, _EVENT, events)
    return refused


def _standing(conn: Connection, number: int, keys: set[Key]) -> dict[Key, _Standing]:
    if bulk.is_postgres(conn):
        asked = conn.exec_driver_sql(
            _POSTGRES_STANDING, ([bulk.clean(slug) for slug, _ in keys], [index for _, index in keys], number)
        )
    else:
        asked = conn.exec_driver_sql(_SQLITE_STANDING, (msgspec.json.encode(keys).decode(), number))
    return {(slug, index): tuple(found) for slug, index, *found in asked}


def first_failure(conn: Connection, number: int) -> str | None:
    """
    Return the task of run *number* that failed first, with the first line of its message; None when none failed.
    """
    t = task_run.c
    asked = sa.select(t.slug, t.map_index, t.message).where(
        t.run_number == number, t.state == TaskRunState.FAILED.value
    )
    found = conn.execute(asked.order_by(t.ended_at_us, t.slug, t.map_index).limit(1)).one_or_none()
    if found is None:
        return None

    index = f"[{found.map_index}]" if found.map_index >= 0 else ""
    first_line = found.message.partition("\n")[0][:_LONGEST_MESSAGE]
    return f"{found.slug}{index}: {first_line}"


def end_open(conn: Connection, number: int, to: TaskRunState, *, at_us: int, message: str) -> None:
    """
    Move the tasks of run *number* that are not final to *to* with their event rows: they end with their run.

    A task from whose state the table knows no move to *to* becomes ``cancelled``.
    """
    fits = _SOURCES[to.value]
    still_open = sa.select(task_run.c.slug, task_run.c.map_index, task_run.c.state, task_run.c.attempt).where(
        task_run.c.run_number == number, task_run.c.state.not_in(_FINAL)
    )
    records = [
        TaskRecord(
            at=at_us,
            slug=slug,
            map_index=index,
            state=to.value if state in fits else TaskRunState.CANCELLED.value,
            attempt=attempt,
            message=message,
        )
        for slug, index, state, attempt in conn.execute(still_open)
    ]
    apply(conn, number, records)
