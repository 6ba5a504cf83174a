"""
The HTTP application: all routes, and one shape for errors. Where it listens is not its business.
"""

from fastapi import FastAPI

from orchd.web import errors
from orchd.web.answers import ErrorBody
from orchd.web.daemon import Daemon
from orchd.web.limits import BodyLimit
from orchd.web.projects import ProjectRoutes
from orchd.web.runs import RunRoutes
from orchd.web.schedules import ScheduleRoutes
from orchd.web.status import DaemonRoutes


def make_app(daemon: Daemon, *, version: str) -> FastAPI:
    """
    Make the API over *daemon*.
    """
    app = FastAPI(
        title="orchd",
        version=version,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        responses={"default": {"model": ErrorBody, "description": "what went wrong, in one sentence"}},
    )
    errors.install(app)
    app.add_middleware(BodyLimit)
    for routes in (DaemonRoutes(daemon), RunRoutes(daemon), ScheduleRoutes(daemon), ProjectRoutes(daemon)):
        app.include_router(routes.router())
    return app
