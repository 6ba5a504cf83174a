"""
What keeps the store small, and the daemon's own few values in it.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from msgspec import Struct

from orchd.model.ids import FlowRunId
from orchd.model.states import FAILURE_STATES
from orchd.store import bulk
from orchd.store.database import Connection
from orchd.store.schema import daemon_state, flow_run, log, schedule, slot

_C: Final = flow_run.c


class StateRow(Struct, frozen=True, kw_only=True):
    """
    One value that the daemon keeps, and when it was last put.
    """

    key: str
    value: str
    at_us: int


def purge(
    conn: Connection, *, before_us: int, failed_before_us: int, limit: int, keep: Sequence[FlowRunId] = ()
) -> list[FlowRunId]:
    """
    Remove the oldest final runs with their tasks, events, logs and slots, and the oldest slots that have no run.

    ``decided_until`` of a schedule can never move back before a slot that was removed here.

    Args:
        before_us: runs that ended earlier, and slots without a run that lie earlier, are removed.

        failed_before_us: the same for runs that ended as a failure.

        limit: most runs, and most slots without a run, that are removed at once; call again until it returns none.

        keep: runs that stay, however old they are.

    Returns:
        The runs removed, oldest first.
    """
    found = conn.execute(
        sa.select(_C.number, _C.id, _C.schedule_id, _C.fire_time_us)
        .where(_due(before_us, failed_before_us), _C.id.not_in(bulk.text_list(conn, keep)))
        .order_by(_C.ended_at_us)
        .limit(limit)
    ).all()
    if found:
        conn.execute(flow_run.delete().where(_C.number.in_([row.number for row in found])))
    pairs = [(row.schedule_id, row.fire_time_us) for row in found if row.schedule_id is not None]
    last = sa.func.coalesce(slot.c.until_us, slot.c.fire_time_us)
    without_run = conn.execute(
        sa.select(slot.c.schedule_id, slot.c.fire_time_us, last.label("last"))
        .where(slot.c.run_id.is_(None), slot.c.fire_time_us < before_us, last < before_us)
        .order_by(slot.c.fire_time_us)
        .limit(limit)
    ).all()
    _remove_slots(conn, pairs + [(row.schedule_id, row.fire_time_us) for row in without_run])
    _raise_floor(conn, pairs + [(row.schedule_id, row.last) for row in without_run])
    return [FlowRunId(row.id) for row in found]


def trim_logs(
    conn: Connection, *, before_us: int, failed_before_us: int, rows: int, keep: Sequence[FlowRunId] = ()
) -> int:
    """
    Remove at most *rows* log lines of one run that :func:`purge` is to remove and that has more lines than that.

    Called until it returns 0, before each purge, it keeps every single transaction short.

    Returns:
        How many lines were removed.
    """
    lines = sa.select(sa.func.max(log.c.seq) - sa.func.min(log.c.seq)).where(log.c.run_number == _C.number)
    number = conn.execute(
        sa.select(_C.number)
        .where(
            _due(before_us, failed_before_us),
            _C.id.not_in(bulk.text_list(conn, keep)),
            _C.next_seq > rows,
            lines.scalar_subquery() >= rows,
        )
        .order_by(_C.ended_at_us)
        .limit(1)
    ).scalar()
    if number is None:
        return 0

    first = sa.select(sa.func.min(log.c.seq)).where(log.c.run_number == number).scalar_subquery()
    return conn.execute(log.delete().where(log.c.run_number == number, log.c.seq < first + rows)).rowcount


def _due(before_us: int, failed_before_us: int) -> sa.ColumnElement[bool]:
    kept = _C.state.not_in(sorted(FAILURE_STATES))
    return sa.and_(
        _C.ended_at_us < max(before_us, failed_before_us),
        sa.or_(sa.and_(kept, _C.ended_at_us < before_us), sa.and_(sa.not_(kept), _C.ended_at_us < failed_before_us)),
    )


def _remove_slots(conn: Connection, pairs: list[tuple[int, int]]) -> None:
    other_attempt = sa.exists().where(_C.schedule_id == slot.c.schedule_id, _C.fire_time_us == slot.c.fire_time_us)
    one = slot.delete().where(
        slot.c.schedule_id == sa.bindparam("key"), slot.c.fire_time_us == sa.bindparam("at"), sa.not_(other_attempt)
    )
    if pairs:
        conn.execute(one, [{"key": key, "at": at} for key, at in pairs])


def _raise_floor(conn: Connection, pairs: list[tuple[int, int]]) -> None:
    newest: dict[int, int] = {}
    for key, at in pairs:
        newest[key] = max(at, newest.get(key, at))
    higher = sa.or_(schedule.c.purged_until_us.is_(None), schedule.c.purged_until_us < sa.bindparam("at"))
    one = schedule.update().where(schedule.c.id == sa.bindparam("key"), higher)
    if newest:
        conn.execute(
            one.values(purged_until_us=sa.bindparam("at")), [{"key": key, "at": at} for key, at in newest.items()]
        )


def put_state(conn: Connection, key: str, value: str, *, at_us: int) -> None:
    """
    Keep *value* under *key*, in place of what was there.
    """
    bulk.insert(
        conn,
        daemon_state,
        ("key", "value", "at_us"),
        [(key, value, at_us)],
        tail="ON CONFLICT (key) DO UPDATE SET value = excluded.value, at_us = excluded.at_us",
    )


def get_state(conn: Connection, key: str) -> StateRow | None:
    """
    Return what is kept under *key*, if anything is.
    """
    row = conn.execute(sa.select(daemon_state).where(daemon_state.c.key == key)).one_or_none()
    return None if row is None else StateRow(**row._asdict())


def drop_state(conn: Connection, key: str) -> None:
    """
    Forget what is kept under *key*.
    """
    conn.execute(daemon_state.delete().where(daemon_state.c.key == key))


def states(conn: Connection, prefix: str, *, since_us: int = 0) -> list[StateRow]:
    """
    Return what is kept under the keys that start with *prefix* and was put at or after *since_us*, oldest first.
    """
    rows = conn.execute(
        sa.select(daemon_state)
        .where(daemon_state.c.key.startswith(prefix, autoescape=True), daemon_state.c.at_us >= since_us)
        .order_by(daemon_state.c.at_us, daemon_state.c.key)
    )
    return [StateRow(**row._asdict()) for row in rows]


def forget_states(conn: Connection, prefix: str, *, before_us: int) -> None:
    """
    Remove what is kept under the keys that start with *prefix* and was put before *before_us*.
    """
    conn.execute(
        daemon_state.delete().where(
            daemon_state.c.key.startswith(prefix, autoescape=True), daemon_state.c.at_us < before_us
        )
    )
