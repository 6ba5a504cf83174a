"""
The page of one task run: its attempts with every state, and of a mapped task its children, page by page.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from orchd.errors import UsageError
from orchd.model.names import shown
from orchd.model.states import FlowRunState, TaskRunState
from orchd.store import queries
from orchd.store.queries import TaskView
from orchd.web.asking import MAX_NUMBER, RunRef
from orchd.web.daemon import Daemon
from orchd.web.pages.rendering import page

#: Children on one page.
_PER_PAGE: Final = 100
#: What a person means by a state -> the states of children.
STATES: Final[Mapping[str, tuple[TaskRunState, ...]]] = {
    "": (),
    "running": (TaskRunState.RUNNING, TaskRunState.RETRYING, TaskRunState.PAUSED),
    "succeeded": (TaskRunState.SUCCESS, TaskRunState.CACHED),
    "failed": (TaskRunState.FAILED, TaskRunState.TIMED_OUT, TaskRunState.CRASHED, TaskRunState.TRIGGER_FAILED),
    "skipped": (TaskRunState.SKIPPED,),
    "cancelled": (TaskRunState.CANCELLED,),
}

_Index = Annotated[int, Query(ge=-1, le=MAX_NUMBER)]


class TaskPages:
    """
    ``/runs/RUN/tasks/SLUG``; with ``index`` one child of a mapped task.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the route.
        """
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/runs/{ref}/tasks/{slug:path}", self.show)
        return routes

    def show(
        self, request: Request, ref: RunRef, slug: str, index: _Index = -1, state: str = "", after: _Index = -1
    ) -> Response:
        """
        Show one task run; of its children those in *state* whose map index comes after *after*.
        """
        if state not in STATES:
            raise UsageError(f"{shown(state)} is no state; write one of {', '.join(word for word in STATES if word)}")

        with self._daemon.database.reading() as conn:
            row = queries.find_run(conn, ref)
            task = queries.task_run(conn, row, slug, index)
            moves = queries.task_moves(conn, row.number, slug, index)
            is_mapped = task.state == TaskRunState.MAPPED
            # One more than is shown: the last one is told apart from it.
            children = (
                queries.task_runs(conn, row, slug=slug, states=STATES[state], after=(slug, after), limit=_PER_PAGE + 1)
                if is_mapped
                else []
            )
        return page(
            request,
            "task.html",
            run=queries.run_view(row),
            is_over=FlowRunState(row.state).is_final,
            task=task,
            attempts=queries.by_attempt(moves),
            is_mapped=is_mapped,
            children=children[:_PER_PAGE],
            states=STATES,
            state=state,
            more=_more(children, state),
        )


def _more(children: Sequence[TaskView], state: str) -> str | None:
    if len(children) <= _PER_PAGE:
        return None

    return urlencode({**({"state": state} if state else {}), "after": children[_PER_PAGE - 1].map_index})
