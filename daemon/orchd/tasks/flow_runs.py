"""
Tasks that start runs of other flows, wait for them, and read what they made.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from orchd import clock
from orchd.engine.context import as_moment, context
from orchd.engine.logs import get_logger
from orchd.engine.signals import FAIL, SUCCESS
from orchd.flow.decorator import task
from orchd.flow.helpers import defaults_from_attrs
from orchd.flow.task import FunctionTask, Task
from orchd.tasks.asking import start
from orchd.tasks.run_views import FlowRunView, flow_of_id, state_of
from orchd.tasks.watching import wait_for_end, watched

#: Least time between two questions that old flows may ask for; here a wait is told at once.
_LEAST_POLL: Final = timedelta(seconds=3)
_POLL: Final = timedelta(seconds=10)
_MAX_WAIT: Final = timedelta(hours=12)


class StartFlowRun(Task):
    """
    Starts a run of another flow; with ``wait=True`` it ends as that run does.

    Args:
        flow_name: of the flow that is started; None when it is given in the flow.

        project_name: in which that flow must be, if it is in one.

        parameters: of that flow; values that are tasks belong into the call.

        run_config: kept as it is; the daemon runs every flow on this host.

        wait: True waits for the end of the run.

        new_flow_context: kept as it is.

        run_name: of the run; None for one that the daemon makes.

        scheduled_start_time: not before it; None for now.

        poll_interval: at least 3 seconds, as in old flows; the end of the run is told at once anyway.

        create_link_artifact: kept as it is.
    """

    #: For the description of a flow: it starts runs of the flow ``flow_name``.
    starts_runs = True

    def __init__(
        self,
        flow_name: str | None = None,
        project_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        run_config: Any = None,
        wait: bool = False,
        new_flow_context: Mapping[str, Any] | None = None,
        run_name: str | None = None,
        scheduled_start_time: datetime | None = None,
        poll_interval: timedelta = _POLL,
        create_link_artifact: bool = True,
        **task_args: Any,
    ) -> None:
        """
        Raises:
            TypeError: a task is among *parameters*.

            ValueError: *poll_interval* is too short.
        """
        if any(isinstance(value, Task) for value in (parameters or {}).values()):
            raise TypeError(
                "An instance of `Task` was passed to the `StartFlowRun` constructor via the `parameters` kwarg; "
                "initialize StartFlowRun first, then call it with the parameters: "
                "StartFlowRun(flow_name=...)(parameters={...})"
            )

        self.flow_name = flow_name
        self.project_name = project_name
        self.parameters = parameters
        self.run_config = run_config
        self.wait = wait
        self.new_flow_context = new_flow_context
        self.run_name = run_name
        self.scheduled_start_time = scheduled_start_time
        self.poll_interval = _checked_poll(poll_interval)
        self.create_link_artifact = create_link_artifact
        if flow_name:
            task_args.setdefault("name", f"Flow {flow_name}")
        super().__init__(**task_args)

    @defaults_from_attrs(
        "flow_name",
        "project_name",
        "parameters",
        "run_config",
        "wait",
        "new_flow_context",
        "run_name",
        "scheduled_start_time",
        "poll_interval",
        "create_link_artifact",
    )
    def run(
        self,
        flow_name: str | None = None,
        project_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        run_config: Any = None,
        wait: bool = False,
        new_flow_context: Mapping[str, Any] | None = None,
        run_name: str | None = None,
        idempotency_key: str | None = None,
        scheduled_start_time: datetime | timedelta | None = None,
        poll_interval: timedelta = _POLL,
        create_link_artifact: bool = True,
    ) -> str:
        """
        Start the run, and return its id; with *wait* end as it does.

        Args:
            idempotency_key: asked with the same key again, the same run is meant; None for one that stays the same when
                this task is tried again, as long as the run of before goes on or has succeeded.

        Raises:
            ValueError: no flow is named, or *poll_interval* is too short.

            SUCCESS: the run was waited for, and has succeeded.

            FAIL: the run could not be started; or it was waited for, and has not succeeded.
        """
        _checked_poll(poll_interval)
        if not flow_name:
            raise ValueError("Must provide a flow name.")

        child = start(
            flow=flow_name,
            project=project_name,
            parameters=parameters,
            at=as_instant(scheduled_start_time),
            run_name=run_name,
            idempotency_key=idempotency_key,
        )
        self.logger.info("Flow Run: %s", child["name"])
        if not wait:
            return str(child["id"])

        raise ended_as(wait_for_end(child["id"]))


class StartingTask(FunctionTask):
    """
    A task whose function starts runs of the flow ``flow_name``.
    """

    starts_runs = True


def _create_flow_run(
    flow_id: str | None = None,
    flow_name: str | None = None,
    project_name: str = "",
    parameters: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    labels: Iterable[str] | None = None,
    run_name: str | None = None,
    run_config: Any = None,
    scheduled_start_time: datetime | timedelta | None = None,
    idempotency_key: str | None = None,
) -> str:
    """
    Start a run of the flow *flow_name* or *flow_id*, and return its id.

    Its id is not kept for a resumed run: that asks again, and is given the same run if that one goes on or has
    succeeded.

    Args:
        context: kept as it is, as are *labels* and *run_config*.

        scheduled_start_time: not before it; a timedelta counts from now.

        idempotency_key: as for :class:`StartFlowRun`.

    Raises:
        ValueError: not exactly one of *flow_id* and *flow_name* is given.

        FAIL: the run could not be started.
    """
    if flow_id and flow_name:
        raise ValueError("Received both `flow_id` and `flow_name`. Only one flow identifier can be passed.")

    name = flow_of_id(flow_id) if flow_id else flow_name
    if not name:
        raise ValueError("Both `flow_id` and `flow_name` are null. You must pass a flow identifier.")

    logger = get_logger("create_flow_run")
    logger.info("Creating flow run for flow '%s'...", name)
    child = start(
        flow=name,
        project=project_name,
        parameters=parameters,
        at=as_instant(scheduled_start_time),
        run_name=run_name,
        idempotency_key=idempotency_key,
    )
    logger.info("Created flow run '%s': %s", child["name"], child["id"])
    return str(child["id"])


create_flow_run = StartingTask(_create_flow_run, name="create_flow_run", checkpoint=False)


@task
def wait_for_flow_run(
    flow_run_id: str,
    stream_states: bool = True,
    stream_logs: bool = False,
    raise_final_state: bool = False,
    max_duration: timedelta = _MAX_WAIT,
) -> FlowRunView:
    """
    Wait for the end of the run *flow_run_id*, and return what is known of it then.

    Args:
        stream_states: log each of its states.

        stream_logs: log its lines.

        raise_final_state: end as it does; else its failure is only to be seen in what is returned.

        max_duration: longest wait.

    Raises:
        SUCCESS: with *raise_final_state*: it has succeeded.

        FAIL: with *raise_final_state*: it has not succeeded.

        RuntimeError: it took longer than *max_duration*.
    """
    run = watched(flow_run_id, stream_states=stream_states, stream_logs=stream_logs, max_duration=max_duration)
    view = FlowRunView.from_flow_run_id(run["id"])
    if raise_final_state:
        raise ended_as(run, result=view)

    return view


@task
def get_task_run_result(flow_run_id: str, task_slug: str, map_index: int = -1, poll_time: int = 5) -> Any:
    """
    Wait for the end of the run *flow_run_id*, and return the stored result of one of its tasks.

    Args:
        task_slug: of the task, such as ``load-1``.

        map_index: of a child of a mapped task; -1 for all of them as a list, or for a task that is not mapped.

        poll_time: kept as it is: the end of the run is told at once.

    Raises:
        ValueError: *task_slug* is empty or not in the run; the run is this one; or the result is not stored.
    """
    if not task_slug:
        raise ValueError("Required argument `task_slug` is empty")

    if flow_run_id == context.get("flow_run_id"):
        raise ValueError(
            "Given `flow_run_id` is the same as the currently running flow. The `get_task_run_result` task cannot be "
            "used to retrieve results from the flow run it belongs to"
        )

    run = wait_for_end(flow_run_id)
    return FlowRunView.from_flow_run_id(run["id"]).get_task_run(task_slug=task_slug, map_index=map_index).get_result()


def ended_as(run: Mapping[str, Any], *, result: Any = None) -> SUCCESS | FAIL:
    """
    Return the signal that ends a task as *run*, which is over, has ended.

    Args:
        result: of the signal's state; None for the signal itself.
    """
    message = f"{run['id']} finished in state {state_of(run)!r}"
    more = {} if result is None else {"result": result}
    if run["state"] == "success":
        return SUCCESS(message, **more)

    return FAIL(f"{message} (run {run['name']} of flow '{run['flow']}')", **more)


def as_instant(given: datetime | timedelta | str | None) -> str | None:
    """
    Return *given*, where a timedelta counts from now, as ISO text with its offset; None stays None.

    Raises:
        ValueError: it is no time.
    """
    if given is None:
        return None

    moment = clock.now() + given if isinstance(given, timedelta) else as_moment(given)
    if not isinstance(moment, datetime):
        raise ValueError(f"scheduled_start_time {given!r} is no time: give a datetime, a timedelta or ISO text")

    return moment.isoformat()


def _checked_poll(poll_interval: timedelta) -> timedelta:
    if poll_interval < _LEAST_POLL:
        raise ValueError(
            "`poll_interval` needs to be at least 3 seconds to avoid spamming the server. "
            f"(poll_interval == {poll_interval.total_seconds()} seconds)!"
        )

    return poll_interval
