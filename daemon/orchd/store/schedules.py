"""
Schedules and their versions: up to which instant each is decided, and who paused it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from orchd.errors import NotFound
from orchd.model.specs import ScheduleSpec
from orchd.store import streaks
from orchd.store.database import Connection
from orchd.store.schema import schedule, schedule_version

_DECODER: Final = msgspec.json.Decoder(ScheduleSpec)


class PauseRow(Struct, frozen=True, kw_only=True):
    """
    Who paused a schedule, when, and their note.
    """

    who: str
    at_us: int
    note: str


class ScheduleRow(Struct, frozen=True, kw_only=True):
    """
    One schedule in its current version.
    """

    id: int
    version_id: int
    spec: ScheduleSpec
    #: Last instant that is decided; fire times after it are owed.
    decided_until_us: int
    #: The pause that goes on now.
    paused: PauseRow | None
    #: The pause that ended at *resumed_at_us* and whose owed fire times are not decided yet.
    last_pause: PauseRow | None
    resumed_at_us: int | None


_ALL: Final = sa.select(
    schedule.c.id,
    schedule.c.version,
    schedule.c.removed_at_us,
    schedule_version.c.id.label("version_id"),
    schedule_version.c.spec,
    schedule.c.decided_until_us,
    schedule.c.pause_who,
    schedule.c.pause_at_us,
    schedule.c.pause_note,
    schedule.c.resumed_at_us,
).join(
    schedule_version,
    sa.and_(schedule_version.c.schedule_id == schedule.c.id, schedule_version.c.version == schedule.c.version),
)
_LOADED: Final = _ALL.where(schedule.c.removed_at_us.is_(None)).order_by(schedule.c.name)

#: Later of the given instant and the newest purged fire time: a purged row can no longer refuse a second start.
_NOT_BEFORE_PURGED: Final = sa.case(
    (schedule.c.purged_until_us > sa.bindparam("until"), schedule.c.purged_until_us),
    else_=sa.bindparam("until", type_=sa.BigInteger),
)
_SET_DECIDED: Final = (
    schedule.update().where(schedule.c.id == sa.bindparam("key")).values(decided_until_us=_NOT_BEFORE_PURGED)
)


def load(
    conn: Connection,
    *,
    names: Collection[str] | None = None,
    flows: Collection[str] | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[ScheduleRow]:
    """
    Return the schedules that are in the config, by name.

    Args:
        names: only those; all that there are when it is not given.

        flows: only those of these flows.

        after: only names that come after it.
    """
    asked = _LOADED.limit(limit)
    if names is not None:
        asked = asked.where(schedule.c.name.in_(names))
    if flows is not None:
        asked = asked.where(schedule_version.c.flow.in_(flows))
    if after is not None:
        asked = asked.where(schedule.c.name > after)
    return [_row(row) for row in conn.execute(asked)]


def names_of(conn: Connection, *, flows: Collection[str] | None = None) -> list[tuple[str, str]]:
    """
    Return name and flow of the schedules that are in the config, by name; of those of *flows* alone.
    """
    asked = _LOADED.with_only_columns(schedule.c.name, schedule_version.c.flow)
    if flows is not None:
        asked = asked.where(schedule_version.c.flow.in_(flows))
    return [(name, flow) for name, flow in conn.execute(asked)]


def _row(row: sa.Row[*tuple[Any, ...]]) -> ScheduleRow:
    pause = None
    if row.pause_at_us is not None:
        pause = PauseRow(who=row.pause_who, at_us=row.pause_at_us, note=row.pause_note)

    return ScheduleRow(
        id=row.id,
        version_id=row.version_id,
        spec=_DECODER.decode(row.spec),
        decided_until_us=row.decided_until_us,
        paused=pause if row.resumed_at_us is None else None,
        last_pause=pause if row.resumed_at_us is not None else None,
        resumed_at_us=row.resumed_at_us,
    )


def sync(conn: Connection, specs: Sequence[ScheduleSpec], *, at_us: int) -> None:
    """
    Make the stored schedules those of *specs*.

    A new or edited one, and one that comes back, is decided up to *at_us*: the caller has decided the old rule up to
    there. One that is gone is kept, marked as removed, with its pause. One that is unchanged is not touched. One that
    waits for the same flows as before keeps its cursor, and with it the finishes that still wait for a partner; so does
    an asked one that was asked again: its past is in it.
    """
    known = {}
    for row in conn.execute(_ALL):
        spec = _DECODER.decode(row.spec)
        known[spec.name] = (row.id, row.version, spec, row.removed_at_us is not None)
    for spec in specs:
        if spec.name not in known:
            _add(conn, spec, at_us=at_us)
            continue

        key, version, old, removed = known.pop(spec.name)
        if old != spec:
            version += 1
            _add_version(conn, key, version, spec, at_us=at_us)
        if old != spec or removed:
            conn.execute(schedule.update().where(schedule.c.id == key).values(version=version, removed_at_us=None))
            if removed or not (_waits_alike(old, spec) or spec.goes_on_from(old)):
                set_decided(conn, [(key, at_us)])
    gone = [key for key, _, _, removed in known.values() if not removed]
    if gone:
        conn.execute(schedule.update().where(schedule.c.id.in_(gone)).values(removed_at_us=at_us))


def _waits_alike(old: ScheduleSpec, new: ScheduleSpec) -> bool:
    return bool(new.after) and (old.when, set(old.after)) == (new.when, set(new.after))


def _add(conn: Connection, spec: ScheduleSpec, *, at_us: int) -> None:
    added = schedule.insert().values(name=spec.name, version=1, decided_until_us=at_us).returning(schedule.c.id)
    _add_version(conn, conn.execute(added).scalar_one(), 1, spec, at_us=at_us)


def _add_version(conn: Connection, key: int, version: int, spec: ScheduleSpec, *, at_us: int) -> None:
    conn.execute(
        schedule_version.insert().values(
            schedule_id=key,
            version=version,
            flow=spec.flow,
            spec=msgspec.json.encode(spec).decode(),
            created_at_us=at_us,
        )
    )


def set_decided(conn: Connection, items: Sequence[tuple[int, int]]) -> None:
    """
    Set ``decided_until`` of (schedule id, microseconds) *items*; never back before a fire time that was purged.
    """
    if items:
        conn.execute(_SET_DECIDED, [{"key": key, "until": until} for key, until in items])


def decided_until(conn: Connection, key: int) -> int:
    """
    Return up to which instant (microseconds) the schedule of that key is decided.
    """
    found: int = conn.execute(sa.select(schedule.c.decided_until_us).where(schedule.c.id == key)).scalar_one()
    return found


def decided_before(conn: Connection, at_us: int) -> dict[int, int]:
    """
    Return key -> up to which instant it is decided (microseconds), of the schedules where that lies before *at_us*.
    """
    rows = conn.execute(
        sa.select(schedule.c.id, schedule.c.decided_until_us).where(schedule.c.decided_until_us < at_us)
    )
    return {row.id: row.decided_until_us for row in rows}


def get(conn: Connection, name: str) -> ScheduleRow:
    """
    Return one schedule.

    Raises:
        NotFound: no schedule of that name is in the config.
    """
    return _row(conn.execute(_LOADED.where(schedule.c.id == _loaded(conn, name))).one())


def pause(conn: Connection, name: str, *, who: str, note: str, at_us: int) -> None:
    """
    Pause a schedule; one that is paused already stays as it was paused first.

    Raises:
        NotFound: no schedule of that name is in the config.
    """
    going_on = sa.and_(schedule.c.pause_at_us.is_not(None), schedule.c.resumed_at_us.is_(None))
    key = _loaded(conn, name)
    conn.execute(
        schedule.update()
        .where(schedule.c.id == key, sa.not_(going_on))
        .values(pause_who=who, pause_at_us=at_us, pause_note=note, resumed_at_us=None)
    )


def unpause(conn: Connection, name: str, *, at_us: int) -> None:
    """
    End the pause of a schedule, and count its failures in a row anew; one that is not paused is left alone.

    Raises:
        NotFound: no schedule of that name is in the config.
    """
    key = _loaded(conn, name)
    conn.execute(
        schedule.update()
        .where(schedule.c.id == key, schedule.c.pause_at_us.is_not(None), schedule.c.resumed_at_us.is_(None))
        .values(resumed_at_us=at_us)
    )
    streaks.clear(conn, name)


def _loaded(conn: Connection, name: str) -> int:
    found: int | None = conn.execute(
        sa.select(schedule.c.id).where(schedule.c.name == name, schedule.c.removed_at_us.is_(None))
    ).scalar()
    if found is None:
        raise NotFound(f"there is no schedule {name!r}: `orchd schedules` lists those that there are")

    return found


def clear_resumed(conn: Connection, ids: Iterable[int]) -> None:
    """
    Forget the ended pauses of these schedules: what they owed from that time is decided.
    """
    conn.execute(
        schedule.update()
        .where(schedule.c.id.in_(list(ids)), schedule.c.resumed_at_us.is_not(None))
        .values(pause_who=None, pause_at_us=None, pause_note=None, resumed_at_us=None)
    )
