"""
Flows as they were described, one version for each change of a flow's file.
"""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from orchd.model.specs import FlowSpec
from orchd.store.database import Connection
from orchd.store.schema import flow, flow_version, project

_DECODER: Final = msgspec.json.Decoder(FlowSpec)
_LABELS: Final = msgspec.json.Decoder(tuple[str, ...])


class FlowVersionRow(Struct, frozen=True, kw_only=True):
    """
    One version of one flow.
    """

    flow: str
    version_id: int
    #: Counts from 1 for each flow.
    version: int
    spec: FlowSpec
    #: Name of the project that it was registered into.
    project: str | None = None
    #: Those that it was registered with.
    labels: tuple[str, ...] = ()


_each: Final = flow_version.alias()
_newest: Final = sa.select(sa.func.max(_each.c.version)).where(_each.c.flow_id == flow.c.id).correlate(flow)
_CURRENT: Final = (
    sa.select(
        flow.c.name, flow_version.c.id, flow_version.c.version, flow_version.c.spec, project.c.name, flow.c.labels
    )
    .join_from(
        flow,
        flow_version,
        sa.and_(flow_version.c.flow_id == flow.c.id, flow_version.c.version == _newest.scalar_subquery()),
    )
    .outerjoin(project, project.c.id == flow.c.project_id)
    .order_by(flow.c.name)
)


def current_flows(
    conn: Connection, *, names: Collection[str] | None = None, after: str | None = None, limit: int | None = None
) -> dict[str, FlowVersionRow]:
    """
    Return the newest version of every flow that was ever described, by name.

    Args:
        names: only those; all that there are when it is not given.

        after: only names that come after it.
    """
    asked = _CURRENT.limit(limit)
    if names is not None:
        asked = asked.where(flow.c.name.in_(names))
    if after is not None:
        asked = asked.where(flow.c.name > after)
    return {
        name: FlowVersionRow(
            flow=name,
            version_id=version_id,
            version=version,
            spec=_DECODER.decode(spec),
            project=of_project,
            labels=_LABELS.decode(labels),
        )
        for name, version_id, version, spec, of_project, labels in conn.execute(asked)
    }


def record_flows(conn: Connection, flows: Sequence[FlowSpec], *, at_us: int) -> dict[str, FlowVersionRow]:
    """
    Keep *flows*, each as a new version when its file or its description changed, and return :func:`current_flows`.
    """
    known = current_flows(conn)
    for spec in flows:
        current = known.get(spec.name)
        if current is not None and current.spec == spec:
            continue

        version = 1 if current is None else current.version + 1
        conn.execute(
            flow_version.insert().values(
                flow_id=_flow_id(conn, spec.name),
                version=version,
                file=spec.file,
                source_hash=spec.source_hash,
                spec=msgspec.json.encode(spec).decode(),
                created_at_us=at_us,
            )
        )
    return current_flows(conn)


def _flow_id(conn: Connection, name: str) -> int:
    found: int | None = conn.execute(sa.select(flow.c.id).where(flow.c.name == name)).scalar()
    if found is not None:
        return found

    added: int = conn.execute(flow.insert().values(name=name).returning(flow.c.id)).scalar_one()
    return added


def spec_of(conn: Connection, version_id: int | None) -> FlowSpec | None:
    """
    Return the description of a flow in that version, if the store has it.
    """
    text = conn.execute(sa.select(flow_version.c.spec).where(flow_version.c.id == version_id)).scalar()
    return None if text is None else _DECODER.decode(text)
