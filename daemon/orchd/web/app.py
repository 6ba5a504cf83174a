"""
The HTTP application: all routes, and one shape for errors. Where it listens is not its business.
"""

from fastapi import FastAPI

from orchd.web import errors, runs, schedules, status
from orchd.web.daemon import Daemon


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
    )
    errors.install(app)
    for routes in (status, runs, schedules):
        app.include_router(routes.router(daemon))
    return app
