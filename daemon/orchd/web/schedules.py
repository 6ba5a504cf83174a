"""
Routes about flows and schedules: lists, coming fire times, pause and unpause.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from orchd.errors import NotFound
from orchd.model.names import shown
from orchd.store import queries
from orchd.web.answers import answer, upcoming
from orchd.web.asking import caller, outcome, utc
from orchd.web.daemon import Daemon, Json
from orchd.web.limits import NO_NUL
from orchd.web.paging import MAX_ROWS, After, Limit, page

_Name = Annotated[str, Path(description="name of the schedule")]


class PauseBody(BaseModel):
    """
    Why a schedule is paused.
    """

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=1000, pattern=NO_NUL)] = Field(
        default="", description="shown wherever the pause is"
    )


class ScheduleRoutes:
    """
    What can be asked about flows and schedules, and done with schedules.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(prefix="/api/v1", tags=["schedules"])
        add = routes.add_api_route
        add("/flows", self.list_flows, response_description="`{flows: [flow], next}`")
        add("/schedules", self.list_schedules, response_description="`{schedules: [schedule], next}`")
        add("/next", self.list_next, response_description="`{next: [fire time], paused}`, the soonest first")
        add("/schedules/{name}", self.show_schedule, response_description="`{schedule}`")
        add("/schedules/{name}/pause", self.pause, methods=["POST"], response_description="`{schedule}`")
        add("/schedules/{name}/unpause", self.unpause, methods=["POST"], response_description="`{schedule}`")
        return routes

    def list_flows(self, after: After = "", limit: Limit = MAX_ROWS) -> Response:
        """
        List every flow that was ever loaded by name, with its last run; `next` is the `after` of the next page.
        """
        errors = self._daemon.flow_errors()
        with self._daemon.database.reading() as conn:
            found = queries.flows(conn, after=after, limit=limit + 1)
        flows = [
            msgspec.structs.replace(flow, loaded=flow.file not in errors, error=errors.get(flow.file)) for flow in found
        ]
        return answer(page("flows", flows, limit=limit, key=lambda flow: flow.name))

    def list_schedules(self, after: After = "", limit: Limit = MAX_ROWS) -> Response:
        """
        List the schedules of the config by name, with their next fire times and their last slot; `next` is the `after`
        of the next page.
        """
        with self._daemon.database.reading() as conn:
            found = queries.schedules(conn, after=after, limit=limit + 1)
        given = [self._with_next(schedule) for schedule in found]
        return answer(page("schedules", given, limit=limit, key=lambda schedule: schedule.name))

    def show_schedule(self, name: _Name) -> Response:
        """
        Give one schedule of the config, with its next fire time and its last slot.
        """
        return answer({"schedule": self._one(name)})

    def list_next(
        self,
        schedule: Annotated[str | None, Query(description="only of this schedule; else of all not paused")] = None,
        n: Annotated[int, Query(ge=1, le=1000, description="how many")] = 10,
        start: Annotated[
            AwareDatetime | None, Query(alias="from", description="later than this; else than now")
        ] = None,
    ) -> Response:
        """
        List coming fire times, and why a local time moves where it does.
        """
        after = None if start is None else utc(start)
        coming = self._daemon.upcoming(schedule, n=n, after=after)
        return answer({"next": coming, "paused": None if schedule is None else self._pause(schedule)})

    async def pause(self, name: _Name, body: PauseBody, request: Request) -> Response:
        """
        Pause a schedule: nothing of it is decided until it goes on.
        """
        await outcome(self._daemon.pause(name, note=body.note, by=caller(request)))
        return answer({"schedule": await run_in_threadpool(self._one, name)})

    async def unpause(self, name: _Name, request: Request) -> Response:
        """
        Let a schedule go on; what it owes is judged by its catch-up.
        """
        await outcome(self._daemon.unpause(name, by=caller(request)))
        return answer({"schedule": await run_in_threadpool(self._one, name)})

    def _pause(self, name: str) -> queries.PauseView | None:
        with self._daemon.database.reading() as conn:
            return next((one.paused for one in queries.schedules(conn, names=[name])), None)

    def _one(self, name: str) -> queries.ScheduleView:
        with self._daemon.database.reading() as conn:
            found = queries.schedules(conn, names=[name])
        if not found:
            raise NotFound(f"there is no schedule {shown(name)}: `orchd schedules` lists those that there are")

        return self._with_next(found[0])

    def _with_next(self, schedule: queries.ScheduleView) -> queries.ScheduleView:
        coming: Sequence[Json] = ()
        if schedule.paused is None:
            coming = upcoming(self._daemon, schedule.name, n=1)
        return msgspec.structs.replace(schedule, next=tuple(str(row["fire_time"]) for row in coming))
