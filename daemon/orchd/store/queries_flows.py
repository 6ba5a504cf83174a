"""
Questions about one flow: its versions, and how its last runs went.
"""

import statistics
from typing import Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from orchd.errors import NotFound
from orchd.model.instants import from_us, iso
from orchd.model.names import shown
from orchd.model.specs import FlowSpec
from orchd.model.states import FINAL_FLOW_RUN_STATES, FlowRunState
from orchd.store.database import Connection
from orchd.store.schema import flow, flow_run, flow_version, project

_SPEC: Final = msgspec.json.Decoder(FlowSpec)
_LABELS: Final = msgspec.json.Decoder(tuple[str, ...])
_R: Final = flow_run.c


class VersionView(Struct, frozen=True, kw_only=True):
    """
    One version of a flow.
    """

    version: int
    created_at: str
    spec: FlowSpec
    project: str | None
    labels: tuple[str, ...]


class SummaryView(Struct, frozen=True, kw_only=True):
    """
    How the last runs of a flow went.
    """

    #: How many runs this is about.
    runs: int
    #: State -> how many.
    counts: dict[str, int]
    #: Of those that are over; None when none is.
    success_rate: float | None
    #: Of those that succeeded, in seconds; None when none did.
    median_s: float | None
    p95_s: float | None


def versions(conn: Connection, name: str, *, before: int | None = None, limit: int) -> list[VersionView]:
    """
    Return the newest versions of the flow of that name, the newest first; none when all are *before* or later.

    Raises:
        NotFound: there never was one.
    """
    asked = (
        sa.select(
            flow_version.c.version, flow_version.c.created_at_us, flow_version.c.spec, project.c.name, flow.c.labels
        )
        .join_from(flow_version, flow, flow.c.id == flow_version.c.flow_id)
        .outerjoin(project, project.c.id == flow.c.project_id)
        .where(flow.c.name == name)
        .order_by(flow_version.c.version.desc())
        .limit(limit)
    )
    if before is not None:
        asked = asked.where(flow_version.c.version < before)
    found = [
        VersionView(
            version=version,
            created_at=iso(from_us(at)),
            spec=_SPEC.decode(spec),
            project=of_project,
            labels=_LABELS.decode(labels),
        )
        for version, at, spec, of_project, labels in conn.execute(asked)
    ]
    if not found and conn.execute(sa.select(flow.c.id).where(flow.c.name == name)).scalar() is None:
        raise NotFound(f"there is no flow {shown(name)}: `orchd flows` lists those that there are")

    return found


def summary(conn: Connection, name: str, *, limit: int) -> SummaryView:
    """
    Return how the last *limit* runs of a flow went.
    """
    asked = sa.select(_R.state, _R.started_at_us, _R.ended_at_us).where(_R.flow == name)
    rows = conn.execute(asked.order_by(_R.number.desc()).limit(limit)).all()
    counts: dict[str, int] = {}
    for state, _, _ in rows:
        counts[state] = counts.get(state, 0) + 1
    over = sum(count for state, count in counts.items() if state in FINAL_FLOW_RUN_STATES)
    good = FlowRunState.SUCCESS.value
    lengths = sorted((end - start) / 1e6 for state, start, end in rows if state == good and start is not None)
    return SummaryView(
        runs=len(rows),
        counts=counts,
        success_rate=counts.get(good, 0) / over if over else None,
        median_s=statistics.median(lengths) if lengths else None,
        p95_s=lengths[round(0.95 * (len(lengths) - 1))] if lengths else None,
    )
