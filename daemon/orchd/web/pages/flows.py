"""
The pages of flows: all of them; one of them with its runs, schedules, versions, and the form that starts it.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from orchd.errors import NotFound, OrchdError
from orchd.model.names import shown
from orchd.model.specs import ParameterSpec
from orchd.store import queries
from orchd.store.database import Connection
from orchd.store.queries import FlowView, ScheduleView
from orchd.web.answers import upcoming
from orchd.web.asking import caller, outcome
from orchd.web.daemon import Daemon, Json
from orchd.web.pages.changes import changes
from orchd.web.pages.fields import Field, fields_of, read
from orchd.web.pages.forms import form_of
from orchd.web.pages.rendering import page
from orchd.web.pages.run_list import RunList, run_list
from orchd.web.pages.strips import sketch, strip

_TABS: Final = ("runs", "schedules", "schematic", "versions", "run")
_BARS: Final = 100
_FEW_BARS: Final = 30
#: Flows on one page of them.
_PER_PAGE: Final = 40
#: Runs that the figures of a flow are about.
_SUMMED: Final = 1000
_VERSIONS: Final = 50
_UPCOMING: Final = 10
#: Schedules of a flow whose next fire times stand below them.
_DETAILED: Final = 20


class FlowPages:
    """
    ``/flows`` and what is below it.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/flows", self.list_flows)
        routes.add_api_route("/flows/{name}", self.show)
        routes.add_api_route("/flows/{name}/run", self.start, methods=["POST"])
        return routes

    def list_flows(self, request: Request, after: str = "") -> Response:
        """
        Show a page of the flows that were ever loaded, by name; *after* is the last one of the page before it.
        """
        errors = self._daemon.flow_errors()
        with self._daemon.database.reading() as conn:
            names = queries.flow_names(conn, after=after, limit=_PER_PAGE + 1)
            flows = queries.flows(conn, names=names[:_PER_PAGE])
            sketches = {
                flow.name: sketch(queries.last_bars(conn, flow.name, limit=_FEW_BARS), places=_FEW_BARS)
                for flow in flows
            }
        more = urlencode({"after": flows[-1].name}) if len(names) > _PER_PAGE else None
        return page(request, "flows.html", flows=flows, sketches=sketches, errors=errors, more=more)

    def show(
        self, request: Request, name: str, tab: str = "runs", like: Annotated[str | None, Query(alias="from")] = None
    ) -> Response:
        """
        Show one flow, with the part of it that *tab* names; the form begins with the parameters of the run *like*.
        """
        return self._shown(request, name, tab, like=like)

    async def start(self, request: Request, name: str) -> Response:
        """
        Start a run with what the form says, or say beside each field what is wrong with it.
        """
        form = await form_of(request)
        flow = await run_in_threadpool(self._flow, name)
        sent = read(flow.parameters, form)
        # Quick run sends no field: every parameter keeps its default.
        is_quick = "quick" in form
        if not (is_quick or sent.is_good):
            return await run_in_threadpool(self._shown, request, name, "run", fields=sent.fields, status=422)

        try:
            run_id = await outcome(
                self._daemon.start_run(
                    flow=name,
                    parameters={} if is_quick else dict(sent.parameters),
                    at=None,
                    idempotency_key=form.get("idempotency_key") or None,
                    by=caller(request),
                )
            )
        except OrchdError as error:
            return await run_in_threadpool(
                self._shown, request, name, "run", fields=sent.fields, trouble=str(error), status=error.http_status
            )
        return RedirectResponse(f"/runs/{run_id}", status_code=303)

    def _flow(self, name: str) -> FlowView:
        with self._daemon.database.reading() as conn:
            return _flow(conn, name)

    def _shown(
        self,
        request: Request,
        name: str,
        tab: str,
        *,
        fields: Sequence[Field] | None = None,
        trouble: str | None = None,
        like: str | None = None,
        status: int = 200,
    ) -> Response:
        if tab not in _TABS:
            raise NotFound(f"a flow's page has no part {shown(tab)}; there are {', '.join(_TABS)}")

        with self._daemon.database.reading() as conn:
            flow = _flow(conn, name)
            facts = _facts(conn, flow, tab, request.query_params)
            given = queries.run_view(queries.find_run(conn, like)).parameters if like else {}
        error = self._daemon.flow_errors().get(flow.file)
        return page(
            request,
            "flow.html",
            status=status,
            flow=flow,
            error=error,
            tab=tab,
            tabs=_TABS,
            upcoming=self._upcoming(flow),
            next={each.name: self._next(each) for each in facts["schedules"][:_DETAILED]},
            fields=fields if fields is not None else fields_of(flow.parameters, given),
            trouble=trouble,
            new_key=str(uuid.uuid4()),
            needs=_needed(flow.parameters),
            **facts,
        )

    def _next(self, schedule: ScheduleView) -> Sequence[Json]:
        return () if schedule.paused else upcoming(self._daemon, schedule.name, n=_UPCOMING)

    def _upcoming(self, flow: FlowView) -> list[dict[str, Any]]:
        fires = [fire for name in flow.schedules for fire in upcoming(self._daemon, name, n=_UPCOMING)]
        return sorted(fires, key=lambda fire: str(fire["fire_time"]))[:_UPCOMING]


def _flow(conn: Connection, name: str) -> FlowView:
    found = next(iter(queries.flows(conn, names=[name])), None)
    if found is None:
        raise NotFound(f"there is no flow {shown(name)}: /flows lists those that there are")

    return found


def _facts(conn: Connection, flow: FlowView, tab: str, asked: Mapping[str, str]) -> dict[str, Any]:
    versions = queries.versions(conn, flow.name, limit=_VERSIONS if tab == "versions" else 1)
    listed: RunList | None = run_list(conn, asked, flow=flow.name) if tab == "runs" else None
    return {
        "strip": strip(queries.last_bars(conn, flow.name, limit=_BARS), places=_BARS),
        "summary": queries.summary(conn, flow.name, limit=_SUMMED),
        "created_at": versions[0].created_at,
        "versions": changes(versions) if tab == "versions" else [],
        "listed": listed,
        "schedules": queries.schedules(conn, flows=[flow.name]) if tab == "schedules" else [],
    }


def _needed(parameters: Sequence[ParameterSpec]) -> list[str]:
    return [parameter.name for parameter in parameters if parameter.required]
