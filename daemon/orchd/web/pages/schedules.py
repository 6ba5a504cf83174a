"""
The pages of schedules: all of them with the week to come; one of them with what became of its fire times.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from msgspec import structs
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from orchd import clock
from orchd.errors import NotFound, OrchdError
from orchd.model.names import shown
from orchd.store import queries
from orchd.store.database import Connection
from orchd.store.queries import ScheduleView
from orchd.web.answers import upcoming, with_slot_holds
from orchd.web.asking import caller, outcome
from orchd.web.daemon import Daemon, Json
from orchd.web.pages.forms import form_of
from orchd.web.pages.rendering import page
from orchd.web.pages.week import MAX_SCHEDULES, Week, week
from orchd.web.why import explained

#: Schedules on one page of them.
_PER_PAGE: Final = 50
_NEXT: Final = 10
_SLOTS: Final = 20
_NOTE: Final = 1000


class SchedulePages:
    """
    ``/schedules`` and what is below it.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/schedules", self.list_schedules)
        routes.add_api_route("/schedules/{name}", self.show)
        routes.add_api_route("/schedules/{name}/pause", self.pause, methods=["POST"])
        routes.add_api_route("/schedules/{name}/unpause", self.unpause, methods=["POST"])
        return routes

    def list_schedules(self, request: Request, after: str = "") -> Response:
        """
        Show a page of the schedules of config and code, by name; *after* is the last one of the page before it.
        """
        laid = None if after else self._week()
        with self._daemon.database.reading() as conn:
            found = queries.schedules(conn, after=after, limit=_PER_PAGE + 1)
            shown = self._told(conn, found[:_PER_PAGE])
            often = queries.schedules(conn, names=laid.often) if laid else []
            states = queries.run_states(conn, [each.last.run for each in found if each.last and each.last.run])
        return page(
            request,
            "schedules.html",
            schedules=shown,
            states=states,
            next={each.name: self._coming(each, n=1) for each in shown},
            more=urlencode({"after": shown[-1].name}) if len(found) > _PER_PAGE else None,
            week=laid,
            often=often,
        )

    def _told(self, conn: Connection, schedules: Sequence[ScheduleView]) -> list[ScheduleView]:
        told = with_slot_holds(self._daemon, conn, [each.last for each in schedules if each.last])
        last = {slot.schedule: slot for slot in told}
        return [structs.replace(each, last=last.get(each.name)) for each in schedules]

    def _coming(self, schedule: ScheduleView, *, n: int) -> Sequence[Json]:
        return () if schedule.paused else upcoming(self._daemon, schedule.name, n=n)

    def _week(self) -> Week:
        daemon = self._daemon
        coming, more = daemon.soonest(n=MAX_SCHEDULES)
        facts: Any = daemon.facts()["daemon"]

        def upcoming(name: str, n: int, after: datetime | None) -> Sequence[Json]:
            return daemon.upcoming(name, n=n, after=after)

        return week(coming, more, upcoming, now=clock.now(), zone=facts["timezone"])

    def show(self, request: Request, name: str) -> Response:
        """
        Show one schedule.
        """
        return self._shown(request, name)

    async def pause(self, request: Request, name: str) -> Response:
        """
        Pause a schedule, with the note of the form.
        """
        note = (await form_of(request)).get("note", "")[:_NOTE]
        return await self._done(request, name, self._daemon.pause(name, note=note, by=caller(request)))

    async def unpause(self, request: Request, name: str) -> Response:
        """
        Let a schedule go on.
        """
        return await self._done(request, name, self._daemon.unpause(name, by=caller(request)))

    async def _done(self, request: Request, name: str, wish: Any) -> Response:
        try:
            await outcome(wish)
        except OrchdError as error:
            return await run_in_threadpool(self._shown, request, name, trouble=str(error), status=error.http_status)
        return RedirectResponse(request.url.path.rpartition("/")[0], status_code=303)

    def _shown(self, request: Request, name: str, *, trouble: str | None = None, status: int = 200) -> Response:
        with self._daemon.database.reading() as conn:
            found = _one(conn, name)
            slots = with_slot_holds(self._daemon, conn, queries.ledger(conn, schedule=name, limit=_SLOTS))
            states = queries.run_states(conn, [slot.run for slot in slots if slot.run])
        said: Mapping[str, Any] = explained(self._daemon, name)
        return page(
            request,
            "schedule.html",
            status=status,
            schedule=found,
            coming=self._coming(found, n=_NEXT),
            slots=slots,
            states=states,
            why=said["sentences"],
            trouble=trouble,
        )


def _one(conn: Connection, name: str) -> ScheduleView:
    for schedule in queries.schedules(conn, names=[name]):
        return schedule

    raise NotFound(f"there is no schedule {shown(name)}: /schedules lists those that there are")
