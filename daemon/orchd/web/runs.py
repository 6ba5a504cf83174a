"""
Routes about runs: list, start, look at, read the log, cancel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from orchd.errors import UsageError
from orchd.model.instants import to_us
from orchd.model.states import FlowRunState
from orchd.store import queries
from orchd.store.database import Connection
from orchd.web.answers import answer, with_hold
from orchd.web.asking import outcome
from orchd.web.daemon import Daemon

T = TypeVar("T")

#: Longest time that a request waits for something new, in seconds.
MAX_WAIT_S: Final = 30.0
#: Most rows of one answer. Source: the threat table of reliability.md, T14, asks for a bound.
MAX_RUNS: Final = 500
MAX_LINES: Final = 10_000

Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_S, description="seconds to wait when there is nothing new yet")]


class StartBody(BaseModel):
    """
    What a run is to be started with.
    """

    model_config = ConfigDict(extra="forbid")

    flow: str
    parameters: dict[str, object] = Field(default_factory=dict)
    at: AwareDatetime | None = None
    idempotency_key: Annotated[str, Field(max_length=200)] | None = None


class CancelBody(BaseModel):
    """
    Why a run is cancelled.
    """

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=1000)] = "cancelled"


async def _until(daemon: Daemon, read: Callable[[Connection], T], is_new: Callable[[T], bool], wait_s: float) -> T:
    """
    Read until there is something new, at most for *wait_s* seconds.
    """

    def once() -> T:
        with daemon.database.reading() as conn:
            return read(conn)

    deadline = daemon.monotonic() + wait_s
    while True:
        changed = daemon.next_change()
        found = await run_in_threadpool(once)
        left_s = deadline - daemon.monotonic()
        if is_new(found) or left_s <= 0:
            changed.cancel()
            return found
        await daemon.changed(changed, within_s=left_s)


def router(daemon: Daemon) -> APIRouter:
    """
    Make the routes.
    """
    routes = APIRouter(prefix="/api/v1/runs", tags=["runs"])

    @routes.get("")
    async def list_runs(
        flow: str | None = None,
        state: Annotated[list[FlowRunState] | None, Query()] = None,
        since: AwareDatetime | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_RUNS)] = 50,
        before: int | None = None,
        after: int | None = None,
        wait_s: Wait = 0,
    ) -> Response:
        """
        List runs, newest first; a page further by `before`, what is new by `after` (run numbers).
        """

        def read(conn: Connection) -> list[queries.RunView]:
            return queries.runs(
                conn,
                flow=flow,
                states=state or (),
                since_us=None if since is None else to_us(since),
                limit=limit,
                before=before,
                after=after,
            )

        found = await _until(daemon, read, bool, wait_s)
        holds = daemon.holds()
        return answer({"runs": [with_hold(run, holds) for run in found]})

    @routes.post("", status_code=201)
    async def start_run(body: StartBody, request: Request) -> Response:
        """
        Start a run of a flow, now or later.
        """
        run_id = await outcome(
            daemon.start_run(
                flow=body.flow,
                parameters=body.parameters,
                at=None if body.at is None else body.at.astimezone(UTC),
                idempotency_key=body.idempotency_key,
                by=caller(request),
            )
        )
        return answer({"run": await run_in_threadpool(_view, daemon, run_id)})

    @routes.get("/{ref}")
    async def show_run(ref: str) -> Response:
        """
        Give all that is known of one run but its log. `ref` is an id, the beginning of one, or a name.
        """

        def read() -> queries.RunDetail:
            with daemon.database.reading() as conn:
                return queries.run_detail(conn, queries.find_run(conn, ref).id)

        return answer(_as_object(with_hold(await run_in_threadpool(read), daemon.holds())))

    @routes.get("/{ref}/logs")
    async def read_log(
        ref: str,
        after: int = -1,
        task: str | None = None,
        level: int | None = None,
        since: AwareDatetime | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LINES)] = 1000,
        tail: Annotated[int | None, Query(ge=0, le=MAX_LINES)] = None,
        wait_s: Wait = 0,
    ) -> Response:
        """
        Read lines after seq `after`, or the last `tail`; with `wait_s` until there are any or the run is over.
        """
        asked = _LogQuestion(
            ref=ref,
            after=after,
            task=task,
            level=level,
            since_us=None if since is None else to_us(since),
            limit=limit,
            tail=tail,
        )
        run, lines = await _until(daemon, asked.read, _is_new, wait_s)
        last = lines[-1].seq if lines else after
        return answer({"run": with_hold(run, daemon.holds()), "lines": lines, "next": last})

    @routes.post("/{ref}/cancel")
    async def cancel_run(ref: str, body: CancelBody, request: Request) -> Response:
        """
        Cancel a run; it is over when nothing of it is alive any more.
        """
        run_id = await outcome(daemon.cancel_run(ref, reason=body.reason, by=caller(request)))
        return answer({"run": await run_in_threadpool(_view, daemon, run_id)})

    return routes


@dataclass(frozen=True, slots=True, kw_only=True)
class _LogQuestion:
    """
    Which lines of which log are wanted.
    """

    ref: str
    after: int
    task: str | None
    level: int | None
    since_us: int | None
    limit: int
    tail: int | None

    def read(self, conn: Connection) -> tuple[queries.RunView, list[queries.LogView]]:
        """
        Read the run first: when it is final as its lines are read, all of them are stored.
        """
        row = queries.find_run(conn, self.ref)
        if self.tail is not None and self.after < 0:
            lines = queries.log_tail(
                conn, row.number, count=self.tail, task=self.task, level=self.level, since_us=self.since_us
            )
        else:
            lines = queries.log_lines(
                conn,
                row.number,
                after=self.after,
                task=self.task,
                level=self.level,
                since_us=self.since_us,
                limit=self.limit,
            )
        return queries.run_view(row), lines


def _is_new(found: tuple[queries.RunView, list[queries.LogView]]) -> bool:
    return bool(found[1]) or FlowRunState(found[0].state).is_final


def caller(request: Request) -> str:
    """
    Give who sent *request*: the user at the other end of the Unix socket.
    """
    return request.client.host if request.client else "somebody"


def aware(text: str) -> datetime:
    """
    Read an instant with its zone.

    Raises:
        UsageError: it is none, or has no zone.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time: write it like 2026-03-29T02:30:00Z") from None
    if instant.tzinfo is None:
        raise UsageError(f"{text!r} has no zone: write it like 2026-03-29T02:30:00Z or +02:00")

    return instant.astimezone(UTC)


def _view(daemon: Daemon, run_id: str) -> queries.RunView:
    with daemon.database.reading() as conn:
        view = queries.run_view(queries.find_run(conn, run_id))
    return with_hold(view, daemon.holds())


def _as_object(detail: queries.RunView) -> dict[str, object]:
    return {field: getattr(detail, field) for field in detail.__struct_fields__}
