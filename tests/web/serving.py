"""
The real application on a real Unix socket, over a real store, with a small daemon behind it.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from orchd import clock, operations
from orchd.config import DaemonSettings
from orchd.errors import OrchdError
from orchd.model.ids import FlowRunId
from orchd.model.instants import to_us
from orchd.model.registration import Registration
from orchd.scheduler.changes import Changes
from orchd.scheduler.overview import Overview
from orchd.service.doors import Doors
from orchd.store import queries, runs, schedules
from orchd.store.database import Connection, Database
from orchd.web.app import make_app
from orchd.web.daemon import Figures
from orchd.web.server import UnixServer, listen
from scheduler.rig import START, Rig
from web.unix_http import UnixConnection, events

Json = dict[str, Any]
T = TypeVar("T")


class SmallDaemon:
    """
    Implements ``web.daemon.Daemon`` with a rig: what is asked for is done at once, by whoever asks.
    """

    def __init__(self, rig: Rig, loop: asyncio.AbstractEventLoop) -> None:
        """
        Be healthy, and know of nothing broken.
        """
        self.rig = rig
        self.changes = Changes(loop)
        self.is_up = True
        self.errors: dict[str, str] = {}
        self.waits: list[Json] = []
        self.reloaded: Json = {"ok": True, "error": None, "changes": ["schedule a is new"], "broken": []}
        self.asked: list[object] = []
        self.waited = threading.Semaphore(0)
        self.fails: Exception | None = None

    @property
    def database(self) -> Database:
        """
        For reading only.
        """
        return self.rig.database

    def facts(self) -> Json:
        """
        Give what no store holds.
        """
        return {"daemon": {"version": "1", "timezone": "UTC"}, "broken": [], "config_error": None} | {
            "put_off": [],
            "clock_jumps": [],
            "clock_waits": self.waits,
            "page": {"url": None, "trouble": None},
            "pools": Overview(self.rig.board).pools(),
        }

    def figures(self) -> Figures:
        """
        Give figures that are easy to know again.
        """
        return Figures(
            late_bounds_s=(0.1, 1.0),
            late=(3, 2, 1),
            late_sum_s=7.25,
            ended={"success": 4, "failed": 1},
            ingest_lag_s=0.5,
            tick_age_s=0.25,
        )

    def holds(self) -> Mapping[str, str]:
        """
        Give the reasons of this moment.
        """
        return Overview(self.rig.board).holds(now=START)

    def timezone_of(self, schedule: str | None) -> str:
        """
        Give the zone of a schedule; the daemon's own is UTC.
        """
        entry = self.rig.board.entries.get(schedule or "")
        return "UTC" if entry is None else entry.row.spec.timezone

    def upcoming(self, schedule: str | None, *, n: int, after: datetime | None) -> Sequence[Json]:
        """
        Give coming fire times.
        """
        return Overview(self.rig.board).upcoming(schedule, n=n, after=after or START)

    def soonest(self, *, n: int) -> tuple[Sequence[Json], int]:
        """
        Give the next fire time of each schedule.
        """
        return Overview(self.rig.board).soonest(n=n, after=START)

    def flow_errors(self) -> Mapping[str, str]:
        """
        Give the broken files.
        """
        return self.errors

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
        call: operations.Call | None = None,
    ) -> "Future[str]":
        """
        Make a run.
        """

        def act() -> str:
            with self.database.writing() as conn:
                run_id = operations.start_run(
                    conn,
                    self.rig.board.flows[flow],
                    parameters=parameters,
                    wanted_at=at or START,
                    idempotency_key=idempotency_key,
                    by=by,
                    now=START,
                    name=name,
                    project=project,
                    call=call,
                )
                row = runs.get(conn, run_id)
            self.rig.board.put_run(row)
            return run_id

        return self._do(("start", flow, at, by), act)

    def cancel_run(self, ref: str, *, reason: str, by: str) -> "Future[str]":
        """
        Cancel a run.
        """

        def act() -> str:
            with self.database.writing() as conn:
                row = queries.find_run(conn, ref)
                self.rig.chains.cancel(conn, row, reason=reason, now=START)
            return row.id

        return self._do(("cancel", reason, by), act)

    def rename_run(self, ref: str, *, name: str) -> "Future[str]":
        """
        Rename a run.
        """

        def act() -> str:
            with self.database.writing() as conn:
                row = queries.find_run(conn, ref)
                operations.rename_run(conn, row, name)
            return row.id

        return self._do(("rename", name), act)

    def pause(self, schedule: str, *, note: str, by: str) -> "Future[None]":
        """
        Pause a schedule.
        """

        def act() -> None:
            with self.database.writing() as conn:
                schedules.pause(conn, schedule, who=by, note=note, at_us=to_us(START))

        return self._do(("pause", schedule), act)

    def unpause(self, schedule: str, *, by: str) -> "Future[None]":
        """
        Let a schedule go on.
        """

        def act() -> None:
            with self.database.writing() as conn:
                schedules.unpause(conn, schedule, at_us=to_us(START))

        return self._do(("unpause", schedule, by), act)

    def create_project(self, name: str, *, by: str) -> "Future[bool]":
        """
        Make a project.
        """

        def act() -> bool:
            with self.database.writing() as conn:
                return operations.create_project(conn, name, now=START)

        return self._do(("create project", name, by), act)

    def register(self, wish: Registration) -> "Future[None]":
        """
        Take up a flow.
        """
        return self._do(("register", wish.flow, wish.uid), lambda: None)

    def reload(self) -> "Future[Mapping[str, object]]":
        """
        Read everything again.
        """
        return self._do("reload", lambda: self.reloaded)

    def stop(self, *, cancel: bool) -> None:
        """
        Note the wish.
        """
        self.asked.append(("stop", cancel))

    def is_healthy(self) -> bool:
        """
        True when up.
        """
        return self.is_up

    def stir(self, run_id: FlowRunId) -> None:
        """
        Nothing runs here, so nothing is printed.
        """

    def next_change(self) -> "asyncio.Future[None]":
        """
        Give a future that is done at the next change.
        """
        return self.changes.next()

    async def changed(self, change: "asyncio.Future[None]", *, within_s: float) -> bool:
        """
        Wait for *change*, and tell the test that somebody does.
        """
        self.waited.release()
        return await self.changes.wait(change, within_s=within_s)

    def monotonic(self) -> float:
        """
        Give the seconds of the clock that nobody can set.
        """
        return clock.monotonic()

    def perform(self, act: Callable[[Connection], T]) -> "Future[T]":
        """
        Do what the doors ask of the scheduler.
        """

        def write() -> T:
            with self.database.writing() as conn:
                return act(conn)

        return self._do("perform", write)

    def _do(self, wish: object, act: Callable[[], Any]) -> "Future[Any]":
        self.asked.append(wish)
        future: Future[Any] = Future()
        try:
            if self.fails is not None:
                raise self.fails
            future.set_result(act())
        except (OrchdError, ZeroDivisionError) as error:
            future.set_exception(error)
        return future


class Serving:
    """
    The application, answering in a thread of its own.
    """

    def __init__(self, rig: Rig, path: Path) -> None:
        """
        Begin to answer on *path*.
        """
        self.path = path
        self.rig = rig
        self._loop = asyncio.new_event_loop()
        self.daemon = SmallDaemon(rig, self._loop)
        settings = DaemonSettings(socket=path, store="sqlite", state_dir=path.parent, timezone="UTC", listen=None)
        self.doors = Doors(cast(Any, self.daemon), settings)
        self._listening = listen(path)
        self._server: UnixServer | None = None
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,))
        self._thread.start()
        assert ready.wait(10)

    def _run(self, ready: threading.Event) -> None:
        async def serve() -> None:
            self._server = UnixServer(make_app(self.daemon, self.doors, version="1"), self.path, self._listening)
            ready.set()
            await self._server.serve()

        self._loop.run_until_complete(serve())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def stop(self) -> None:
        """
        Answer no more.
        """
        assert self._server is not None
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(10)
        self._server.close()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """
        Ask once, and return status and JSON.
        """
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        status, text = self._ask(method, path, data, {"content-type": "application/json"} | dict(headers or {}))
        return status, json.loads(text)

    def ask_text(self, path: str) -> tuple[int, str]:
        """
        Ask for *path* once, and return status and text.
        """
        status, text = self._ask("GET", path, None, {})
        return status, text.decode()

    @contextlib.contextmanager
    def stream(self, path: str, *, headers: Mapping[str, str] | None = None) -> Iterator[Iterator[Json]]:
        """
        Ask for ``/api/v1`` + *path*, and give its server-sent events as they come: ``event``, ``id`` and ``data``.
        """
        connection = UnixConnection(self.path)
        try:
            connection.request("GET", f"/api/v1{path}", headers=dict(headers or {}))
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield events(answer)
        finally:
            connection.close()

    def _ask(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = UnixConnection(self.path)
        try:
            connection.request(method, path, body=data, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str, **query: object) -> Any:
        """
        Ask for ``/api/v1`` + *path*, and return the JSON of a good answer.
        """
        text = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
        status, answer = self.ask("GET", f"/api/v1{path}" + (f"?{text}" if text else ""))
        assert status == 200, answer
        return answer

    def post(self, path: str, body: object) -> Any:
        """
        Post to ``/api/v1`` + *path*, and return the JSON of a good answer.
        """
        status, answer = self.ask("POST", f"/api/v1{path}", body)
        assert status in (200, 201), answer
        return answer
