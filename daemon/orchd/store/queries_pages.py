"""
Questions that only pages ask: many short facts at once.
"""

from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa
from msgspec import Struct

from orchd.model.instants import from_us, iso
from orchd.model.slots import Outcome
from orchd.model.states import FINAL_TASK_RUN_STATES, FlowRunState, TaskRunState
from orchd.store.database import Connection
from orchd.store.queries_schedules import SLOT, schedule_id, slot_view
from orchd.store.schema import event, flow_run, slot, task_run
from orchd.store.schema import flow as flow_table
from orchd.store.schema import schedule as schedule_table
from orchd.store.views import SlotView

_R: Final = flow_run.c
_T: Final = task_run.c


class BarView(Struct, frozen=True, kw_only=True):
    """
    A run as one bar of a strip.
    """

    id: str
    name: str
    state: str
    #: When it ended; when it was made, if it has not ended.
    at_us: int
    duration_s: float | None

    @property
    def shown(self) -> str:
        """
        The state as people see it.
        """
        return FlowRunState(self.state).shown

    @property
    def at(self) -> str:
        """
        *at_us* as ISO-8601 UTC text, which most bars are never asked for.
        """
        return iso(from_us(self.at_us))


class ProgressView(Struct, frozen=True, kw_only=True):
    """
    How far a run is, in task runs.
    """

    tasks: int
    ended: int


def last_bars(conn: Connection, flow: str, *, limit: int) -> list[BarView]:
    """
    Return the newest runs of *flow*, oldest first.
    """
    asked = (
        sa.select(_R.id, _R.name, _R.state, _R.created_at_us, _R.started_at_us, _R.ended_at_us)
        .where(_R.flow == flow)
        .order_by(_R.number.desc())
        .limit(limit)
    )
    return [
        BarView(
            id=run_id,
            name=name,
            state=state,
            at_us=made if ended is None else ended,
            duration_s=None if started is None or ended is None else max(0, ended - started) / 1_000_000,
        )
        for run_id, name, state, made, started, ended in reversed(conn.execute(asked).all())
    ]


def latest_flows(conn: Connection, *, limit: int) -> list[str]:
    """
    Return the names of the flows that ran last, the latest first, and then of those that never ran.
    """
    newest = sa.select(sa.func.max(_R.number)).where(_R.flow == flow_table.c.name).correlate(flow_table)
    order = sa.func.coalesce(newest.scalar_subquery(), 0).desc()
    return list(conn.execute(sa.select(flow_table.c.name).order_by(order, flow_table.c.name).limit(limit)).scalars())


def flow_names(conn: Connection, *, after: str, limit: int) -> list[str]:
    """
    Return the names of flows that come after *after* in the alphabet.
    """
    asked = sa.select(flow_table.c.name).where(flow_table.c.name > after).order_by(flow_table.c.name).limit(limit)
    return list(conn.execute(asked).scalars())


def progress(conn: Connection, numbers: Sequence[int]) -> dict[int, ProgressView]:
    """
    Return run number -> how far it is, for those of the runs that have begun a task. A mapped task counts by its
    children.
    """
    ended = sa.func.sum(sa.case((_T.state.in_(sorted(FINAL_TASK_RUN_STATES)), 1), else_=0))
    asked = (
        sa.select(_T.run_number, sa.func.count(), ended)
        .where(_T.run_number.in_(numbers), _T.state != TaskRunState.MAPPED.value)
        .group_by(_T.run_number)
    )
    return {number: ProgressView(tasks=tasks, ended=int(done)) for number, tasks, done in conn.execute(asked)}


def run_mark(conn: Connection, number: int) -> tuple[str, str]:
    """
    Return the state of a run, and a text that is another one whenever the run or one of its tasks moved.
    """
    newest = sa.select(sa.func.max(event.c.id)).where(event.c.run_number == number).scalar_subquery()
    state, last = conn.execute(sa.select(_R.state, newest).where(_R.number == number)).one()
    return state, f"{state} {last}"


def ledger(
    conn: Connection,
    *,
    schedule: str | None = None,
    outcomes: Collection[Outcome] = (),
    until_us: int | None = None,
    after: tuple[int, str] | None = None,
    limit: int,
) -> list[SlotView]:
    """
    Return a page of the slots of all schedules, the latest fire time first, then by the schedule's name.

    Args:
        schedule: only those of the schedule of that name.

        outcomes: only those; all when empty.

        until_us: only fire times up to it.

        after: fire time (microseconds) and schedule of the last slot of the page before this one.
    """
    asked = SLOT.order_by(slot.c.fire_time_us.desc(), schedule_table.c.name).limit(limit)
    if schedule is not None:
        asked = asked.where(slot.c.schedule_id == schedule_id(conn, schedule))
    if outcomes:
        asked = asked.where(slot.c.outcome.in_(sorted(outcomes)))
        if Outcome.STARTED not in outcomes:
            # What an index has in its condition: it holds only the few that were not started.
            asked = asked.where(slot.c.run_id.is_(None))
    if until_us is not None:
        asked = asked.where(slot.c.fire_time_us <= until_us)
    if after is not None:
        at_us, name = after
        same_or_later_name = sa.or_(slot.c.fire_time_us < at_us, schedule_table.c.name > name)
        asked = asked.where(slot.c.fire_time_us <= at_us, same_or_later_name)
    return [slot_view(row) for row in conn.execute(asked)]


def unstarted(conn: Connection, *, since_us: int, limit: int) -> list[SlotView]:
    """
    Return the latest slots at or after *since_us* that were skipped or missed, the latest fire time first.
    """
    asked = SLOT.where(slot.c.run_id.is_(None), slot.c.fire_time_us >= since_us)
    return [slot_view(row) for row in conn.execute(asked.order_by(slot.c.fire_time_us.desc()).limit(limit))]
