"""
Questions about schedules, their slots, and flows.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from orchd.errors import NotFound
from orchd.model.ids import with_run_name
from orchd.model.instants import from_us, iso, iso_us
from orchd.model.names import shown
from orchd.model.slots import Reason, sentence
from orchd.model.specs import ScheduleSpec
from orchd.schedules.rules import rule_words
from orchd.schedules.waits import words
from orchd.schedules.words import in_words
from orchd.store.database import Connection
from orchd.store.flows import current_flows
from orchd.store.queries_runs import latest_runs
from orchd.store.schedules import ScheduleRow, load, names_of
from orchd.store.schema import flow, project, schedule, schedule_version, slot
from orchd.store.views import FlowView, PauseView, ProjectView, ScheduleView, SlotView, flow_view

_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
_SPEC: Final = msgspec.json.Decoder(ScheduleSpec)
#: All slots, for :func:`slot_view`.
SLOT: Final = sa.select(
    schedule.c.name,
    slot.c.fire_time_us,
    slot.c.until_us,
    slot.c.outcome,
    slot.c.reason,
    slot.c.fields,
    slot.c.run_id,
).join_from(slot, schedule, schedule.c.id == slot.c.schedule_id)


class SchedulePast(Struct, frozen=True, kw_only=True):
    """
    A schedule as its past has made it.
    """

    spec: ScheduleSpec
    #: When it was first in the config, and since when it has its rule of now.
    first_us: int
    edited_us: int
    #: Last instant that is decided.
    decided_until_us: int
    #: Newest fire time whose slot is kept no longer.
    purged_until_us: int | None


def schedule_id(conn: Connection, name: str) -> int:
    """
    Return the key of the schedule of that name, in the config or removed from it.

    Raises:
        NotFound: there never was one.
    """
    found: int | None = conn.execute(sa.select(schedule.c.id).where(schedule.c.name == name)).scalar()
    if found is None:
        raise NotFound(f"there is no schedule {shown(name)}: `orchd schedules` lists those that there are")

    return found


def slots(conn: Connection, name: str, *, before_us: int | None = None, limit: int = 50) -> list[SlotView]:
    """
    Return a page of the slots of a schedule, the latest fire time first.

    Args:
        before_us: only fire times before it (the next page).

    Raises:
        NotFound: there never was such a schedule.
    """
    asked = SLOT.where(slot.c.schedule_id == schedule_id(conn, name))
    if before_us is not None:
        asked = asked.where(slot.c.fire_time_us < before_us)
    return [slot_view(row) for row in conn.execute(asked.order_by(slot.c.fire_time_us.desc()).limit(limit))]


def slot_at(conn: Connection, name: str, fire_time_us: int) -> SlotView | None:
    """
    Return the slot of a schedule that decides *fire_time_us*, alone or as one of several.

    Raises:
        NotFound: there never was such a schedule.
    """
    newest = (
        SLOT.where(slot.c.schedule_id == schedule_id(conn, name), slot.c.fire_time_us <= fire_time_us)
        .order_by(slot.c.fire_time_us.desc())
        .limit(1)
    )
    row = conn.execute(newest).one_or_none()
    if row is None or (row.until_us or row.fire_time_us) < fire_time_us:
        return None

    return slot_view(row)


def slot_within(conn: Connection, name: str, from_us: int, until_us: int) -> SlotView | None:
    """
    Return the first slot of a schedule whose fire time lies in ``[from_us, until_us)``.

    Raises:
        NotFound: there never was such a schedule.
    """
    asked = SLOT.where(
        slot.c.schedule_id == schedule_id(conn, name), slot.c.fire_time_us >= from_us, slot.c.fire_time_us < until_us
    )
    row = conn.execute(asked.order_by(slot.c.fire_time_us).limit(1)).one_or_none()
    return None if row is None else slot_view(row)


def schedule_past(conn: Connection, name: str) -> SchedulePast:
    """
    Return since when a schedule is what it is, and what of its past is decided and kept.

    Raises:
        NotFound: there never was such a schedule.
    """
    key, version = schedule_id(conn, name), schedule_version.c
    first = conn.execute(sa.select(sa.func.min(version.created_at_us)).where(version.schedule_id == key)).scalar_one()
    now = conn.execute(
        sa.select(version.spec, version.created_at_us, schedule.c.decided_until_us, schedule.c.purged_until_us)
        .join_from(
            schedule,
            schedule_version,
            sa.and_(version.schedule_id == schedule.c.id, version.version == schedule.c.version),
        )
        .where(schedule.c.id == key)
    ).one()
    return SchedulePast(
        spec=_SPEC.decode(now.spec),
        first_us=first,
        edited_us=now.created_at_us,
        decided_until_us=now.decided_until_us,
        purged_until_us=now.purged_until_us,
    )


def slot_of_run(conn: Connection, name: str, fire_time_us: int) -> SlotView | None:
    """
    Return the slot of a run, which has the same schedule and fire time.
    """
    asked = SLOT.where(slot.c.schedule_id == schedule_id(conn, name), slot.c.fire_time_us == fire_time_us)
    row = conn.execute(asked).one_or_none()
    return None if row is None else slot_view(row)


def last_slots(conn: Connection, ids: Sequence[int]) -> dict[str, SlotView]:
    """
    Return schedule name -> its latest slot, for those of the schedules *ids* that have one.
    """
    latest = (
        sa.select(sa.func.max(slot.c.fire_time_us))
        .where(slot.c.schedule_id == schedule.c.id)
        .correlate(schedule)
        .scalar_subquery()
    )
    asked = SLOT.where(schedule.c.id.in_(ids), slot.c.fire_time_us == latest)
    return {row.name: slot_view(row) for row in conn.execute(asked)}


def schedules(
    conn: Connection,
    *,
    names: Collection[str] | None = None,
    flows: Collection[str] | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[ScheduleView]:
    """
    Return the schedules of the config, by name; their ``next`` is the daemon's to fill in.

    Args:
        names: only those; all that there are when it is not given.

        flows: only those of these flows.

        after: only names that come after it.
    """
    rows = load(conn, names=names, flows=flows, after=after, limit=limit)
    last = last_slots(conn, [row.id for row in rows])
    return [_schedule(row, last.get(row.spec.name)) for row in rows]


def schedule_names(conn: Connection) -> list[str]:
    """
    Return the names of the schedules of the config, in order.
    """
    return [name for name, _ in names_of(conn)]


def flows(
    conn: Connection, *, names: Collection[str] | None = None, after: str | None = None, limit: int | None = None
) -> list[FlowView]:
    """
    Return every flow that was ever described, by name; ``loaded`` and ``error`` are the daemon's to fill in.

    Args:
        names: only those; all that there are when it is not given.

        after: only names that come after it.
    """
    known = current_flows(conn, names=names, after=after, limit=limit)
    last = latest_runs(conn, known)
    waiting: dict[str, list[str]] = {}
    for name, of in names_of(conn, flows=known):
        waiting.setdefault(of, []).append(name)
    return [
        msgspec.structs.replace(
            flow_view(
                current.spec,
                version=current.version,
                schedules=tuple(waiting.get(of, ())),
                last_run=last.get(of),
            ),
            project=current.project,
            labels=tuple(sorted({*current.spec.labels, *current.labels})),
        )
        for of, current in known.items()
    ]


def projects(
    conn: Connection, *, name: str | None = None, after: str | None = None, limit: int | None = None
) -> list[ProjectView]:
    """
    Return every project with its flows, by name.

    Args:
        name: only that one.

        after: only names that come after it.
    """
    page = sa.select(project.c.id, project.c.name, project.c.created_at_us).order_by(project.c.name).limit(limit)
    if name is not None:
        page = page.where(project.c.name == name)
    if after is not None:
        page = page.where(project.c.name > after)
    each = page.subquery()
    asked = sa.select(each.c.name, each.c.created_at_us, flow.c.name.label("flow")).outerjoin_from(
        each, flow, flow.c.project_id == each.c.id
    )
    found: dict[str, tuple[int, list[str]]] = {}
    for of_name, created_at_us, of in conn.execute(asked.order_by(each.c.name, flow.c.name)):
        of_project = found.setdefault(of_name, (created_at_us, []))[1]
        if of is not None:
            of_project.append(of)
    return [
        ProjectView(name=of_name, created_at=iso(from_us(created_at_us)), flows=tuple(names))
        for of_name, (created_at_us, names) in found.items()
    ]


def slot_view(row: sa.Row[*tuple[Any, ...]]) -> SlotView:
    """
    Return how a row of :data:`SLOT` is shown.
    """
    fields = _OBJECT.decode(row.fields)
    return SlotView(
        schedule=row.name,
        fire_time=iso(from_us(row.fire_time_us)),
        until=iso_us(row.until_us),
        outcome=row.outcome,
        reason=row.reason,
        fields=fields,
        sentence=sentence(Reason(row.reason), with_run_name(fields)),
        run=row.run_id,
    )


def _schedule(row: ScheduleRow, last: SlotView | None) -> ScheduleView:
    spec = row.spec
    paused = None
    if row.paused is not None:
        paused = PauseView(who=row.paused.who, at=iso(from_us(row.paused.at_us)), note=row.paused.note)

    return ScheduleView(
        name=spec.name,
        flow=spec.flow,
        rule=rule_words(spec),
        words=in_words(spec),
        timezone=spec.timezone,
        overlap=spec.overlap.value,
        catchup=spec.catchup.value,
        grace_s=spec.grace_s,
        max_catchup=spec.max_catchup,
        parameters=_OBJECT.decode(spec.parameters),
        paused=paused,
        in_code=spec.in_code,
        known_until=None if spec.known_until is None else iso(datetime.fromisoformat(spec.known_until)),
        labels=spec.labels,
        last=last,
        waits_for=tuple(words(wait) for wait in spec.wait_for),
        pool=spec.pool,
        priority=spec.priority,
        pause_after_failures=spec.pause_after_failures,
    )
