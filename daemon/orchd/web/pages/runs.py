"""
The pages of runs: all of them; one of them with its tasks, its log, and what can be done with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from msgspec import structs
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, StreamingResponse

from orchd import clock
from orchd.errors import OrchdError
from orchd.model.states import FlowRunState
from orchd.store import queries
from orchd.store.database import Connection
from orchd.store.queries import LogFilter, LogPage
from orchd.web.answers import with_holds
from orchd.web.asking import MAX_NUMBER, RunRef, caller, outcome, read
from orchd.web.daemon import Daemon
from orchd.web.pages.feeds import Feeds, Wanted
from orchd.web.pages.forms import form_of
from orchd.web.pages.live import LivePages
from orchd.web.pages.log_file import log_file
from orchd.web.pages.rendering import page
from orchd.web.pages.run_list import run_list
from orchd.web.pages.timeline import MAX_CHILDREN, timeline
from orchd.web.why import explained

#: Lines that a page comes with, and those above a line that is asked for.
_LINES: Final = 300
_ABOVE: Final = 20
#: What a person may filter by -> numbers of the standard ``logging`` module.
LEVELS: Final[Mapping[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_Task = Annotated[str | None, Query(max_length=500)]
_Level = Annotated[str | None, Query(pattern="^(|debug|info|warning|error)$")]
_Text = Annotated[str | None, Query(max_length=200)]
_Seq = Annotated[int | None, Query(ge=-1, le=MAX_NUMBER)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """
    Which lines of the log a page shows.
    """

    task: str | None
    level: str | None
    text: str | None

    @property
    def only(self) -> LogFilter:
        """
        What the store is asked for.
        """
        level = LEVELS[self.level] if self.level else None
        return LogFilter(task=self.task or None, level=level, text=self.text or None)

    def query(self, **more: int) -> str:
        """
        Return the query of an address that shows the same lines, and *more*.
        """
        words = {"task": self.task, "level": self.level, "text": self.text}
        return urlencode({name: word for name, word in words.items() if word} | more)


class RunPages:
    """
    ``/runs`` and what is below it.
    """

    def __init__(self, daemon: Daemon, live: LivePages) -> None:
        self._daemon = daemon
        self._live = live
        self._feeds = Feeds(daemon)

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(include_in_schema=False)
        add = routes.add_api_route
        add("/runs", self.list_runs)
        add("/runs/{ref}", self.show)
        add("/runs/{ref}/live", self.live)
        add("/runs/{ref}/log.txt", self.download)
        add("/runs/{ref}/first-error", self.first_error)
        add("/runs/{ref}/cancel", self.cancel, methods=["POST"])
        add("/runs/{ref}/resume", self.resume, methods=["POST"])
        return routes

    def list_runs(self, request: Request) -> Response:
        """
        Show runs of all flows.
        """
        with self._daemon.database.reading() as conn:
            listed = run_list(conn, request.query_params, flow=None)
        return page(request, "runs.html", listed=listed, runs=with_holds(self._daemon, listed.runs))

    def show(
        self,
        request: Request,
        ref: RunRef,
        task: _Task = None,
        level: _Level = None,
        text: _Text = None,
        at: _Seq = None,
        before: _Seq = None,
    ) -> Response:
        """
        Show one run; of its log the newest lines, those from line *at* on, or the last ones *before* a line.
        """
        return self._shown(request, ref, _Filter(task=task, level=level, text=text), at=at, before=before)

    async def live(
        self,
        request: Request,
        ref: RunRef,
        after: _Seq = -1,
        task: _Task = None,
        level: _Level = None,
        text: _Text = None,
    ) -> StreamingResponse:
        """
        Send what a run prints, and that its states move, until it is over.
        """
        row = await read(self._daemon, lambda conn: queries.find_run(conn, ref))
        wanted = Wanted(number=row.number, run_id=row.id, only=_Filter(task=task, level=level, text=text).only)
        return self._live.stream(request, self._feeds.follow(wanted, after=-1 if after is None else after))

    def download(self, ref: RunRef) -> StreamingResponse:
        """
        Give the whole log as a file of text.
        """
        with self._daemon.database.reading() as conn:
            row = queries.find_run(conn, ref)
        headers = {"content-disposition": f'attachment; filename="{row.id}.log"'}
        text = log_file(self._daemon.database, row.number)
        return StreamingResponse(text, media_type="text/plain; charset=utf-8", headers=headers)

    def first_error(self, ref: RunRef) -> RedirectResponse:
        """
        Lead to the first line that a logger wrote as an error.
        """
        with self._daemon.database.reading() as conn:
            row = queries.find_run(conn, ref)
            seq = queries.first_error(conn, row.number)
        return RedirectResponse(f"/runs/{row.id}" + ("#log" if seq is None else f"?at={seq}#L{seq}"), status_code=303)

    async def cancel(self, request: Request, ref: RunRef) -> Response:
        """
        Cancel a run.
        """
        return await self._done(request, ref, self._daemon.cancel_run(ref, reason="cancelled", by=caller(request)))

    async def resume(self, request: Request, ref: RunRef) -> Response:
        """
        Start the next attempt of a run, which uses every result of it that is still good.
        """
        task = (await form_of(request)).get("from_task") or None
        return await self._done(request, ref, self._daemon.resume_run(ref, from_task=task, by=caller(request)))

    async def _done(self, request: Request, ref: str, wish: Any) -> Response:
        try:
            run_id = await outcome(wish)
        except OrchdError as error:
            nothing = _Filter(task=None, level=None, text=None)
            return await run_in_threadpool(
                self._shown, request, ref, nothing, trouble=str(error), status=error.http_status
            )
        return RedirectResponse(f"/runs/{run_id}", status_code=303)

    def _shown(
        self,
        request: Request,
        ref: str,
        chosen: _Filter,
        *,
        at: int | None = None,
        before: int | None = None,
        trouble: str | None = None,
        status: int = 200,
    ) -> Response:
        with self._daemon.database.reading() as conn:
            row = queries.find_run(conn, ref)
            run = queries.run_detail(conn, row.id, is_brief=True)
            tasks = queries.task_summaries(conn, row, children=MAX_CHILDREN)
            slugs = queries.task_slugs(conn, row)
            log = _log(conn, row.number, chosen.only, at=at, before=before)
        run = with_holds(self._daemon, [run])[0]
        is_over = FlowRunState(run.state).is_final
        return page(
            request,
            "run.html",
            status=status,
            run=run,
            is_over=is_over,
            groups=timeline(run, tasks, now=clock.now()),
            why=explained(self._daemon, row.id)["sentences"],
            log=log,
            further=chosen.query(before=log.before) if log.before is not None and len(log.lines) < _LINES else None,
            looked_at=queries.LOOKED_AT,
            chosen=chosen,
            levels=LEVELS,
            slugs=slugs,
            last=log.next,
            can_resume=is_over and run.after is None,
            trouble=trouble,
        )


def _log(conn: Connection, number: int, only: LogFilter, *, at: int | None, before: int | None) -> LogPage:
    if at is None:
        return queries.log_page_before(conn, number, before=before, only=only, limit=_LINES)

    above = queries.log_page_before(conn, number, before=at, only=only, limit=_ABOVE)
    below = queries.log_page(conn, number, after=at - 1, only=only, limit=_LINES)
    return structs.replace(below, lines=[*above.lines, *below.lines])
