"""
Routes about runs: list, start, look at, read the log, resume, cancel.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from orchd.errors import NotFound, UsageError
from orchd.model.instants import to_us
from orchd.model.names import shown
from orchd.model.states import FlowRunState
from orchd.operations import Call
from orchd.store import queries
from orchd.store.database import Connection
from orchd.web.answers import answer, with_holds
from orchd.web.asking import MAX_NUMBER, RunRef, Wait, caller, outcome, read, read_new, utc
from orchd.web.daemon import Daemon
from orchd.web.limits import MAX_DEPTH, NO_NUL, is_deeper

#: Most rows of one answer. Source: the threat table of reliability.md, T14, asks for a bound.
MAX_RUNS: Final = 500
MAX_LINES: Final = 10_000
#: Longest key by which a wish is known again.
MAX_KEY: Final = 200
#: How many tasks are named to somebody who asked for one that is not there.
_TASKS: Final = 12


class CallBody(BaseModel):
    """
    The call of a task that asks for the run.
    """

    model_config = ConfigDict(extra="forbid")

    run: str = Field(description="id of the run whose task asks")
    call: Annotated[str, Field(max_length=1000)] = Field(description="`slug[map index].number of the call`")
    attempt: int = Field(default=1, ge=1, description="of the task")
    is_anew: bool = Field(default=False, description="no run of an earlier attempt of the asking run counts")


class StartBody(BaseModel):
    """
    What a run is to be started with.
    """

    model_config = ConfigDict(extra="forbid")

    flow: str = Field(description="name of the flow")
    parameters: dict[str, object] = Field(default_factory=dict, description="values in place of the flow's defaults")
    at: AwareDatetime | None = Field(default=None, description="not before this time, with its zone; null for now")
    idempotency_key: Annotated[str, Field(max_length=MAX_KEY, pattern=NO_NUL)] | None = Field(
        default=None, description="asked for again with the same key, the same run is given, and none is made"
    )
    name: str | None = Field(default=None, description="of the run; null for one that is made of its id")
    project: str | None = Field(default=None, description="in which the flow must be, if it is in one")
    call: CallBody | None = Field(
        default=None, description="of the task that asks; asked by the same call again, the same run is given"
    )


class CancelBody(BaseModel):
    """
    Why a run is cancelled.
    """

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=1000, pattern=NO_NUL)] = Field(
        default="cancelled", description="kept as its message"
    )


class RenameBody(BaseModel):
    """
    The new name of a run.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="as free as that of a flow")


class ResumeBody(BaseModel):
    """
    What a run is to go on from.
    """

    model_config = ConfigDict(extra="forbid")

    from_task: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None,
        description="slug or name of the task from which on everything runs anew; null for what did not succeed",
    )


class RunRoutes:
    """
    What can be asked about runs, and done with them.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(prefix="/api/v1/runs", tags=["runs"])
        add = routes.add_api_route
        add("", self.list_runs, response_description="`{runs: [run]}`")
        add("", self.start_run, methods=["POST"], status_code=201, response_description="`{run}`")
        add("/{ref}", self.show_run, response_description="the run with its `tasks`, `events` and more")
        add("/{ref}/state", self.follow_state, response_description="`{run}`")
        add("/{ref}/logs", self.read_log, response_description="`{run, lines: [line], next: seq of the last line}`")
        add(
            "/{ref}/resume",
            self.resume_run,
            methods=["POST"],
            status_code=201,
            response_description="`{run}`, the new one",
        )
        add("/{ref}/cancel", self.cancel_run, methods=["POST"], response_description="`{run}`")
        add("/{ref}/rename", self.rename_run, methods=["POST"], response_description="`{run}`")
        return routes

    async def list_runs(
        self,
        flow: Annotated[str | None, Query(description="only runs of this flow")] = None,
        state: Annotated[list[FlowRunState] | None, Query(description="only runs in one of these states")] = None,
        since: Annotated[AwareDatetime | None, Query(description="only runs made at or after this time")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_RUNS, description="most runs given")] = 50,
        before: Annotated[int | None, Query(ge=0, le=MAX_NUMBER, description="only smaller run numbers")] = None,
        after: Annotated[int | None, Query(ge=0, le=MAX_NUMBER, description="only greater run numbers")] = None,
        wait_s: Wait = 0,
    ) -> Response:
        """
        List runs, newest first; a page further by `before`, what is new by `after` (run numbers).
        """
        question = partial(
            _runs,
            flow=flow,
            states=state or (),
            since_us=None if since is None else to_us(since),
            limit=limit,
            before=before,
            after=after,
        )
        found = await read_new(self._daemon, question, is_new=bool, wait_s=wait_s)
        return answer({"runs": await run_in_threadpool(with_holds, self._daemon, found)})

    async def start_run(
        self,
        body: StartBody,
        request: Request,
        header: Annotated[
            str | None,
            Header(
                alias="Idempotency-Key", max_length=MAX_KEY, description="the same as `idempotency_key` of the body"
            ),
        ] = None,
    ) -> Response:
        """
        Start a run of a flow, now or later.
        """
        if header is not None and body.idempotency_key not in (None, header):
            raise UsageError(
                f"the header Idempotency-Key says {shown(header)}, idempotency_key of the body says "
                f"{shown(body.idempotency_key or '')}: write one of them, or the same in both"
            )

        if is_deeper(body.parameters, MAX_DEPTH):
            raise UsageError(f"parameters: they are nested deeper than {MAX_DEPTH} levels; write them flatter")

        run_id = await outcome(
            self._daemon.start_run(
                flow=body.flow,
                parameters=body.parameters,
                at=None if body.at is None else utc(body.at),
                idempotency_key=body.idempotency_key or header,
                by=caller(request),
                name=body.name,
                project=body.project,
                call=None if body.call is None else Call(**body.call.model_dump()),
            )
        )
        return await self._shown(run_id, status=201)

    async def show_run(self, ref: RunRef) -> Response:
        """
        Give all that is known of one run but its log.
        """
        detail = await read(self._daemon, lambda conn: queries.run_detail(conn, queries.find_run(conn, ref).id))
        return answer((await run_in_threadpool(with_holds, self._daemon, [detail]))[0])

    async def follow_state(
        self,
        ref: RunRef,
        unless: Annotated[FlowRunState | None, Query(description="with `wait_s`: until it is in another state")] = None,
        wait_s: Wait = 0,
    ) -> Response:
        """
        Give one run without its tasks; with `wait_s` when it is in another state than `unless`, or over.
        """
        run = await read_new(
            self._daemon,
            lambda conn: queries.run_view(queries.find_run(conn, ref)),
            is_new=lambda run: run.state != unless or FlowRunState(run.state).is_final,
            wait_s=wait_s,
        )
        return answer({"run": (await run_in_threadpool(with_holds, self._daemon, [run]))[0]})

    async def read_log(
        self,
        ref: RunRef,
        after: Annotated[int, Query(ge=-1, le=MAX_NUMBER, description="only lines of a greater seq")] = -1,
        task: Annotated[str | None, Query(description="only lines of the task of this slug")] = None,
        level: Annotated[int | None, Query(ge=0, le=100, description="only this level and up; 20 is INFO")] = None,
        since: Annotated[AwareDatetime | None, Query(description="only lines written at or after this time")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LINES, description="most lines given")] = 1000,
        tail: Annotated[int | None, Query(ge=0, le=MAX_LINES, description="the last lines, when no after is")] = None,
        before: Annotated[
            int | None, Query(ge=0, le=MAX_NUMBER, description="with tail: those of a smaller seq")
        ] = None,
        text: Annotated[str | None, Query(max_length=200, description="only lines in which it stands")] = None,
        wait_s: Wait = 0,
    ) -> Response:
        """
        Read lines after seq `after`, or the last `tail`; with `wait_s` until there are any or the run is over.
        """
        question = _LogQuestion(
            ref=ref,
            after=after,
            task=task,
            level=level,
            since_us=None if since is None else to_us(since),
            limit=limit,
            tail=tail,
            before=before,
            text=text,
        )
        run, lines = await read_new(self._daemon, question, is_new=_is_new, wait_s=wait_s)
        shown = await run_in_threadpool(with_holds, self._daemon, [run])
        return answer({"run": shown[0], "lines": lines, "next": lines[-1].seq if lines else after})

    async def cancel_run(self, ref: RunRef, body: CancelBody, request: Request) -> Response:
        """
        Cancel a run; it is over when nothing of it is alive any more.
        """
        run_id = await outcome(self._daemon.cancel_run(ref, reason=body.reason, by=caller(request)))
        return await self._shown(run_id)

    async def rename_run(self, ref: RunRef, body: RenameBody) -> Response:
        """
        Give a run another name.
        """
        return await self._shown(await outcome(self._daemon.rename_run(ref, name=body.name)))

    async def resume_run(self, ref: RunRef, body: ResumeBody, request: Request) -> Response:
        """
        Start the next attempt of a run, which uses every result of it that is still good.
        """
        run_id = await outcome(self._daemon.resume_run(ref, from_task=body.from_task, by=caller(request)))
        return await self._shown(run_id, status=201)

    async def _shown(self, run_id: str, *, status: int = 200) -> Response:
        run = await read(self._daemon, lambda conn: queries.run_view(queries.find_run(conn, run_id)))
        shown = await run_in_threadpool(with_holds, self._daemon, [run])
        return answer({"run": shown[0]}, status=status)


def _runs(conn: Connection, *, flow: str | None, **filters: Any) -> list[queries.RunView]:
    found = queries.runs(conn, flow=flow, **filters)
    if not found and flow is not None and not queries.has_flow(conn, flow):
        raise NotFound(f"there is no flow {shown(flow)}: `orchd flows` lists those that there are")
    return found


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
    before: int | None
    text: str | None

    def __call__(self, conn: Connection) -> tuple[queries.RunView, list[queries.LogView]]:
        """
        Read the run first: when it is final as its lines are read, all of them are stored.
        """
        row = queries.find_run(conn, self.ref)
        ask = (
            partial(queries.log_lines, after=self.after, limit=self.limit)
            if self.tail is None or self.after >= 0
            else partial(queries.log_tail, count=self.tail, before=self.before)
        )
        lines = ask(conn, row.number, task=self.task, level=self.level, text=self.text, since_us=self.since_us)
        if not lines and self.task is not None and self.task not in (slugs := queries.task_slugs(conn, row)):
            there = ", ".join(slugs[:_TASKS]) + (", ..." if len(slugs) > _TASKS else "")
            raise NotFound(f"flow {row.flow} has no task {shown(self.task)}; there are: {there or 'none'}")
        return queries.run_view(row), lines


def _is_new(found: tuple[queries.RunView, list[queries.LogView]]) -> bool:
    run, lines = found
    return bool(lines) or FlowRunState(run.state).is_final
