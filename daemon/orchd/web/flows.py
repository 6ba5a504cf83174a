"""
Routes about one flow: its versions, and how its last runs went.
"""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Response

from orchd.store import queries
from orchd.store.database import Connection
from orchd.web.answers import answer
from orchd.web.asking import MAX_NUMBER, read
from orchd.web.daemon import Daemon
from orchd.web.pages.changes import changes

_Name = Annotated[str, Path(description="name of the flow")]
#: Most rows of one answer; each holds the whole graph of the flow.
MAX_VERSIONS: Final = 100
#: Runs that figures may be about.
MAX_SUMMED: Final = 10_000


class FlowRoutes:
    """
    What can be asked about the past of one flow.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(prefix="/api/v1/flows", tags=["flows"])
        add = routes.add_api_route
        add("/{name}/versions", self.list_versions, response_description="`{versions: [version], next}`")
        add("/{name}/summary", self.summarise, response_description="`{flow, summary}`")
        return routes

    async def list_versions(
        self,
        name: _Name,
        before: Annotated[int | None, Query(ge=0, le=MAX_NUMBER, description="only smaller versions")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_VERSIONS, description="most versions given")] = 20,
    ) -> Response:
        """
        List the versions of a flow, newest first, each with what changed; `next` is the `before` of the next page.
        """

        def question(conn: Connection) -> list[queries.VersionView]:
            # One more than is given: the last one is told apart from it.
            return queries.versions(conn, name, before=before, limit=limit + 1)

        told = changes(await read(self._daemon, question))
        shown = [msgspec.structs.asdict(each.view) | {"changes": each.changes} for each in told[:limit]]
        more = told[limit - 1].view.version if len(told) > limit else None
        return answer({"versions": shown, "next": more})

    async def summarise(
        self,
        name: _Name,
        last: Annotated[int, Query(ge=1, le=MAX_SUMMED, description="how many of its last runs")] = 1000,
    ) -> Response:
        """
        Say how the last runs of a flow went: counts by state, success rate, median and 95th percentile in seconds.
        """

        def question(conn: Connection) -> queries.SummaryView:
            queries.versions(conn, name, limit=1)
            return queries.summary(conn, name, limit=last)

        return answer({"flow": name, "summary": await read(self._daemon, question)})
