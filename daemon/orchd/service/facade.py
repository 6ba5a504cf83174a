"""
The daemon as the API sees it: questions are answered from the board, wishes go to the writer.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Final, TypeVar

from orchd import clock, log, operations
from orchd.errors import NotFound
from orchd.model.ids import FlowRunId
from orchd.model.instants import iso, to_us
from orchd.model.names import shown
from orchd.model.registration import Registration
from orchd.operations import Call
from orchd.scheduler.changes import Changes
from orchd.scheduler.core import Scheduler
from orchd.scheduler.overview import Overview
from orchd.scheduler.reload import Reloader
from orchd.scheduler.tallies import BOUNDS_S
from orchd.service.doors import Doors
from orchd.store import queries, schedules
from orchd.store.database import Connection, Database
from orchd.web.daemon import Figures

Json = dict[str, object]

T = TypeVar("T")

_log = log.get("service")

#: Without a tick for this long the daemon is not up, whatever it answers.
_STALE_S: Final = 5.0


class Facade:
    """
    Implements ``web.daemon.Daemon``.

    Args:
        stop: begins to end the daemon; from any thread.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        reloader: Reloader,
        changes: Changes,
        doors: Doors,
        *,
        version: str,
        stop: Callable[[bool], None],
    ) -> None:
        self._scheduler = scheduler
        self._reloader = reloader
        self._changes = changes
        self._doors = doors
        self._overview = Overview(scheduler.board)
        self._stop = stop
        self._version = version
        self._started_at = clock.now()
        self.ticked_s = clock.monotonic()

    @property
    def database(self) -> Database:
        """
        For reading only.
        """
        return self._scheduler.database

    def is_healthy(self) -> bool:
        """
        True when ticks really run and the store takes what is written.
        """
        return clock.monotonic() - self.ticked_s < _STALE_S and self._scheduler.health.error is None

    def figures(self) -> Figures:
        """
        Give what the daemon counts of its own work.
        """
        tallies = self._scheduler.tallies
        return Figures(
            late_bounds_s=BOUNDS_S,
            late=tuple(tallies.late),
            late_sum_s=tallies.late_sum_s,
            ended=dict(tallies.ended),
            ingest_lag_s=tallies.ingest_lag_s,
            tick_age_s=clock.monotonic() - self.ticked_s,
        )

    def facts(self) -> Json:
        """
        Give what of the status no store holds.
        """
        settings = self._reloader.config.daemon
        return {
            "daemon": {
                "pid": os.getpid(),
                "version": self._version,
                "started_at": iso(self._started_at),
                "store": self.database.where,
                "store_error": self._scheduler.health.error,
                "timezone": settings.timezone,
                "state_dir": str(settings.state_dir),
                "socket": str(settings.socket),
                "max_runs": settings.max_runs,
                "host": socket.gethostname(),
            },
            "page": {"url": self._doors.address, "trouble": self._doors.trouble},
            "broken": [{"file": file, "error": why} for file, why in self._reloader.loaded.errors],
            "config_error": self._reloader.error,
            "put_off": [
                {"run": run.row.name, "flow": run.row.flow, "reason": why}
                for run, why in self._scheduler.launcher.waiting().items()
            ],
            "clock_jumps": [{"at": iso(jump.at), "seconds": jump.seconds} for jump in self._scheduler.jumps.latest()],
            "clock_waits": self._overview.clock_waits(clock.now()),
            "pools": self._overview.pools(),
        }

    def holds(self) -> Mapping[str, str]:
        """
        Give run id -> why it is held at this moment.
        """
        return self._overview.holds(now=clock.now())

    def timezone_of(self, schedule: str | None) -> str:
        """
        Give the IANA name of the zone of *schedule*; of the daemon's own when there is none of that name.
        """
        entry = self._scheduler.board.entries.get(schedule or "")
        return self._reloader.config.daemon.timezone if entry is None else entry.row.spec.timezone

    def upcoming(self, schedule: str | None, *, n: int, after: datetime | None) -> Sequence[Json]:
        """
        Give the next fire times of one schedule, or of all together.
        """
        return self._overview.upcoming(schedule, n=n, after=after or clock.now())

    def soonest(self, *, n: int) -> tuple[Sequence[Json], int]:
        """
        Give the next fire time of the *n* schedules that come first, and how many more schedules have one.
        """
        return self._overview.soonest(n=n, after=clock.now())

    def flow_errors(self) -> Mapping[str, str]:
        """
        Give file -> why it does not load.
        """
        return dict(self._reloader.loaded.errors)

    def start_run(
        self,
        *,
        flow: str,
        parameters: Json,
        at: datetime | None,
        idempotency_key: str | None,
        by: str,
        name: str | None = None,
        project: str | None = None,
        call: Call | None = None,
    ) -> "Future[str]":
        """
        Make a run of *flow*; one that is not known is waited for while the flow files are read for the first time.
        """

        def act(conn: Connection) -> str:
            version = self._scheduler.board.flows.get(flow)
            if version is None:
                known = ", ".join(self._scheduler.board.flows) or "none"
                raise NotFound(f"there is no flow {shown(flow)}; there are: {known}")
            now = clock.now()
            return operations.start_run(
                conn,
                version,
                parameters=parameters,
                wanted_at=at or now,
                idempotency_key=idempotency_key,
                by=by,
                now=now,
                name=name,
                project=project,
                call=call,
            )

        def perform() -> "Future[str]":
            return self._scheduler.perform(act, then=lambda run_id: self._scheduler.take_over(FlowRunId(run_id)))

        if flow in self._scheduler.board.flows or self._reloader.has_loaded.is_set():
            return perform()

        def wait_and_perform() -> str:
            self._reloader.has_loaded.wait()
            return perform().result()

        return _in_a_thread(wait_and_perform)

    def cancel_run(self, ref: str, *, reason: str, by: str) -> "Future[str]":
        """
        Cancel the run that *ref* names.
        """

        def act(conn: Connection) -> str:
            row = queries.find_run(conn, ref)
            touched.extend(self._scheduler.cancel(conn, row, reason=f"{reason} (by {by})", now=clock.now()))
            return row.id

        touched: list[FlowRunId] = []
        return self._scheduler.perform(act, then=lambda _: self._scheduler.take_over(*touched))

    def rename_run(self, ref: str, *, name: str) -> "Future[str]":
        """
        Give the run that *ref* names another name.
        """

        def act(conn: Connection) -> str:
            row = queries.find_run(conn, ref)
            operations.rename_run(conn, row, name)
            return row.id

        def take_over(run_id: str) -> None:
            if FlowRunId(run_id) in self._scheduler.board.live:
                self._scheduler.take_over(FlowRunId(run_id))

        return self._scheduler.perform(act, then=take_over)

    def resume_run(self, ref: str, *, from_task: str | None, by: str) -> "Future[str]":
        """
        Start the next attempt of the run that *ref* names.
        """

        def act(conn: Connection) -> str:
            row = queries.find_run(conn, ref)
            flow = self._scheduler.board.flows.get(row.flow)
            return operations.resume_run(conn, row, flow, from_task=from_task, by=by, now=clock.now())

        return self._scheduler.perform(act, then=lambda run_id: self._scheduler.take_over(FlowRunId(run_id)))

    def pause(self, schedule: str, *, note: str, by: str) -> "Future[None]":
        """
        Pause a schedule.
        """

        def act(conn: Connection) -> None:
            schedules.pause(conn, schedule, who=by, note=note, at_us=to_us(clock.now()))

        return self._scheduler.perform(act, then=lambda _: self._taken_over("paused", schedule, by))

    def unpause(self, schedule: str, *, by: str) -> "Future[None]":
        """
        Let a schedule go on.
        """

        def act(conn: Connection) -> None:
            schedules.unpause(conn, schedule, at_us=to_us(clock.now()))

        return self._scheduler.perform(act, then=lambda _: self._taken_over("unpaused", schedule, by))

    def _taken_over(self, event: str, schedule: str, by: str) -> None:
        self._scheduler.take_over_schedule(schedule)
        _log.info(event, schedule=schedule, who=by)

    def create_project(self, name: str, *, by: str) -> "Future[bool]":
        """
        Make a project.
        """

        def act(conn: Connection) -> bool:
            return operations.create_project(conn, name, now=clock.now())

        return self._scheduler.perform(
            act, then=lambda is_new: _log.info("project_created", project=name, who=by, new=is_new)
        )

    def register(self, wish: Registration) -> "Future[None]":
        """
        Take up the flow of a file that somebody registers, in a thread of its own: it waits for the writer.
        """

        def act() -> None:
            self._reloader.has_loaded.wait()
            self._reloader.register(wish)
            _log.info("flow_registered", flow=wish.flow, file=wish.file, project=wish.project, who=wish.who)

        return _in_a_thread(act)

    def reload(self) -> "Future[Mapping[str, object]]":
        """
        Read config and flow files again, in a thread of its own: it waits for the writer and for the spawner.
        """
        return _in_a_thread(self._reloader.reload)

    def ask_again(self) -> None:
        """
        Ask the code of flow files for more fire times, where it is time to, in a thread of its own.
        """
        if self._reloader.to_ask():
            _in_a_thread(self._reloader.ask_again)

    def stop(self, *, cancel: bool) -> None:
        """
        Begin to end the daemon.
        """
        self._stop(cancel)

    def stir(self, run_id: FlowRunId) -> None:
        """
        Have what a run printed taken into the store now.
        """
        self._scheduler.stir(run_id)

    def next_change(self) -> "asyncio.Future[None]":
        """
        Give a future that is done at the next change of the store.
        """
        return self._changes.next()

    async def changed(self, change: "asyncio.Future[None]", *, within_s: float) -> bool:
        """
        Wait for *change*, at most *within_s* seconds; False when the daemon ends.
        """
        return await self._changes.wait(change, within_s=within_s)

    def monotonic(self) -> float:
        """
        Give the seconds of the clock that nobody can set.
        """
        return clock.monotonic()


def _in_a_thread(work: Callable[[], T]) -> "Future[T]":
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def answer() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            # Whoever asked is told; the daemon goes on with what it had.
            future.set_exception(error)

    threading.Thread(target=answer, daemon=True).start()
    return future
