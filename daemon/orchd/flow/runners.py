"""
Runs one task, or makes one pass over a flow, by hand: for tests of tasks and flows.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from orchd import clock
from orchd.engine import task_runner
from orchd.engine.context import context
from orchd.engine.handlers import StateHandler
from orchd.engine.state import Pending, State
from orchd.engine.work import Scope
from orchd.flow.flow import Flow
from orchd.flow.running import parameter_values, prepared
from orchd.flow.task import Task
from orchd.graph.edges import Edge


class TaskRunner:
    """
    Runs *task* outside of a flow.
    """

    def __init__(self, task: Task, state_handlers: Iterable[StateHandler] | None = None) -> None:
        self.task = task
        self.state_handlers = tuple(state_handlers or ())

    def run(
        self,
        state: State | None = None,
        upstream_states: Mapping[Edge[Any], State] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> State:
        """
        Run the task once, if *state* and *upstream_states* let it, and return its new state.
        """
        scope = Scope(values={**_around(), **(context or {})}, handlers=self.state_handlers)
        runner = task_runner.TaskRunner(self.task, slug=self.task.slug or self.task.name, scope=scope)
        return runner.run(state, upstream=upstream_states or {}, constants={}, now=clock.now())


class FlowRunner:
    """
    Makes one pass over *flow*.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def run(
        self,
        state: State | None = None,
        task_states: Mapping[Task, State] | None = None,
        return_tasks: Iterable[Task] | None = None,
        parameters: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> State:
        """
        Run each task that can run once, and return the flow's state: Running when some are left for a later pass.

        Args:
            return_tasks: tasks whose states are in the result; None for none.
        """
        run = prepared(self.flow, parameters=parameter_values(self.flow, parameters or {}), keys=context or {})
        with run.entered():
            end = run.runner.run_pass({**run.states, **(task_states or {})}, now=clock.now(), state=state)

        if isinstance(end.result, dict):
            missing = Pending(message="Task not run.")
            end.result = {task: end.result.get(task, missing) for task in return_tasks or ()}

        return end


def _around() -> dict[str, Any]:
    return context.snapshot()
