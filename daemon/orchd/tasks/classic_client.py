"""
The client object of old flows, as far as it asks for what a daemon does.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from orchd.client import quote
from orchd.engine.state import State
from orchd.errors import UsageError
from orchd.flow.flow import Flow
from orchd.tasks.asking import Asking, start
from orchd.tasks.flow_runs import as_instant
from orchd.tasks.run_views import FlowRunView, flow_of_id, state_of


class Client:
    """
    Asks the daemon: under it the one of this run, else the one that the command line would find.

    Its arguments, which named a server and a key, are kept as they are.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.settings = (args, kwargs)

    def create_project(self, project_name: str, project_description: str | None = None) -> str:
        """
        Make a project if it is not there, and return its id, which is its name.

        Raises:
            OrchdError: the name cannot be one, or no daemon answers.
        """
        return str(Asking.here().post("/projects", {"name": project_name})["project"]["name"])

    def register(
        self,
        flow: Flow,
        project_name: str | None = None,
        build: bool = True,
        set_schedule_active: bool = True,
        version_group_id: str | None = None,
        compressed: bool = True,
        no_url: bool = False,
        idempotency_key: str | None = None,
    ) -> str | None:
        """
        Do what ``flow.register()`` does.
        """
        return flow.register(project_name, build=build, set_schedule_active=set_schedule_active, no_url=no_url)

    def create_flow_run(
        self,
        flow_id: str | None = None,
        context: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        run_config: Any = None,
        labels: Iterable[str] | None = None,
        scheduled_start_time: datetime | None = None,
        idempotency_key: str | None = None,
        run_name: str | None = None,
        version_group_id: str | None = None,
    ) -> str:
        """
        Start a run of the flow *flow_id* (or of the flow of that name), and return its id.

        Args:
            context: kept as it is, as are *run_config* and *labels*.

            version_group_id: the flow's name; in place of *flow_id*.

        Raises:
            ValueError: no flow is named.

            FAIL: the run cannot be started.
        """
        name = flow_of_id(flow_id) if flow_id else version_group_id
        if not name:
            raise ValueError("One of flow_id or version_group_id must be provided")

        run = start(
            flow=name,
            project=None,
            parameters=parameters,
            at=as_instant(scheduled_start_time),
            run_name=run_name,
            idempotency_key=idempotency_key,
        )
        return str(run["id"])

    def cancel_flow_run(self, flow_run_id: str) -> bool:
        """
        Cancel a run, and everything that it started; return True.

        Raises:
            OrchdError: there is no such run, it is over, or no daemon answers.
        """
        Asking.here().post(f"/runs/{quote(flow_run_id)}/cancel", {"reason": "cancelled by a client"})
        return True

    def set_flow_run_name(self, flow_run_id: str, name: str) -> bool:
        """
        Give a run another name; return True.

        Raises:
            OrchdError: there is no such run, the name cannot be one, or no daemon answers.
        """
        Asking.here().post(f"/runs/{quote(flow_run_id)}/rename", {"name": name})
        return True

    def get_flow_run_state(self, flow_run_id: str) -> State:
        """
        Return the state of a run.

        Raises:
            OrchdError: there is no such run, or no daemon answers.
        """
        return state_of(Asking.here().next_state(flow_run_id, unless=None))

    def get_flow_run_info(self, flow_run_id: str) -> FlowRunView:
        """
        Return what is known of a run.

        Raises:
            OrchdError: there is no such run, or no daemon answers.
        """
        return FlowRunView.from_flow_run_id(flow_run_id)

    def graphql(self, query: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """
        Refuse.

        Raises:
            UsageError: always: there is no GraphQL here.
        """
        raise UsageError(
            "Client.graphql() is not there: orchd has no GraphQL; ask FlowRunView, FlowView or the HTTP API "
            "(/api/v1/openapi.json)"
        )
