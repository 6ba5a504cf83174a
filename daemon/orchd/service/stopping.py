"""
Taking the daemon down: at once with the runs going on, or after they were cancelled.
"""

import asyncio
from concurrent.futures import Future
from datetime import timedelta

from orchd import clock, log
from orchd.model.ids import FlowRunId
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
        self._asked = 0
        self._cancel = asyncio.Event()
        self._now = asyncio.Event()
        self._stop = asyncio.Event()

    def stop(self, *, cancel: bool) -> None:
        """
        Begin to end. Asked with *cancel* for the second time, the runs get no more time to end by themselves.
        """
        self._scheduler.stop_starting()
        if cancel:
            if self._cancel.is_set():
                self._now.set()
            self._cancel.set()
        self._stop.set()

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
        await self._stop.wait()
        if not self._cancel.is_set():
            _log.info("stopping", runs_that_go_on=len(self._scheduler.board.begun_runs()))
            return

        _log.info("stopping", runs_to_end=len(self._scheduler.board.begun_runs()), grace_s=self._grace.total_seconds())
        await self._until_over(within_s=self._grace.total_seconds())
        if self._scheduler.board.begun_runs():
            await asyncio.wrap_future(self._cancel_all())
            await self._until_over(within_s=None)

    async def _until_over(self, *, within_s: float | None) -> None:
        deadline = None if within_s is None else clock.monotonic() + within_s
        while self._scheduler.board.begun_runs():
            if deadline is not None and (self._now.is_set() or clock.monotonic() >= deadline):
                return
            await self._changes.wait(self._changes.next(), within_s=_LOOK_S)

    def _cancel_all(self) -> "Future[list[FlowRunId]]":
        def act(conn: Connection) -> list[FlowRunId]:
            rows = [runs.get(conn, run.id) for run in self._scheduler.board.begun_runs()]
            return [
                run_id
                for row in rows
                if not row.state.is_final
                for run_id in self._scheduler.cancel(conn, row, reason="the daemon was stopped", now=clock.now())
            ]

        return self._scheduler.perform(act, then=lambda touched: self._scheduler.take_over(*touched))
