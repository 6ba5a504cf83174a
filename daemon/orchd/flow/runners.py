"""
Runs one task, or makes one pass over a flow, by hand: for tests of tasks and flows.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from orchd import clock
from orchd.engine import task_runner
from orchd.engine.context import context as around
from orchd.engine.executors.executor import Executor
from orchd.engine.handlers import StateHandler, checked_handlers
from orchd.engine.state import Pending, State
from orchd.engine.work import Scope
from orchd.flow.flow import Flow
from orchd.flow.running import Wishes, parameter_values, prepared
from orchd.flow.task import Task
from orchd.graph.edges import Edge
from orchd.results.result import Result


class TaskRunner:
    """
    Runs *task* outside of a flow.
    """

    def __init__(
        self, task: Task, state_handlers: Iterable[StateHandler] | None = None, flow_result: Result | None = None
    ) -> None:
        """
        Args:
            state_handlers: further ones, called after the task's own.

            flow_result: how its result is stored when the task does not say it.
        """
        self.task = task
        self.state_handlers = checked_handlers(state_handlers)
        self.flow_result = flow_result

    def run(
        self,
        state: State | None = None,
        upstream_states: Mapping[Edge[Any], State] | None = None,
        context: Mapping[str, Any] | None = None,
        is_mapped_parent: bool = False,
    ) -> State:
        """
        Run the task once, if *state* and *upstream_states* let it, and return its new state.

        Args:
            is_mapped_parent: True asks only whether it can be mapped over the states of the mapped edges: the state is
                Mapped with the number of children then.
        """
        scope = Scope(
            values={**around.snapshot(), **(context or {})},
            handlers=tuple(self.state_handlers),
            result=self.flow_result,
        )
        runner = task_runner.TaskRunner(self.task, slug=self.task.slug or self.task.name, scope=scope)
        above = upstream_states or {}
        if is_mapped_parent:
            return runner.run_parent(state, upstream=above, lanes={}, now=clock.now())

        return runner.run(state, upstream=above, constants={}, now=clock.now())


class FlowRunner:
    """
    Makes one pass over *flow*.
    """

    def __init__(self, flow: Flow, state_handlers: Iterable[StateHandler] | None = None) -> None:
        """
        Args:
            state_handlers: further ones, called after the flow's own.
        """
        self.flow = flow
        self.state_handlers = checked_handlers(state_handlers)

    def run(
        self,
        state: State | None = None,
        task_states: Mapping[Task, State] | None = None,
        return_tasks: Iterable[Task] | None = None,
        parameters: Mapping[str, Any] | None = None,
        task_runner_state_handlers: Iterable[StateHandler] | None = None,
        executor: Executor[Any] | None = None,
        context: Mapping[str, Any] | None = None,
        task_contexts: Mapping[Task, Mapping[str, Any]] | None = None,
    ) -> State:
        """
        Run each task that can run once, and return the flow's state: Running when some are left for a later pass.

        Args:
            return_tasks: tasks whose states are in the result; None for none.

            task_runner_state_handlers: further state handlers of every task.

            executor: None for the flow's own.

            task_contexts: further keys of the context of single tasks.

        Raises:
            ValueError: a parameter is unknown, or a required one is missing.
        """
        wishes = Wishes(
            executor=executor,
            task_contexts=task_contexts or {},
            task_runner_state_handlers=tuple(task_runner_state_handlers or ()),
        )
        values = parameter_values(self.flow, parameters or {})
        run = prepared(self.flow, parameters=values, keys=context or {}, wishes=wishes)
        runner = dataclasses.replace(run.runner, handlers=(*run.runner.handlers, *self.state_handlers))
        with run.entered():
            end = runner.run_pass({**run.states, **(task_states or {})}, now=clock.now(), state=state)

        if isinstance(end.result, dict):
            missing = Pending(message="Task not run.")
            end.result = {task: end.result.get(task, missing) for task in return_tasks or ()}

        return end
