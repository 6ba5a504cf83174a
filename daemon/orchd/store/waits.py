"""
The runs that a schedule with ``wait_for`` asks for.
"""

from typing import Final

import sqlalchemy as sa

from orchd.model.ids import FlowRunId
from orchd.model.instants import from_us
from orchd.model.states import FlowRunState
from orchd.schedules.waits import AwaitedRun
from orchd.store.database import Connection
from orchd.store.schema import flow_run, schedule_version

_C: Final = flow_run.c
_RUN: Final = sa.select(_C.id, _C.number, _C.state, _C.wanted_at_us)
#: A run that was wanted later also ended later, or has not ended: both are found by one index.
_YOUNG: Final = _RUN.where(
    _C.flow == sa.bindparam("flow"),
    _C.wanted_at_us >= sa.bindparam("since"),
    sa.or_(_C.ended_at_us >= sa.bindparam("since"), _C.ended_at_us.is_(None)),
).order_by(_C.wanted_at_us.desc(), _C.number.desc())
_NEWEST: Final = _YOUNG.where(_C.wanted_at_us <= sa.bindparam("until")).limit(1)
_SUCCEEDED: Final = _YOUNG.where(_C.state == FlowRunState.SUCCESS.value).limit(1)
_OF_SLOT: Final = _RUN.where(
    _C.schedule_id.in_(
        sa.select(schedule_version.c.schedule_id).where(schedule_version.c.flow == sa.bindparam("flow"))
    ),
    _C.fire_time_us == sa.bindparam("fire_time"),
    _C.flow == sa.bindparam("flow"),
)


def young_runs(conn: Connection, flow: str, *, since_us: int, until_us: int) -> list[AwaitedRun]:
    """
    Return of the runs of *flow* that were wanted at or after *since_us* the newest one wanted up to *until_us*
    (inclusive), and the newest one that succeeded, whenever it was wanted.
    """
    newest = conn.execute(_NEWEST, {"flow": flow, "since": since_us, "until": until_us}).all()
    succeeded = conn.execute(_SUCCEEDED, {"flow": flow, "since": since_us}).all()
    return [_awaited(*row) for row in (*newest, *succeeded)]


def runs_of_slot(conn: Connection, flow: str, fire_time_us: int) -> list[AwaitedRun]:
    """
    Return the runs of *flow* that have this fire time, every attempt, of whichever schedule.
    """
    return [_awaited(*row) for row in conn.execute(_OF_SLOT, {"flow": flow, "fire_time": fire_time_us})]


def _awaited(run_id: str, number: int, state: str, wanted_at_us: int) -> AwaitedRun:
    return AwaitedRun(
        run_id=FlowRunId(run_id), number=number, state=FlowRunState(state), wanted_at=from_us(wanted_at_us)
    )
