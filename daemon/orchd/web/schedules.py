"""
Routes about flows and schedules: lists, coming fire times, pause and unpause.
"""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from orchd.store import queries
from orchd.web.answers import answer
from orchd.web.asking import outcome
from orchd.web.daemon import Daemon
from orchd.web.runs import caller


class PauseBody(BaseModel):
    """
    Why a schedule is paused.
    """

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=1000)] = ""


def router(daemon: Daemon) -> APIRouter:
    """
    Make the routes.
    """
    routes = APIRouter(prefix="/api/v1", tags=["schedules"])

    @routes.get("/flows")
    def list_flows() -> Response:
        """
        List every flow that was ever loaded, with its last run.
        """
        errors = daemon.flow_errors()
        with daemon.database.reading() as conn:
            found = queries.flows(conn)
        shown = [
            msgspec.structs.replace(flow, loaded=flow.file not in errors, error=errors.get(flow.file)) for flow in found
        ]
        return answer({"flows": shown})

    @routes.get("/schedules")
    def list_schedules() -> Response:
        """
        List the schedules of the config, with their next fire times and their last slot.
        """
        with daemon.database.reading() as conn:
            found = queries.schedules(conn)
        return answer({"schedules": [_with_next(daemon, schedule) for schedule in found]})

    @routes.get("/next")
    def coming(
        schedule: str | None = None,
        n: Annotated[int, Query(ge=1, le=1000)] = 10,
        start: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    ) -> Response:
        """
        List coming fire times, and why a local time moves where it does.
        """
        return answer({"next": daemon.upcoming(schedule, n=n, after=start)})

    @routes.post("/schedules/{name}/pause")
    async def pause(name: str, body: PauseBody, request: Request) -> Response:
        """
        Pause a schedule: nothing of it is decided until it goes on.
        """
        await outcome(daemon.pause(name, note=body.note, by=caller(request)))
        return answer({"schedule": await run_in_threadpool(_one, daemon, name)})

    @routes.post("/schedules/{name}/unpause")
    async def unpause(name: str, request: Request) -> Response:
        """
        Let a schedule go on; what it owes is judged by its catch-up.
        """
        await outcome(daemon.unpause(name, by=caller(request)))
        return answer({"schedule": await run_in_threadpool(_one, daemon, name)})

    return routes


def _with_next(daemon: Daemon, schedule: queries.ScheduleView) -> queries.ScheduleView:
    coming = daemon.upcoming(schedule.name, n=1, after=None) if schedule.paused is None else []
    return msgspec.structs.replace(schedule, next=tuple(str(row["fire_time"]) for row in coming))


def _one(daemon: Daemon, name: str) -> queries.ScheduleView:
    with daemon.database.reading() as conn:
        found = next(schedule for schedule in queries.schedules(conn) if schedule.name == name)
    return _with_next(daemon, found)
