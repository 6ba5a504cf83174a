"""
Attempts that go on from one that crashed, and what a run is told of the attempt before it.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from orchd import log, operations
from orchd.model.ids import FlowRunId
from orchd.model.records import Resume
from orchd.model.states import FlowRunState
from orchd.processes.folder import RunFolder
from orchd.scheduler.board import Board
from orchd.store import attempts, runs
from orchd.store.database import Connection, Database
from orchd.store.runs import RunRow

_log = log.get("resume")

#: Last attempt that the daemon starts by itself. One crash more may be an accident of the machine, and a second one of
#: its repair; a flow that has ended its own process three times (no memory, a fault in C) would do so for ever.
LAST_ATTEMPT: Final = 3


def after_crash(conn: Connection, board: Board, row: RunRow, *, now: datetime) -> FlowRunId | None:
    """
    Make the attempt that goes on from *row*, which has crashed in this transaction, where the config says so.

    Args:
        row: as it was before it crashed.

    Returns:
        None when nothing goes on from it: the end of the run counts.
    """
    flow = board.flows.get(row.flow)
    if flow is None or row.state is FlowRunState.CANCELLING:
        return None

    if board.config.flow_settings(row.flow).on_crash != "resume":
        return None

    if row.attempt >= LAST_ATTEMPT:
        _log.warning("not_resumed_again", run=row.name, flow=row.flow, attempt=row.attempt)
        return None

    _log.info("resumed_after_crash", run=row.name, flow=row.flow, attempt=row.attempt + 1)
    crashed = msgspec.structs.replace(row, state=FlowRunState.CRASHED)
    return operations.go_on(conn, crashed, flow, by="on_crash", now=now)


def attempt_before(database: Database, runs_folder: Path, row: RunRow) -> Resume:
    """
    Give what run *row* is told of the attempt that it goes on from; nothing of its tasks when retention took it.

    Raises:
        StoreError: the store does not answer.
    """
    before_id = FlowRunId(row.resumed_from or "")
    with database.reading() as conn:
        from_task = attempts.from_task(conn, row.id)
        before = runs.find(conn, before_id)
        base, tasks = (None, ()) if before is None else attempts.known_before(conn, before)
    return Resume(
        run_id=before_id if base is None else base.id,
        run_name=before_id if base is None else base.name,
        attempt=row.attempt - 1 if base is None else base.attempt,
        state=(FlowRunState.CRASHED if base is None else base.state).value,
        results=str(RunFolder(runs_folder / (before_id if base is None else base.id)).results),
        from_task=from_task,
        tasks=tasks,
    )
