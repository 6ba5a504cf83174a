"""
Routes about projects, and about flows that are registered by name.
"""

from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from orchd.errors import NotFound
from orchd.model.names import shown
from orchd.model.registration import Registration
from orchd.store import queries
from orchd.web.answers import answer
from orchd.web.asking import caller, caller_uid, outcome, read
from orchd.web.daemon import Daemon
from orchd.web.paging import MAX_ROWS, After, Limit, page

_FlowName = Annotated[str, Path(description="name of the flow")]


class ProjectBody(BaseModel):
    """
    A project to be made.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="as free as that of a flow")


class RegisterBody(BaseModel):
    """
    A flow to be taken up from its file.
    """

    model_config = ConfigDict(extra="forbid")

    file: str = Field(description="absolute path of the flow file, as the daemon sees it")
    flow: str = Field(description="name of the flow in it")
    project: str = Field(description="name of a project that is there")
    labels: list[str] = Field(default_factory=list, description="shown with the flow")
    set_schedule_active: bool = Field(default=True, description="false pauses the schedules of its code")


class ProjectRoutes:
    """
    What can be asked about projects and one flow, and registering it.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(prefix="/api/v1", tags=["projects"])
        add = routes.add_api_route
        add("/projects", self.list_projects, response_description="`{projects: [project], next}`")
        add("/projects", self.create_project, methods=["POST"], response_description="`{project, is_new}`")
        add("/flows", self.register, methods=["POST"], response_description="`{flow, id, is_new_version}`")
        add("/flows/{name}", self.show_flow, response_description="`{flow}`")
        return routes

    async def list_projects(self, after: After = "", limit: Limit = MAX_ROWS) -> Response:
        """
        List the projects by name, with their flows; `next` is the `after` of the next page.
        """
        found = await read(self._daemon, partial(queries.projects, after=after, limit=limit + 1))
        return answer(page("projects", found, limit=limit, key=lambda project: project.name))

    async def create_project(self, body: ProjectBody, request: Request) -> Response:
        """
        Make a project; one that is there already stays as it is.
        """
        is_new = await outcome(self._daemon.create_project(body.name, by=caller(request)))
        (made,) = await read(self._daemon, partial(queries.projects, name=body.name))
        return answer({"project": made, "is_new": is_new})

    async def register(self, body: RegisterBody, request: Request) -> Response:
        """
        Take up a flow from its file, which lies under `[flows] paths` unless the daemon's own user asks.
        """
        before = await self._find(body.flow)
        await outcome(
            self._daemon.register(
                Registration(
                    file=body.file,
                    flow=body.flow,
                    project=body.project,
                    labels=tuple(body.labels),
                    set_schedule_active=body.set_schedule_active,
                    who=caller(request),
                    uid=caller_uid(request),
                )
            )
        )
        flow = await self._flow(body.flow)
        return answer(
            {
                "flow": flow,
                "id": f"{flow.name}@{flow.version}",
                "is_new_version": before is None or before.version != flow.version,
            }
        )

    async def show_flow(self, name: _FlowName) -> Response:
        """
        Give one flow with its last run.
        """
        return answer({"flow": await self._flow(name)})

    async def _flow(self, name: str) -> queries.FlowView:
        flow = await self._find(name)
        if flow is None:
            raise NotFound(f"there is no flow {shown(name)}: `orchd flows` lists those that there are")

        error = self._daemon.flow_errors().get(flow.file)
        return msgspec.structs.replace(flow, loaded=error is None, error=error)

    async def _find(self, name: str) -> queries.FlowView | None:
        found = await read(self._daemon, lambda conn: queries.flows(conn, names=[name]))
        return next(iter(found), None)
