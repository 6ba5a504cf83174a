"""
The ledger: one row for each decided fire time, never changed, and which finishes each waiting schedule has used.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from orchd.model.ids import FlowRunId
from orchd.model.slots import Outcome, Reason
from orchd.model.states import FINAL_FLOW_RUN_STATES, FlowRunState
from orchd.store import bulk
from orchd.store.database import Connection
from orchd.store.schema import flow_run, slot, slot_upstream


class NewSlot(Struct, frozen=True, kw_only=True):
    """
    A decision to be written down. Its run has the same (schedule, fire time) and is inserted after it.
    """

    schedule_id: int
    version_id: int
    fire_time_us: int
    #: Last fire time that it stands for (inclusive), when it stands for several.
    until_us: int | None = None
    outcome: Outcome
    reason: Reason
    #: Fields of the reason's sentence; what JSON can say.
    fields: Mapping[str, object] = {}
    #: The run of a started slot, and only of that.
    run_id: FlowRunId | None = None


class FinishRow(Struct, frozen=True, kw_only=True):
    """
    A finished run that may complete a join.
    """

    flow: str
    run_id: FlowRunId
    state: FlowRunState
    ended_at_us: int


_C: Final = flow_run.c
_COLUMNS: Final = (
    "schedule_id",
    "fire_time_us",
    "schedule_version_id",
    "until_us",
    "outcome",
    "reason",
    "fields",
    "run_id",
)


def insert_slots(conn: Connection, slots: Sequence[NewSlot]) -> frozenset[tuple[int, int]]:
    """
    Write *slots* down and return (schedule id, fire time) of those that were not decided already.

    The others are left as they are: whoever gets a slot back that is not among the returned lost the race for it,
    and starts nothing.
    """
    encode = msgspec.json.Encoder(order="deterministic").encode
    rows: list[bulk.Row] = [
        (
            one.schedule_id,
            one.fire_time_us,
            one.version_id,
            one.until_us,
            one.outcome.value,
            one.reason.value,
            encode(one.fields).decode() if one.fields else "{}",
            one.run_id,
        )
        for one in slots
    ]
    written = bulk.insert_new(conn, slot, _COLUMNS, rows, returning=("schedule_id", "fire_time_us"))
    return frozenset((int(key or 0), int(fire_time or 0)) for key, fire_time in written)


def mark_used(conn: Connection, schedule_id: int, run_ids: Iterable[FlowRunId], slot_fire_time_us: int) -> None:
    """
    Note that the slot of *schedule_id* at *slot_fire_time_us* used these finishes; a finish is used only once.
    """
    numbers = conn.execute(
        sa.select(flow_run.c.number).where(flow_run.c.id.in_(bulk.text_list(conn, run_ids)))
    ).scalars()
    rows: list[bulk.Row] = [(schedule_id, number, slot_fire_time_us) for number in numbers]
    bulk.insert(conn, slot_upstream, ("schedule_id", "run_number", "fire_time_us"), rows, tail="ON CONFLICT DO NOTHING")


def mark_all_used(
    conn: Connection, schedule_id: int, flows: Iterable[str], since_us: int, slot_fire_time_us: int
) -> None:
    """
    Note that the slot of *schedule_id* at *slot_fire_time_us* used every finish of *flows* that is not used yet.

    Args:
        since_us: only those that ended later (exclusive).
    """
    found = sa.select(sa.literal(schedule_id), _C.number, sa.literal(slot_fire_time_us, type_=sa.BigInteger)).where(
        _C.flow.in_(bulk.text_list(conn, flows)), *_unused(schedule_id, since_us)
    )
    conn.execute(slot_upstream.insert().from_select(["schedule_id", "run_number", "fire_time_us"], found))


def newest_finishes(
    conn: Connection, schedule_id: int, flows: Iterable[str], states: Iterable[FlowRunState], since_us: int
) -> list[FinishRow]:
    """
    Return for each of *flows* the finish that *schedule_id* would take: the newest that it has not used.

    Args:
        states: only those that ended so.

        since_us: only those that ended later (exclusive).
    """
    wanted = [*_unused(schedule_id, since_us), _C.state.in_(sorted(states))]
    columns = sa.select(_C.flow, _C.id, _C.state, _C.ended_at_us)
    newest = (
        columns.where(_C.flow == sa.bindparam("of"), *wanted).order_by(_C.ended_at_us.desc(), _C.number.desc()).limit(1)
    )
    rows = [row for flow in flows for row in conn.execute(newest, {"of": flow})]
    return [
        FinishRow(flow=flow, run_id=FlowRunId(run_id), state=FlowRunState(state), ended_at_us=ended_at_us)
        for flow, run_id, state, ended_at_us in rows
    ]


def _unused(schedule_id: int, since_us: int) -> tuple[sa.ColumnElement[bool], ...]:
    used = sa.exists().where(slot_upstream.c.schedule_id == schedule_id, slot_upstream.c.run_number == _C.number)
    return (_C.ended_at_us > since_us, _C.state.in_(sorted(FINAL_FLOW_RUN_STATES)), sa.not_(used))
