"""
Flow runs, and the only code that writes ``flow_run.state``: by the table of moves, each with its event row.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from orchd.errors import NotFound, StaleRun
from orchd.model.ids import FlowRunId
from orchd.model.states import FINAL_FLOW_RUN_STATES, FLOW_RUN_MOVES, FlowRunState
from orchd.store import bulk
from orchd.store.database import Connection
from orchd.store.schema import event, flow_run, schedule

_UPSTREAM: Final = msgspec.json.Decoder(dict[str, str])
_EVENT: Final = ("run_number", "from_state", "to_state", "at_us", "message")


class NewRun(Struct, frozen=True, kw_only=True):
    """
    A run to be made; one of a slot comes after its slot, in the same transaction.
    """

    id: FlowRunId
    name: str
    flow: str
    flow_version_id: int | None = None
    source_hash: str = ""
    schedule_id: int | None = None
    #: Its name; not stored again, only for the row that :func:`insert_runs` returns.
    schedule: str | None = None
    fire_time_us: int | None = None
    #: When it may start.
    wanted_at_us: int
    attempt: int = 1
    #: JSON text.
    parameters: str = "{}"
    #: ``scheduled``, or ``pending`` when it is claimed in the same moment.
    state: FlowRunState = FlowRunState.SCHEDULED
    host: str | None = None
    #: ``schedule``, ``after``, ``manual`` or ``parent``.
    trigger: str = "manual"
    created_by: str = ""
    #: Flow name -> run id.
    upstream_runs: Mapping[str, str] = {}
    idempotency_key: str | None = None
    #: Id of the run whose task started it.
    parent_run_id: str | None = None
    #: Id of the run before it whose results it takes over.
    resumed_from: str | None = None
    message: str = ""


class RunRow(Struct, frozen=True):
    """
    A run as stored; the fields stand in the order of the columns read.
    """

    number: int
    id: FlowRunId
    name: str
    flow: str
    flow_version_id: int | None
    source_hash: str
    schedule_id: int | None
    #: Name of the schedule.
    schedule: str | None
    fire_time_us: int | None
    wanted_at_us: int
    attempt: int
    parameters: str
    state: FlowRunState
    host: str | None
    trigger: str
    created_by: str
    created_at_us: int
    started_at_us: int | None
    ended_at_us: int | None
    upstream_runs: Mapping[str, str]
    idempotency_key: str | None
    parent_run_id: str | None
    resumed_from: str | None
    message: str
    exit_code: int | None
    signal: int | None
    peak_rss_kib: int | None
    #: Bytes of each file that are ingested, the next seq of the log, and the bytes of output kept.
    journal_offset: int
    stdout_offset: int
    stderr_offset: int
    next_seq: int
    stored_bytes: int


_C: Final = flow_run.c
_SELECT: Final = sa.select(
    *(schedule.c.name.label("schedule") if field == "schedule" else _C[field] for field in RunRow.__struct_fields__)
).outerjoin_from(flow_run, schedule, schedule.c.id == _C.schedule_id)
_LIVE: Final = _SELECT.where(_C.state.in_(sorted(set(FlowRunState) - FINAL_FLOW_RUN_STATES))).order_by(_C.number)
_BY_ID: Final = _SELECT.where(_C.id == sa.bindparam("run_id"))
_BY_KEY: Final = _SELECT.where(_C.idempotency_key == sa.bindparam("key"))
_STANDING: Final = sa.select(_C.number, _C.state, _C.started_at_us).where(_C.id == sa.bindparam("run_id"))
_COLUMNS: Final = ("number", *(field for field in NewRun.__struct_fields__ if field != "schedule"), "created_at_us")
_OFFSETS: Final = (
    flow_run.update()
    .where(_C.number == sa.bindparam("key"))
    .values({column: sa.bindparam(column) for column in RunRow.__struct_fields__[-5:]})
)


def _row(row: sa.Row[*tuple[Any, ...]]) -> RunRow:
    values = row._asdict()
    values["state"] = FlowRunState(values["state"])
    values["upstream_runs"] = _UPSTREAM.decode(values["upstream_runs"])
    return RunRow(**values)


def insert_runs(conn: Connection, runs: Sequence[NewRun], *, at_us: int) -> list[RunRow]:
    """
    Make *runs*, each with its first event row.

    Returns:
        Their rows, in the same order.

    Raises:
        InternalError: a run of that id, slot and attempt, or idempotency key is there already.
    """
    if not runs:
        return []

    numbers = _take_numbers(conn, len(runs))
    rows: list[bulk.Row] = []
    events: list[bulk.Row] = []
    for number, run in zip(numbers, runs, strict=True):
        state = run.state.value
        upstream = msgspec.json.encode(run.upstream_runs).decode() if run.upstream_runs else "{}"
        rows.append(
            (
                number,
                run.id,
                run.name,
                run.flow,
                run.flow_version_id,
                run.source_hash,
                run.schedule_id,
                run.fire_time_us,
                run.wanted_at_us,
                run.attempt,
                run.parameters,
                state,
                run.host,
                run.trigger,
                run.created_by,
                upstream,
                run.idempotency_key,
                run.parent_run_id,
                run.resumed_from,
                run.message,
                at_us,
            )
        )
        events.append((number, None, state, at_us, run.message))
    bulk.insert(conn, flow_run, _COLUMNS, rows)
    bulk.insert(conn, event, _EVENT, events)
    return [_new_row(number, run, at_us) for number, run in zip(numbers, runs, strict=True)]


def _new_row(number: int, run: NewRun, at_us: int) -> RunRow:
    """
    Return the row of a run that was just made, without asking for it: a herd makes ten thousand.
    """
    return RunRow(
        number=number,
        id=run.id,
        name=run.name,
        flow=run.flow,
        flow_version_id=run.flow_version_id,
        source_hash=run.source_hash,
        schedule_id=run.schedule_id,
        schedule=run.schedule,
        fire_time_us=run.fire_time_us,
        wanted_at_us=run.wanted_at_us,
        attempt=run.attempt,
        parameters=run.parameters,
        state=run.state,
        host=run.host,
        trigger=run.trigger,
        created_by=run.created_by,
        created_at_us=at_us,
        started_at_us=None,
        ended_at_us=None,
        upstream_runs=run.upstream_runs,
        idempotency_key=run.idempotency_key,
        parent_run_id=run.parent_run_id,
        resumed_from=run.resumed_from,
        message=run.message,
        exit_code=None,
        signal=None,
        peak_rss_kib=None,
        journal_offset=0,
        stdout_offset=0,
        stderr_offset=0,
        next_seq=0,
        stored_bytes=0,
    )


def _take_numbers(conn: Connection, count: int) -> Sequence[int]:
    if bulk.is_postgres(conn):
        taken = conn.exec_driver_sql(
            "SELECT nextval(pg_get_serial_sequence('flow_run', 'number')) FROM generate_series(1, %s)", (count,)
        )
        return taken.scalars().all()

    last = conn.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'flow_run'").scalar() or 0
    return range(last + 1, last + 1 + count)


def move(
    conn: Connection, run_id: FlowRunId, to: FlowRunState, *, at_us: int, message: str = "", **columns: str | int | None
) -> None:
    """
    Move a run by the table, as a compare-and-set, with its event row; ``started_at`` and ``ended_at`` follow.

    Args:
        columns: other columns of ``flow_run`` to set with it: ``exit_code``, ``signal``, ``peak_rss_kib``, ``host``.

    Raises:
        NotFound: there is no such run.

        StaleRun: it is in a state from which it cannot be moved to *to*; the sentence names that state.
    """
    standing = conn.execute(_STANDING, {"run_id": run_id}).one_or_none()
    if standing is None:
        raise _no_run(run_id)

    number, found, started_at_us = standing
    sources = FLOW_RUN_MOVES[to]
    values: dict[str, str | int | None] = {**columns, "state": to.value, "message": message}
    if to is FlowRunState.RUNNING and started_at_us is None:
        values["started_at_us"] = at_us
    if to.is_final:
        values["ended_at_us"] = at_us
    moved = None
    if found in sources:
        moved = conn.execute(flow_run.update().where(_C.number == number, _C.state == found).values(values))
    if moved is None or moved.rowcount != 1:
        raise StaleRun(
            f"run {run_id} is {conn.execute(_STANDING, {'run_id': run_id}).one().state}, and only one that is"
            f" {' or '.join(sorted(sources))} can become {to.value}"
        )

    bulk.insert(conn, event, _EVENT, [(number, found, to.value, at_us, message)])


def claim(conn: Connection, run_ids: Sequence[FlowRunId], *, host: str, at_us: int) -> list[FlowRunId]:
    """
    Move *run_ids* from ``scheduled`` to ``pending`` on *host*, and return those really claimed, in the order given.

    One that somebody else moved first is not among them and must not be launched.
    """
    if not run_ids:
        return []

    claimed = conn.execute(
        flow_run.update()
        .where(_C.id.in_(bulk.text_list(conn, run_ids)), _C.state == FlowRunState.SCHEDULED.value)
        .values(state=FlowRunState.PENDING.value, host=host)
        .returning(_C.id, _C.number)
    )
    numbers: dict[str, int] = {row.id: row.number for row in claimed}
    mine = [run_id for run_id in dict.fromkeys(run_ids) if run_id in numbers]
    rows: list[bulk.Row] = [(numbers[run_id], "scheduled", "pending", at_us, "") for run_id in mine]
    bulk.insert(conn, event, _EVENT, rows)
    return mine


def set_upstream_runs(conn: Connection, run_id: FlowRunId, upstream_runs: Mapping[str, str]) -> None:
    """
    Note for which runs (flow -> id) a run has waited, in the transaction that claims it.
    """
    text = msgspec.json.encode(upstream_runs).decode()
    conn.execute(flow_run.update().where(_C.id == run_id).values(upstream_runs=text))


def live(conn: Connection) -> list[RunRow]:
    """
    Return every run that is not final, oldest first.
    """
    return [_row(row) for row in conn.execute(_LIVE)]


def get(conn: Connection, run_id: FlowRunId) -> RunRow:
    """
    Return the run of that whole id.

    Raises:
        NotFound: there is none.
    """
    row = find(conn, run_id)
    if row is None:
        raise _no_run(run_id)

    return row


def find(conn: Connection, run_id: FlowRunId) -> RunRow | None:
    """
    Return the run of that whole id; None when there is none, or none any more.
    """
    row = conn.execute(_BY_ID, {"run_id": run_id}).one_or_none()
    return None if row is None else _row(row)


def by_numbers(conn: Connection, numbers: Sequence[int]) -> list[RunRow]:
    """
    Return the runs of these numbers, oldest first.
    """
    return [_row(row) for row in conn.execute(_SELECT.where(_C.number.in_(numbers)).order_by(_C.number))]


def by_key(conn: Connection, idempotency_key: str) -> RunRow | None:
    """
    Return the run that was made with that idempotency key, if there is one.
    """
    row = conn.execute(_BY_KEY, {"key": idempotency_key}).one_or_none()
    return None if row is None else _row(row)


def rename(conn: Connection, run_id: FlowRunId, name: str) -> None:
    """
    Give a run another name.
    """
    conn.execute(flow_run.update().where(_C.id == run_id).values(name=name))


def adopt(conn: Connection, run_id: FlowRunId, parent: FlowRunId) -> None:
    """
    Let a run be a child of *parent*, which goes on from the run that started it.
    """
    conn.execute(flow_run.update().where(_C.id == run_id).values(parent_run_id=parent))


def set_offsets(
    conn: Connection,
    number: int,
    *,
    journal: int,
    stdout: int,
    stderr: int,
    next_seq: int,
    stored_bytes: int,
) -> None:
    """
    Note how far the files of a run are ingested, in the transaction that stores what was read.
    """
    conn.execute(
        _OFFSETS,
        {
            "key": number,
            "journal_offset": journal,
            "stdout_offset": stdout,
            "stderr_offset": stderr,
            "next_seq": next_seq,
            "stored_bytes": stored_bytes,
        },
    )


def _no_run(run_id: str) -> NotFound:
    return NotFound(f"there is no run {run_id!r}: `orchd runs` lists those that there are")
