"""
Routes about the log of a run: page by page, and as it grows.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from orchd.errors import NotFound
from orchd.model.instants import to_us
from orchd.model.names import shown
from orchd.model.states import FlowRunState
from orchd.store import queries
from orchd.store.database import Connection
from orchd.store.queries import LogFilter, LogPage, RunView
from orchd.web.answers import answer, with_holds
from orchd.web.asking import MAX_NUMBER, RunRef, Wait, read, read_new
from orchd.web.daemon import Daemon
from orchd.web.pages.live import LivePages

#: Most lines of one answer. Source: the threat table of reliability.md, T14, asks for a bound.
MAX_LINES: Final = 10_000
#: Lines of one event of a stream.
_AT_ONCE: Final = 1000
#: Least seconds between two looks of a stream: something always changes while much runs.
_PACE_S: Final = 0.1
#: Longest time in seconds in which a stream does not look again.
_WAIT_S: Final = 15.0
#: How many tasks are named to somebody who asked for one that is not there.
_TASKS: Final = 12

_After = Annotated[int, Query(ge=-1, le=MAX_NUMBER, description="only lines of a greater seq")]
_Task = Annotated[str | None, Query(description="only lines of the task of this slug")]
_Level = Annotated[int | None, Query(ge=0, le=100, description="only this level and up; 20 is INFO")]
_Since = Annotated[AwareDatetime | None, Query(description="only lines written at or after this time")]
_Text = Annotated[str | None, Query(max_length=200, description="only lines in which it stands")]

#: For the OpenAPI document.
_EVENTS: Final = {
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
    "description": "server-sent events: `state` (data: `{run}`) at first and when the state changes, `lines` (data: "
    "`{lines: [line]}`; id: the seq to go on after), and at last `end` (data: `{run}`)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """
    Which lines of which log are wanted; the last ones when *is_tail*.
    """

    ref: str
    only: LogFilter
    limit: int
    after: int = -1
    is_tail: bool = False
    before: int | None = None

    def __call__(self, conn: Connection) -> tuple[RunView, LogPage]:
        """
        Read the run first: when it is final as its lines are read, all of them are stored.
        """
        row = queries.find_run(conn, self.ref)
        if self.is_tail:
            page = queries.log_page_before(conn, row.number, before=self.before, only=self.only, limit=self.limit)
        else:
            page = queries.log_page(conn, row.number, after=self.after, only=self.only, limit=self.limit)
        task = self.only.task
        if not page.lines and task is not None and task not in (slugs := queries.task_slugs(conn, row)):
            there = ", ".join(slugs[:_TASKS]) + (", ..." if len(slugs) > _TASKS else "")
            raise NotFound(f"flow {row.flow} has no task {shown(task)}; there are: {there or 'none'}")
        return queries.run_view(row), page


class LogRoutes:
    """
    What can be asked about logs.

    Args:
        live: counts the streams.
    """

    def __init__(self, daemon: Daemon, live: LivePages) -> None:
        self._daemon = daemon
        self._live = live

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(prefix="/api/v1/runs/{ref}/logs", tags=["runs"])
        add = routes.add_api_route
        add("", self.read_log, response_description="`{run, lines: [line], next, more, before}`")
        add("/stream", self.stream_log, response_class=StreamingResponse, responses={200: _EVENTS})
        return routes

    async def read_log(
        self,
        ref: RunRef,
        after: _After = -1,
        task: _Task = None,
        level: _Level = None,
        since: _Since = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LINES, description="most lines given")] = 1000,
        tail: Annotated[int | None, Query(ge=0, le=MAX_LINES, description="the last lines, when no after is")] = None,
        before: Annotated[
            int | None, Query(ge=0, le=MAX_NUMBER, description="with tail: those of a smaller seq")
        ] = None,
        text: _Text = None,
        wait_s: Wait = 0,
    ) -> Response:
        """
        Read lines after seq `after`, or the last `tail`; with `wait_s` until there are any or the run is over.

        One answer looks at 50,000 lines at most, so it may have fewer lines than fit, or none: while `more`, ask again
        with `next` as `after`. With `tail` the older ones are asked for with `before`, until it is null.
        """
        is_tail = tail is not None and after < 0
        question = _Question(
            ref=ref,
            only=_only(task, level, since, text),
            limit=tail if tail is not None and is_tail else limit,
            after=after,
            is_tail=is_tail,
            before=before,
        )
        run, page = await read_new(self._daemon, question, is_new=_is_new, wait_s=wait_s)
        return answer({"run": await self._held(run), **msgspec.structs.asdict(page)})

    async def stream_log(
        self,
        request: Request,
        ref: RunRef,
        after: _After = -1,
        task: _Task = None,
        level: _Level = None,
        since: _Since = None,
        text: _Text = None,
        last_event_id: Annotated[
            int | None, Header(ge=-1, le=MAX_NUMBER, description="the same as `after`, and stronger")
        ] = None,
    ) -> Response:
        """
        Send each line as it comes until the run is over; a stream that was cut goes on after its last event's id.
        """
        question = _Question(
            ref=ref,
            only=_only(task, level, since, text),
            limit=_AT_ONCE,
            after=after if last_event_id is None else last_event_id,
        )
        # What is wrong with the question is answered before the stream begins.
        run, _ = await read(self._daemon, question)
        return self._live.stream(request, self._events(replace(question, ref=run.id)))

    async def _held(self, run: RunView) -> RunView:
        return (await run_in_threadpool(with_holds, self._daemon, [run]))[0]

    async def _events(self, question: _Question) -> AsyncIterator[str]:
        state: str | None = None
        while True:
            change = self._daemon.next_change()
            run, page = await read(self._daemon, question)
            question = replace(question, after=page.next)
            if run.state != state:
                state = run.state
                yield _event("state", {"run": await self._held(run)})
            if page.lines:
                yield _event("lines", {"lines": page.lines}, event_id=page.next)
            if page.more:
                change.cancel()
                yield ""
                continue
            if FlowRunState(run.state).is_final:
                change.cancel()
                yield _event("end", {"run": run})
                return
            if not await self._daemon.changed(change, within_s=_WAIT_S):
                return
            yield ""
            await asyncio.sleep(_PACE_S)


def _only(task: str | None, level: int | None, since: datetime | None, text: str | None) -> LogFilter:
    return LogFilter(task=task, level=level, text=text, since_us=None if since is None else to_us(since))


def _is_new(found: tuple[RunView, LogPage]) -> bool:
    run, page = found
    return bool(page.lines) or page.more or FlowRunState(run.state).is_final


def _event(name: str, body: object, *, event_id: int | None = None) -> str:
    number = "" if event_id is None else f"id: {event_id}\n"
    return f"event: {name}\n{number}data: {msgspec.json.encode(body).decode()}\n\n"
