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

from msgspec import Struct

from orchd.errors import NotFound, StaleRun, UsageError
from orchd.model.choosing import chosen_slug
from orchd.model.ids import FlowRunId, run_name
from orchd.model.instants import to_us
from orchd.model.names import name_problem, shown
from orchd.model.specs import FlowSpec, parameters_text
from orchd.model.states import FlowRunState
from orchd.processes import fence
from orchd.processes.crash import crash_at
from orchd.processes.folder import RunFolder
from orchd.store import attempts, children, projects, runs
from orchd.store.database import Connection
from orchd.store.flows import FlowVersionRow
from orchd.store.runs import NewRun, RunRow

#: Source: the threat table of reliability.md, T12.
MAX_PARAMETER_BYTES: Final = 64 * 1024
#: How many runs may have started one another, each by a task of the one before: each has a process that waits.
MAX_DEPTH: Final = 50
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


class Call(Struct, frozen=True, kw_only=True):
    """
    The call of a task by which a run asks for a run of another flow.
    """

    #: Id of the run that asks.
    run: str
    #: Slug and map index of the task, and the number of its call: the same whenever the task is tried again.
    call: str
    #: Of the task; the first is 1.
    attempt: int = 1
    #: What its task began in an earlier attempt of the run counts no more, as what is above it ran anew.
    is_anew: bool = False


def start_run(
    conn: Connection,
    flow: FlowVersionRow,
    *,
    parameters: Mapping[str, object],
    wanted_at: datetime,
    idempotency_key: str | None,
    by: str,
    now: datetime,
    name: str | None = None,
    project: str | None = None,
    call: Call | None = None,
) -> FlowRunId:
    """
    Make a run that somebody asked for; it is held until *wanted_at*, and until it gets a place.

    Args:
        idempotency_key: when a run with this key is there already, that one is meant, and none is made.

        name: of the run; None for one that is made of its id.

        project: in which the flow must be, if it is in one.

        call: by which another run asks for it. Asked by the same call again, the run of before is meant, unless the
            task or its run is tried anew and that one did not succeed.

    Returns:
        The run's id.

    Raises:
        UsageError: parameters or name cannot be meant, or too many runs started one another.

        NotFound: the flow is in another project.

        StaleRun: the run that asks is over, or about to end.
    """
    _check_wish(flow, parameters, name=name, project=project)
    parent = None if call is None else runs.get(conn, FlowRunId(call.run))
    if parent is not None and call is not None and idempotency_key is None:
        made, idempotency_key = _of_call(conn, parent, call)
    else:
        made = None if idempotency_key is None else runs.by_key(conn, idempotency_key)
    if made is not None:
        return made.id
    if parent is not None and call is not None:
        _check_parent(conn, flow.flow, parent)
        by = f"task {call.call.rpartition('.')[0]} of run {parent.name}"
    run_id = FlowRunId(str(uuid4()))
    new = NewRun(
        id=run_id,
        name=name or run_name(run_id),
        flow=flow.flow,
        flow_version_id=flow.version_id,
        source_hash=flow.spec.source_hash,
        wanted_at_us=to_us(wanted_at),
        parameters=parameters_text(dict(parameters)),
        trigger="manual" if parent is None else "parent",
        created_by=by,
        idempotency_key=idempotency_key,
        parent_run_id=None if parent is None else parent.id,
        message=f"started by {by}",
    )
    runs.insert_runs(conn, [new], at_us=to_us(now))
    return run_id


def _check_wish(
    flow: FlowVersionRow, parameters: Mapping[str, object], *, name: str | None, project: str | None
) -> None:
    if project and flow.project and project != flow.project:
        raise NotFound(f"flow '{flow.flow}' is in project {shown(flow.project)}, not in {shown(project)}")
    if name is not None:
        _check_name(name)
    check_parameters(flow.spec, parameters)


def _of_call(conn: Connection, parent: RunRow, call: Call) -> tuple[RunRow | None, str]:
    """
    Return the run that *call* has made before and that still counts, and the key of the one that it would make now.

    One that goes on becomes a child of *parent*, where an earlier attempt of that made it.
    """
    tries = children.lineage(conn, parent)
    prefix = f"{tries[-1]}/{call.call}#"
    of_this_try = f"{prefix}{len(tries)}."
    key = f"{of_this_try}{call.attempt}"
    before = children.latest_child(conn, tries, key_prefix=of_this_try if call.is_anew else prefix)
    if before is None:
        return None, key

    if not before.state.is_final and before.parent_run_id != parent.id:
        _check_parent(conn, before.flow, parent)
        # Whoever waits for it now is whom a cancel comes from.
        runs.adopt(conn, before.id, parent.id)
    counts = before.idempotency_key == key or not before.state.is_final or before.state is FlowRunState.SUCCESS
    return (before if counts else None), key


def _check_parent(conn: Connection, flow: str, parent: RunRow) -> None:
    if parent.state.is_final or parent.state is FlowRunState.CANCELLING:
        raise StaleRun(f"run {parent.name} starts no more runs: it is {parent.state.shown}")
    above = children.ancestors(conn, parent, limit=MAX_DEPTH)
    if len(above) >= MAX_DEPTH:
        names = ", ".join(sorted({row.flow for row in above}))
        raise UsageError(
            f"no run of flow '{flow}' is started: {MAX_DEPTH} runs have started one another already, each by a task of "
            f"the one before ({names}); let one of these flows end without starting the next"
        )


def rename_run(conn: Connection, row: RunRow, name: str) -> None:
    """
    Give a run another name.

    Raises:
        UsageError: it cannot be one.
    """
    _check_name(name)
    runs.rename(conn, row.id, name)


def create_project(conn: Connection, name: str, *, now: datetime) -> bool:
    """
    Make a project, and tell whether it is new.

    Raises:
        UsageError: *name* cannot be one.
    """
    if (problem := name_problem(name)) is not None:
        raise UsageError(f"the name of the project {problem} ({shown(name)})")
    return projects.create(conn, name, at_us=to_us(now))


def _check_name(name: str) -> None:
    if (problem := name_problem(name)) is not None:
        raise UsageError(f"the name of the run {problem} ({shown(name)})")


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


def resume_run(
    conn: Connection,
    row: RunRow,
    flow: FlowVersionRow | None,
    *,
    from_task: str | None,
    by: str,
    now: datetime,
) -> FlowRunId:
    """
    Make the run that goes on from *row*: the next attempt of the same slot, or of the run that was started by hand.

    Args:
        row: as the store has it in this transaction.

        flow: as described last; None when no file has it any more.

        from_task: slug or name of the task from which on everything runs anew; None for what did not succeed.

    Returns:
        The new run's id.

    Raises:
        StaleRun: it still goes on, it succeeded wholly and no task is named, or somebody has resumed it before.

        NotFound: there is no such flow any more, or no such task.

        UsageError: the parameters do not fit the flow any more, or several tasks have that name.
    """
    if not row.state.is_final:
        raise StaleRun(f"run {row.name} is not over: it is {row.state.shown}; cancel it first, or wait for its end")
    last = attempts.last_attempt(conn, row)
    if last.id != row.id and not last.state.is_final:
        raise StaleRun(f"run {row.name} is being resumed already: attempt {last.attempt} is {last.name}")
    if last.id != row.id:
        raise StaleRun(
            f"run {row.name} was resumed before: its last attempt is {last.name} ({last.state.shown}); resume that one"
        )
    if row.state is FlowRunState.SUCCESS and from_task is None:
        raise StaleRun(
            f"run {row.name} succeeded, so nothing is left to run; --from TASK runs a task of it and all below it anew"
        )
    if flow is None:
        raise NotFound(f"there is no flow {shown(row.flow)} any more: put its file back and run `orchd reload`")
    check_parameters(flow.spec, json.loads(row.parameters))
    slug = None if from_task is None else chosen_slug(from_task, ((task.slug, task.name) for task in flow.spec.tasks))
    return go_on(conn, row, flow, from_task=slug, by=by, now=now)


def go_on(
    conn: Connection, row: RunRow, flow: FlowVersionRow, *, from_task: str | None = None, by: str, now: datetime
) -> FlowRunId:
    """
    Make the next attempt of *row*, which is over and has none yet, whatever became of it; it is held until it gets a
    place.

    Returns:
        The new run's id.
    """
    run_id = attempts.id_after(row)
    if from_task is not None:
        attempts.keep_from_task(conn, run_id, from_task, at_us=to_us(now))
    new = NewRun(
        id=run_id,
        name=run_name(run_id),
        flow=row.flow,
        flow_version_id=flow.version_id,
        source_hash=flow.spec.source_hash,
        schedule_id=row.schedule_id,
        schedule=row.schedule,
        fire_time_us=row.fire_time_us,
        wanted_at_us=row.wanted_at_us,
        attempt=row.attempt + 1,
        parameters=row.parameters,
        trigger=row.trigger,
        created_by=by,
        upstream_runs=row.upstream_runs,
        parent_run_id=row.parent_run_id,
        resumed_from=row.id,
        message=f"goes on from {row.name}, which is {row.state.shown}; resumed by {by}",
    )
    runs.insert_runs(conn, [new], at_us=to_us(now))
    return run_id
