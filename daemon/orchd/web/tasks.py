"""
Routes about the task runs of a run.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from orchd.model.states import TaskRunState
from orchd.store import queries
from orchd.store.database import Connection
from orchd.web.answers import answer
from orchd.web.asking import MAX_NUMBER, RunRef, read
from orchd.web.daemon import Daemon
from orchd.web.paging import MAX_ROWS, After, Limit, page

_Slug = Annotated[str, Path(description="slug of the task")]


class TaskRoutes:
    """
    What can be asked about task runs.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(prefix="/api/v1/runs/{ref}/tasks", tags=["task runs"])
        add = routes.add_api_route
        add("", self.list_tasks, response_description="`{tasks: [task run], next: text or null}`")
        # A slug may have any character, a slash too.
        add("/{slug:path}", self.show_task, response_description="`{task, moves: [move]}`")
        return routes

    async def list_tasks(
        self,
        ref: RunRef,
        slug: Annotated[str | None, Query(description="only those of the task of this slug")] = None,
        state: Annotated[list[TaskRunState] | None, Query(description="only task runs in one of these states")] = None,
        after: After = "",
        limit: Limit = MAX_ROWS,
    ) -> Response:
        """
        List the task runs of a run by slug and map index; `next` asks for the page after this one.
        """
        begin = queries.task_before(after)

        def question(conn: Connection) -> list[queries.TaskView]:
            row = queries.find_run(conn, ref)
            return queries.task_runs(conn, row, slug=slug, states=state or (), after=begin, limit=limit + 1)

        return answer(page("tasks", await read(self._daemon, question), limit=limit, key=queries.task_key))

    async def show_task(
        self,
        ref: RunRef,
        slug: _Slug,
        map_index: Annotated[
            int, Query(ge=-1, le=MAX_NUMBER, description="of a child of a mapped task; -1 for the task itself")
        ] = -1,
    ) -> Response:
        """
        Give one task run with its moves, of which each one to `running` begins the next attempt.
        """

        def question(conn: Connection) -> dict[str, object]:
            row = queries.find_run(conn, ref)
            return {
                "task": queries.task_run(conn, row, slug, map_index),
                "moves": queries.task_moves(conn, row.number, slug, map_index),
            }

        return answer(await read(self._daemon, question))
