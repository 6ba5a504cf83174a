"""
Runs that were started by tasks of other runs: whose child a run is, and which child a call has already made.
"""

from typing import Final

import sqlalchemy as sa

from orchd.model.ids import FlowRunId
from orchd.store import runs
from orchd.store.database import Connection
from orchd.store.runs import RunRow
from orchd.store.schema import flow_run

_C: Final = flow_run.c


def lineage(conn: Connection, row: RunRow) -> list[FlowRunId]:
    """
    Return the id of *row* and of the runs that it goes on from, the newest first.
    """
    ids = [row.id]
    while row.resumed_from is not None and (before := runs.find(conn, FlowRunId(row.resumed_from))) is not None:
        row = before
        ids.append(row.id)
    return ids


def ancestors(conn: Connection, row: RunRow, *, limit: int) -> list[RunRow]:
    """
    Return the parent of *row*, its parent and so on, at most *limit* of them.
    """
    found: list[RunRow] = []
    while len(found) < limit and row.parent_run_id is not None:
        parent = runs.find(conn, FlowRunId(row.parent_run_id))
        if parent is None:
            break

        found.append(parent)
        row = parent
    return found


def latest_child(conn: Connection, parents: list[FlowRunId], *, key_prefix: str) -> RunRow | None:
    """
    Return the newest child of any of *parents* whose idempotency key begins with *key_prefix*; None without one.
    """
    newest = (
        sa.select(_C.number)
        .where(_C.parent_run_id.in_(parents), _C.idempotency_key.startswith(key_prefix, autoescape=True))
        .order_by(_C.number.desc())
        .limit(1)
    )
    rows = runs.by_numbers(conn, conn.execute(newest).scalars().all())
    return rows[0] if rows else None


def children(conn: Connection, parent: str, *, limit: int) -> list[RunRow]:
    """
    Return the oldest *limit* runs that tasks of the run *parent* started, oldest first.
    """
    oldest = sa.select(_C.number).where(_C.parent_run_id == parent).order_by(_C.number).limit(limit)
    return runs.by_numbers(conn, conn.execute(oldest).scalars().all())
