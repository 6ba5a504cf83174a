"""
Taking the daemon down: at once with the runs going on, or after they were cancelled.
"""

import asyncio
from datetime import timedelta

from orchd import clock, log
from orchd.model.ids import FlowRunId
from orchd.scheduler.board import LiveRun
from orchd.scheduler.changes import Changes
from orchd.scheduler.core import Scheduler
from orchd.store import runs
from orchd.store.database import Connection

_log = log.get("stop")

#: How often it is looked whether runs are over, when no change says so.
_LOOK_S = 0.5


class Stopper:
    """
    Decides nothing but the order of going down. Used in the loop's thread.

    Args:
        grace: what runs get to end by themselves before they are cancelled.
    """

    def __init__(self, scheduler: Scheduler, changes: Changes, *, grace: timedelta) -> None:
        self._scheduler = scheduler
        self._changes = changes
        self._grace = grace
        self._cancel = asyncio.Event()
        self._now = asyncio.Event()
        self._stop = asyncio.Event()
        self._at_once = asyncio.Event()

    def stop(self, *, cancel: bool) -> None:
        """
        Begin to end. Asked with *cancel* for the second time, the runs get no more time to end by themselves; for the
        third time, the daemon ends though runs are left that it could not end.
        """
        self._scheduler.stop_starting()
        if cancel:
            if self._now.is_set():
                self._at_once.set()
            if self._cancel.is_set():
                self._now.set()
            self._cancel.set()
        self._stop.set()

    def fail(self) -> None:
        """
        End at once, whatever goes on: nobody can follow or cancel it any more.
        """
        self._scheduler.stop_starting()
        self._stop.set()
        self._at_once.set()

    async def is_stopped_before(self, work: "asyncio.Task[None]") -> bool:
        """
        Wait until *work* is done or the daemon is to end, and tell whether it is to end first.
        """
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        return not work.done()

    async def wait(self) -> None:
        """
        Return when the daemon may end.
        """
        going_down = asyncio.create_task(self._go_down())
        at_once = asyncio.create_task(self._at_once.wait())
        await asyncio.wait([going_down, at_once], return_when=asyncio.FIRST_COMPLETED)
        at_once.cancel()
        if not self._at_once.is_set():
            going_down.result()
        going_down.cancel()

    async def _go_down(self) -> None:
        await self._stop.wait()
        begun = self._scheduler.board.begun_runs
        if not self._cancel.is_set():
            _log.info("stopping", runs_that_go_on=len(begun()))
            return

        grace_s = self._grace.total_seconds()
        _log.info("stopping", runs_to_end=len(begun()), grace_s=grace_s)
        deadline = clock.monotonic() + grace_s
        while begun() and not self._now.is_set() and clock.monotonic() < deadline:
            await self._next_look()
        cancelled: set[FlowRunId] = set()
        while going := begun():
            cancelled |= {run.id for run in going if run.id not in cancelled and await self._cancel_run(run)}
            await self._next_look()

    async def _next_look(self) -> None:
        await self._changes.wait(self._changes.next(), within_s=_LOOK_S)

    async def _cancel_run(self, run: LiveRun) -> bool:
        """
        Cancel one run of all, and tell whether that is written down; if not, it is tried again at the next look.
        """

        def act(conn: Connection) -> list[FlowRunId]:
            row = runs.get(conn, run.id)
            if row.state.is_final:
                return [run.id]
            return self._scheduler.cancel(conn, row, reason="the daemon was stopped", now=clock.now())

        done = self._scheduler.perform(act, then=lambda touched: self._scheduler.take_over(*touched))
        try:
            await asyncio.wrap_future(done)
        except Exception as error:
            # One run that cannot be cancelled must not keep the others from it.
            _log.warning("run_not_cancelled", run=run.row.name, flow=run.row.flow, error=str(error))
            return False
        return True
