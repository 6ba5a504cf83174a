"""
Routes about runs: list, start, look at, resume, cancel.
"""

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
from orchd.web.paging import Limit, page

#: Longest key by which a wish is known again.
MAX_KEY: Final = 200


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
        add("", self.list_runs, response_description="`{runs: [run], next: the `before` of the next page}`")
        add("", self.start_run, methods=["POST"], status_code=201, response_description="`{run}`")
        add(
            "/{ref}",
            self.show_run,
            response_description="the run with its first `tasks`, `tasks_next` (the `after` of more), `events` ...",
        )
        add("/{ref}/state", self.follow_state, response_description="`{run}`")
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
        limit: Limit = 50,
        before: Annotated[int | None, Query(ge=0, le=MAX_NUMBER, description="only smaller run numbers")] = None,
        after: Annotated[int | None, Query(ge=0, le=MAX_NUMBER, description="only greater run numbers")] = None,
        wait_s: Wait = 0,
    ) -> Response:
        """
        List runs, newest first; a page further by `before`, what is new by `after` (run numbers). `next` is the
        `before` of the next page.
        """
        question = partial(
            _runs,
            flow=flow,
            states=state or (),
            since_us=None if since is None else to_us(since),
            limit=limit + 1,
            before=before,
            after=after,
        )
        found = await read_new(self._daemon, question, is_new=bool, wait_s=wait_s)
        shown_runs = await run_in_threadpool(with_holds, self._daemon, found)
        return answer(page("runs", shown_runs, limit=limit, key=lambda run: run.number))

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
        Give what is known of one run but its log: with its first 500 task runs, and with the moves of task runs as long
        as `has_all_events`. `/tasks` gives all of them.
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
