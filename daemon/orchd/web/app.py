"""
The HTTP application: all routes of API and pages, and one shape for errors. Where it listens is not its business.
"""

from typing import Any, Final

from fastapi import FastAPI

from orchd.web import errors
from orchd.web.access import AccessRoutes
from orchd.web.answers import ErrorBody
from orchd.web.daemon import Daemon
from orchd.web.doors import Doors
from orchd.web.flows import FlowRoutes
from orchd.web.limits import BodyLimit
from orchd.web.logs import LogRoutes
from orchd.web.metrics import MetricsRoute
from orchd.web.pages.entrance import Entrance
from orchd.web.pages.files import file_router
from orchd.web.pages.flows import FlowPages
from orchd.web.pages.live import LivePages
from orchd.web.pages.overview import OverviewPage
from orchd.web.pages.runs import RunPages
from orchd.web.pages.schedules import SchedulePages
from orchd.web.pages.schematic import Schematics
from orchd.web.pages.slots import SlotPages
from orchd.web.pages.tasks import TaskPages
from orchd.web.projects import ProjectRoutes
from orchd.web.runs import RunRoutes
from orchd.web.schedules import ScheduleRoutes
from orchd.web.slots import SlotRoutes
from orchd.web.status import DaemonRoutes
from orchd.web.tasks import TaskRoutes

#: Over TCP; the Unix socket needs neither.
_SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "made by `orchd token create`"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "orchd-8420",
        "description": "of a browser that logged in by the link of `orchd open`; the number is the port that the "
        "daemon listens on, and with TLS it is called `__Host-orchd`. A change needs the header "
        "`X-Orchd-Form-Key` too, which pages carry.",
    },
}


class _App(FastAPI):
    """
    FastAPI whose document says who may come in.
    """

    def openapi(self) -> dict[str, Any]:
        """
        Give the OpenAPI document.
        """
        if self.openapi_schema is None:
            made = super().openapi()
            made["components"]["securitySchemes"] = _SCHEMES
            made["security"] = [{name: []} for name in _SCHEMES]
            made["paths"]["/health"]["get"]["security"] = []
        return super().openapi()


def make_app(daemon: Daemon, doors: Doors, *, version: str) -> FastAPI:
    """
    Make API and pages over *daemon*.
    """
    app = _App(
        title="orchd",
        version=version,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        responses={"default": {"model": ErrorBody, "description": "what went wrong, in one sentence"}},
    )
    errors.install(app)
    app.add_middleware(BodyLimit, refusal=errors.unusable)
    live = LivePages(daemon)
    for routes in (
        DaemonRoutes(daemon),
        MetricsRoute(daemon),
        RunRoutes(daemon),
        TaskRoutes(daemon),
        LogRoutes(daemon, live),
        ScheduleRoutes(daemon),
        SlotRoutes(daemon),
        FlowRoutes(daemon),
        ProjectRoutes(daemon),
        AccessRoutes(daemon, doors),
    ):
        app.include_router(routes.router())
    for pages in (
        Entrance(doors),
        live,
        OverviewPage(daemon),
        Schematics(daemon),
        FlowPages(daemon),
        RunPages(daemon, live),
        TaskPages(daemon),
        SchedulePages(daemon),
        SlotPages(daemon),
    ):
        app.include_router(pages.router())
    app.include_router(file_router())
    return app
