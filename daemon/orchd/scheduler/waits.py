"""
Which held runs wait for a run of another flow, and how each wait stands: asked of the store again only when a run of
that flow has moved.
"""

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from orchd.model.ids import FlowRunId
from orchd.model.instants import to_us
from orchd.model.specs import ScheduleSpec, WaitSpec
from orchd.schedules.waits import Answer, AwaitedRun, answer, deadline, given_up, oldest, reason
from orchd.store import waits
from orchd.store.database import Connection

_Runs = Callable[[WaitSpec, datetime], Sequence[AwaitedRun]]


@dataclass(slots=True, kw_only=True, eq=False)
class _Waiter:
    """
    A held run of a schedule with ``wait_for``.
    """

    run_id: FlowRunId
    fire_time: datetime
    unmet: dict[WaitSpec, Answer]
    #: When each wait gives up, for those that do.
    limits: dict[WaitSpec, datetime]
    #: Flow -> the run that met the wait for it.
    met: dict[str, str] = field(default_factory=dict)


#: Before anything has been asked of the store.
_UNKNOWN = Answer(met_by=None, newest=None)


class Waits:
    """
    Changed by the writer only; :meth:`has` and :meth:`why` may be asked from any thread.
    """

    def __init__(self) -> None:
        self._waiters: dict[FlowRunId, _Waiter] = {}
        self._by_flow: dict[str, set[FlowRunId]] = {}
        self._stale: set[FlowRunId] = set()
        #: When a run gives up a wait, the soonest first.
        self._limits: list[tuple[datetime, FlowRunId]] = []

    def add(self, run_id: FlowRunId, waits_for: Sequence[WaitSpec], *, fire_time: datetime) -> None:
        """
        Hold a run back until each of *waits_for* is met.
        """
        limits = {wait: limit for wait in waits_for if (limit := deadline(wait, fire_time)) is not None}
        unmet = dict.fromkeys(waits_for, _UNKNOWN)
        self._waiters[run_id] = _Waiter(run_id=run_id, fire_time=fire_time, unmet=unmet, limits=limits)
        for limit in limits.values():
            bisect.insort(self._limits, (limit, run_id))
        for wait in waits_for:
            self._by_flow.setdefault(wait.flow, set()).add(run_id)
        self._stale.add(run_id)

    def discard(self, run_id: FlowRunId) -> None:
        """
        The run is held no more.
        """
        waiter = self._waiters.pop(run_id, None)
        if waiter is not None:
            self._forget(run_id, (*waiter.met, *(wait.flow for wait in waiter.unmet)))
            for limit in waiter.limits.values():
                del self._limits[bisect.bisect_left(self._limits, (limit, run_id))]
            self._stale.discard(run_id)

    def _forget(self, run_id: FlowRunId, flows: Sequence[str]) -> None:
        for flow in flows:
            runs = self._by_flow.get(flow, set())
            runs.discard(run_id)
            if not runs:
                self._by_flow.pop(flow, None)

    def moved(self, flow: str) -> None:
        """
        A run of *flow* was made, or has moved: what waits for it may be met now.
        """
        if waiting := self._by_flow.get(flow):
            self._stale |= waiting

    @property
    def is_stale(self) -> bool:
        """
        True when the store has to be asked.
        """
        return bool(self._stale)

    def look(self, conn: Connection) -> None:
        """
        Ask the store what has become of those waits whose flow has moved.
        """
        # A herd of one fire time asks the same.
        runs_of = lru_cache(maxsize=None)(_runs_of(conn))
        for run_id in self._stale:
            _ask(self._waiters[run_id], runs_of)
        self._stale = set()

    def has(self, run_id: FlowRunId) -> bool:
        """
        True when a held run still waits for something.
        """
        waiter = self._waiters.get(run_id)
        return waiter is not None and bool(waiter.unmet)

    def why(self, run_id: FlowRunId) -> str:
        """
        Say what a held run still waits for, and how that stands; empty when for nothing any more.
        """
        waiter = self._waiters.get(run_id)
        if waiter is None:
            return ""
        unmet = tuple(waiter.unmet.items())
        return "; and for ".join(reason(wait, found, fire_time=waiter.fire_time) for wait, found in unmet)

    def met(self, run_id: FlowRunId) -> Mapping[str, str]:
        """
        Give flow -> id of the run that let a held run go.
        """
        waiter = self._waiters.get(run_id)
        return waiter.met if waiter is not None else {}

    def overdue(self, now: datetime) -> list[tuple[FlowRunId, str]]:
        """
        Give the runs that have waited too long, and the sentence by which each is cancelled.
        """
        found: dict[FlowRunId, str] = {}
        for _, run_id in self._limits[: self._passed(now)]:
            waiter = self._waiters[run_id]
            late = next((wait for wait in waiter.unmet if wait in waiter.limits and waiter.limits[wait] <= now), None)
            if late is not None:
                found[run_id] = given_up(late, waiter.unmet[late])
        return list(found.items())

    def next_deadline(self, now: datetime) -> datetime | None:
        """
        Give the next instant after *now* at which a run may have waited too long.
        """
        passed = self._passed(now)
        return self._limits[passed][0] if passed < len(self._limits) else None

    def _passed(self, now: datetime) -> int:
        return bisect.bisect_right(self._limits, now, key=lambda limit: limit[0])


def needed(conn: Connection, schedule: ScheduleSpec, *, since: datetime, now: datetime) -> list[FlowRunId]:
    """
    Give the runs that may still meet a wait of *schedule*.

    Args:
        since: its oldest fire time that is not decided, or whose run is still held.
    """
    found: list[FlowRunId] = []
    for wait in schedule.wait_for:
        since_us = to_us(oldest(wait, since))
        if wait.same_slot:
            found += waits.succeeded_slots(conn, wait.flow, since_us=since_us, limit=schedule.max_catchup)
        else:
            young = waits.young_runs(conn, wait.flow, since_us=since_us, until_us=to_us(now))
            found += [run.run_id for run in young]
    return found


def _ask(waiter: _Waiter, runs_of: _Runs) -> None:
    for wait in tuple(waiter.unmet):
        found = answer(wait, runs_of(wait, waiter.fire_time), fire_time=waiter.fire_time)
        if found.met_by is None:
            waiter.unmet[wait] = found
        else:
            del waiter.unmet[wait]
            waiter.met[wait.flow] = found.met_by


def _runs_of(conn: Connection) -> _Runs:
    def ask(wait: WaitSpec, fire_time: datetime) -> Sequence[AwaitedRun]:
        if wait.same_slot:
            return waits.runs_of_slot(conn, wait.flow, to_us(fire_time))
        since_us = to_us(oldest(wait, fire_time))
        return waits.young_runs(conn, wait.flow, since_us=since_us, until_us=to_us(fire_time))

    return ask
