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
_SUCCESS: Final = FlowRunState.SUCCESS.value
_OF_FLOW: Final = _RUN.where(_C.flow == sa.bindparam("flow"), _C.wanted_at_us >= sa.bindparam("since")).order_by(
    _C.wanted_at_us.desc(), _C.number.desc()
)
#: Whatever was wanted since then has also ended since then, or not at all: an index finds both.
_OVER: Final = _OF_FLOW.where(_C.ended_at_us >= sa.bindparam("since")).limit(1)
_NOT_OVER: Final = _OF_FLOW.where(_C.ended_at_us.is_(None)).limit(1)
_UP_TO: Final = _C.wanted_at_us <= sa.bindparam("until")
_YOUNG: Final = (
    _OVER,
    _NOT_OVER,
    _OVER.where(_UP_TO),
    _NOT_OVER.where(_UP_TO),
    _OVER.where(_C.state == _SUCCESS),
)
#: An empty text is added so that SQLite looks these up by schedule and fire time, and not by flow and state.
_OF_SLOTS: Final = sa.and_(
    _C.flow.concat("") == sa.bindparam("flow"),
    _C.schedule_id.in_(
        sa.select(schedule_version.c.schedule_id).where(schedule_version.c.flow == sa.bindparam("flow"))
    ),
)
_OF_SLOT: Final = _RUN.where(_OF_SLOTS, _C.fire_time_us == sa.bindparam("fire_time"))
_SLOTS_SINCE: Final = (
    sa.select(_C.id)
    .where(_OF_SLOTS, _C.fire_time_us >= sa.bindparam("since"), _C.state.concat("") == _SUCCESS)
    .order_by(_C.fire_time_us.desc())
)


def young_runs(conn: Connection, flow: str, *, since_us: int, until_us: int) -> list[AwaitedRun]:
    """
    Return of the runs of *flow* that were wanted at or after *since_us* the newest that is over and the newest that is
    not, the same two of those wanted up to *until_us* (inclusive), and the newest that succeeded; some of them twice.
    """
    asked = {"flow": flow, "since": since_us, "until": until_us}
    return [_awaited(*row) for each in _YOUNG for row in conn.execute(each, asked)]


def runs_of_slot(conn: Connection, flow: str, fire_time_us: int) -> list[AwaitedRun]:
    """
    Return the runs of *flow* that have this fire time, every attempt, of whichever schedule.
    """
    return [_awaited(*row) for row in conn.execute(_OF_SLOT, {"flow": flow, "fire_time": fire_time_us})]


def succeeded_slots(conn: Connection, flow: str, *, since_us: int, limit: int) -> list[FlowRunId]:
    """
    Return the runs of *flow* that succeeded for a fire time at or after *since_us*, the *limit* latest fire times.
    """
    rows = conn.execute(_SLOTS_SINCE.limit(limit), {"flow": flow, "since": since_us})
    return [FlowRunId(run_id) for run_id in rows.scalars()]


def _awaited(run_id: str, number: int, state: str, wanted_at_us: int) -> AwaitedRun:
    return AwaitedRun(
        run_id=FlowRunId(run_id), number=number, state=FlowRunState(state), wanted_at=from_us(wanted_at_us)
    )
