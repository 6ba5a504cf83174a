"""
What a person may do: start, cancel, pause. Each is one transaction of the writer, and says what it touched.
"""

import json
import os
import signal
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import uuid4

from orchd.errors import StaleRun, UsageError
from orchd.model.ids import FlowRunId, run_name
from orchd.model.instants import to_us
from orchd.model.specs import FlowSpec, parameters_text
from orchd.model.states import FlowRunState
from orchd.processes import fence
from orchd.processes.crash import crash_at
from orchd.processes.folder import RunFolder
from orchd.store import runs
from orchd.store.database import Connection
from orchd.store.flows import FlowVersionRow
from orchd.store.runs import NewRun, RunRow

#: Source: the threat table of reliability.md, T12.
MAX_PARAMETER_BYTES: Final = 64 * 1024
#: Why a run is cancelled under ``overlap = "replace"``.
REPLACED: Final = "replaced by the next run of its schedule"


def check_parameters(flow: FlowSpec, parameters: Mapping[str, object]) -> None:
    """
    Refuse parameters that *flow* cannot be started with.

    Raises:
        UsageError: one is unknown, a required one is missing, JSON cannot say one, or all together are too large.
    """
    known = [parameter.name for parameter in flow.parameters]
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    if unknown := [name for name in parameters if name not in known]:
        raise UsageError(f"flow '{flow.name}' has no parameter '{unknown[0]}': {takes}")
    missing = [p.name for p in flow.parameters if p.required and p.name not in parameters]
    if missing:
        raise UsageError(f"flow '{flow.name}' needs a value for parameter '{missing[0]}': {takes}")
    try:
        json.dumps(parameters, allow_nan=False)
        size = len(parameters_text(dict(parameters)))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the parameters cannot be kept as JSON: {error}; give them as text") from None
    if size > MAX_PARAMETER_BYTES:
        raise UsageError(
            f"the parameters are larger than {MAX_PARAMETER_BYTES} bytes: give a path instead of a file's content"
        )


def start_run(
    conn: Connection,
    flow: FlowVersionRow,
    *,
    parameters: Mapping[str, object],
    wanted_at: datetime,
    idempotency_key: str | None,
    by: str,
    now: datetime,
) -> FlowRunId:
    """
    Make a run that somebody asked for; it is held until *wanted_at*, and until it gets a place.

    Args:
        idempotency_key: when a run with this key is there already, that one is meant, and none is made.

    Returns:
        The run's id.
    """
    check_parameters(flow.spec, parameters)
    if idempotency_key is not None and (old := runs.by_key(conn, idempotency_key)) is not None:
        return old.id
    run_id = FlowRunId(str(uuid4()))
    runs.insert_runs(
        conn,
        [
            NewRun(
                id=run_id,
                name=run_name(run_id),
                flow=flow.flow,
                flow_version_id=flow.version_id,
                source_hash=flow.spec.source_hash,
                wanted_at_us=to_us(wanted_at),
                parameters=parameters_text(dict(parameters)),
                created_by=by,
                idempotency_key=idempotency_key,
                message=f"started by {by}",
            )
        ],
        at_us=to_us(now),
    )
    return run_id


def cancel_run(conn: Connection, row: RunRow, folder: RunFolder, *, reason: str, now: datetime) -> bool:
    """
    Cancel a run: at once when its code was never entered, else it is to be asked to end, after the commit.

    Args:
        row: as the store has it in this transaction.

        folder: of the run.

    Returns:
        True when it is over now, and its end is in this transaction; False when :func:`ask_to_end` has to follow.

    Raises:
        StaleRun: it is over already.
    """
    if row.state.is_final:
        raise StaleRun(f"run {row.name} is over already: {row.state.shown}")
    if row.state is FlowRunState.SCHEDULED or (row.state is FlowRunState.PENDING and _call_off(folder, reason)):
        runs.move(conn, row.id, FlowRunState.CANCELLED, at_us=to_us(now), message=reason)
        return True

    if row.state is FlowRunState.RUNNING or row.state is FlowRunState.WAITING:
        runs.move(conn, row.id, FlowRunState.CANCELLING, at_us=to_us(now), message=reason)
    return False


def _call_off(folder: RunFolder, reason: str) -> bool:
    if not folder.path.exists():
        return True
    try:
        return fence.void(folder, reason)
    except OSError:
        # Then it is asked like one that has begun: its monitor looks before it opens the gate.
        return False


def ask_to_end(folder: RunFolder, reason: str) -> None:
    """
    Ask the monitor of a run to end it; whoever is asked again is only reminded.

    Raises:
        OSError: the folder cannot be written.
    """
    if not folder.cancel.exists():
        folder.write_cancel(reason)
        crash_at("cancel.written")
    wake_monitor(folder)


def wake_monitor(folder: RunFolder) -> None:
    """
    Have the monitor of *folder* look for a ``cancel`` file; one that has not begun yet looks before it opens the gate.
    """
    pid = fence.probe(folder).monitor_pid
    if pid is None:
        return
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # Probed again under the pidfd: the number may have gone to somebody else in between.
        if fence.probe(folder).monitor_pid == pid:
            signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    except ProcessLookupError:
        return
    finally:
        os.close(pidfd)
