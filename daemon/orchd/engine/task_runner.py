"""
One try of one task: from the states above it to its own.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orchd import clock
from orchd.engine.calls import call_task, said
from orchd.engine.context import Lazy, context
from orchd.engine.decide import is_excluded, judge_failure
from orchd.engine.logs import get_logger, say
from orchd.engine.signals import StateSignal
from orchd.engine.state import Cached, Failed, Pending, Retrying, Scheduled, State, TriggerFailed, recorded
from orchd.engine.work import Scope, Work
from orchd.graph.edges import Edge
from orchd.model.states import TaskRunState
from orchd.results.result import OutsideFolder, Result
from orchd.results.serializers import NotPicklable

LOG: Final = get_logger("TaskRunner")


class TaskRunner:
    """
    Runs *task* once, if it may run.
    """

    __slots__ = ("_attempt", "_result", "scope", "slug", "task")

    def __init__(self, task: Work, *, slug: str, scope: Scope) -> None:
        self.task = task
        self.slug = slug
        self.scope = scope
        self._attempt = 1
        self._result = self._storage()

    def run(
        self,
        state: State | None,
        *,
        upstream: Mapping[Edge[Any], State],
        constants: Mapping[str, Any],
        now: datetime,
    ) -> State:
        """
        Return the state of the task after this try.

        Args:
            state: where the task stands; None when it has not begun.

            upstream: the edges that lead to it, and where the tasks at their other ends stand.

            constants: its arguments that no edge brings.

            now: instant of this pass over the flow: what is to begin later is left alone.

        Returns:
            *state* itself (or Pending) when the task is finished, not yet due, or waits for something above it.
        """
        if state is not None and (not state.is_pending() or (isinstance(state, Scheduled) and state.start_time > now)):
            return state

        for above in upstream.values():
            if not above.is_finished():
                return state if state is not None else Pending(message="Task not run.")

        if isinstance(state, Retrying):
            self._attempt = state.run_count + 1

        before = context.swap(self._values())
        try:
            return self._try(upstream, constants)
        finally:
            context.swap(before)

    def _try(self, upstream: Mapping[Edge[Any], State], constants: Mapping[str, Any]) -> State:
        name = self.task.name
        say(LOG, f"Task '{name}': Starting task run...")
        inputs = dict(constants)
        for edge, above in upstream.items():
            if edge.key is not None:
                inputs[edge.key] = above.result

        state = self._refused(upstream, inputs) or self._ran(inputs)
        location = state._result.location
        self._record(recorded(state), state.message or "", location if isinstance(location, str) else None)
        say(LOG, f"Task '{name}': Finished task run for task with final state: '{type(state).__name__}'")
        return state

    def _refused(self, upstream: Mapping[Edge[Any], State], inputs: Mapping[str, Any]) -> State | None:
        """
        Return the state of a task that need not, or must not, run; None when it is to run.
        """
        try:
            found = self._at_target(inputs) if self.task.target is not None else None
        except Exception as exc:
            return self._broken(exc)

        try:
            if not self.task.trigger(upstream):
                return TriggerFailed(message="Trigger failed")
        except StateSignal as signal:
            return signal.state
        except Exception as exc:
            LOG.error("Task '%s': Unexpected error while evaluating task trigger!", self.task.name, exc_info=exc)
            return TriggerFailed(message=f"Unexpected error while checking task trigger: {said(exc)}", result=exc)

        return found

    def _ran(self, inputs: dict[str, Any]) -> State:
        self._record(TaskRunState.RUNNING, "Starting task run.", None)
        state = call_task(self.task, inputs, log=LOG)
        if state.is_successful():
            state = self._stored(state, inputs)

        return self._tried_again(state) if state.is_failed() else state

    def _tried_again(self, state: State) -> State:
        task = self.task
        retry = judge_failure(
            attempt=self._attempt,
            max_retries=task.max_retries,
            retry_delay=task.retry_delay,
            retry_on=task.retry_on,
            cause=state.result,
            now=clock.now(),
        )
        if retry is not None:
            return Retrying(
                message=retry.message, result=state.result, start_time=retry.start_time, run_count=self._attempt
            )

        if self._attempt <= task.max_retries and is_excluded(retry_on=task.retry_on, cause=state.result):
            LOG.info(
                "Task '%s': Skipping retry. Exception of type '%s' is not an instance of the retry on exception types.",
                task.name,
                type(state.result).__name__,
            )

        return state

    def _at_target(self, inputs: Mapping[str, Any]) -> State | None:
        """
        Return Cached when a readable result is at the target. One that cannot be read counts as absent.
        """
        target = self.task.target
        keys = self._template_keys(inputs)
        location = target.format(**keys) if isinstance(target, str) else str(target(**keys)) if target else ""
        if not self._result.exists(location):
            return None

        try:
            found = self._result.read(location)
        except OutsideFolder:
            raise
        except Exception as exc:
            LOG.warning(
                "Task '%s': the result at target %s cannot be read (%s), so the task runs and writes it anew.",
                self.task.name,
                location,
                said(exc),
            )
            return None

        return Cached(result=found, message=f"Result found at task target {location}")

    def _stored(self, state: State, inputs: Mapping[str, Any]) -> State:
        """
        Write the result where the task or its flow says so, and return *state* with its location, or Failed.
        """
        if (
            context.get("checkpointing") is not True
            or self.task.checkpoint is False
            or state.result is None
            or not self._result.can_store
        ):
            return state

        keys = self._template_keys(inputs)
        keys.pop("value_", None)
        try:
            state.result = self._result.write(state.result, **keys)
        except Exception as exc:
            return self._broken(exc)

        return state

    def _broken(self, exc: Exception) -> State:
        """
        Return Failed for an error outside of the task's own code: its target or its result.
        """
        if isinstance(exc, NotPicklable | OutsideFolder):
            message = f"The result of task '{self.task.name}' cannot be stored: {exc}"
        else:
            message = f"Unexpected error: {said(exc)}"

        LOG.error("Task '%s': %s", self.task.name, message)
        return Failed(message=message, result=exc)

    def _storage(self) -> Result:
        chosen = self.task.result or self.scope.result or Result()
        if self.task.target is None:
            return chosen

        placed = chosen.copy()
        placed.location = self.task.target
        return placed

    def _template_keys(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {**context.get("parameters", {}), **context, **inputs}

    def _values(self) -> dict[str, Any]:
        task = self.task
        values = dict(self.scope.values)
        values["task_name"] = values["task_full_name"] = task.name
        values["task_slug"] = values["task_id"] = self.slug
        values["task_tags"] = task.tags
        values["task_run_id"] = Lazy(_new_id)
        values["task_run_count"] = self._attempt
        values["map_index"] = None
        values["logger"] = Lazy(lambda: task.logger)
        return values

    def _record(self, state: TaskRunState, message: str, location: str | None) -> None:
        self.scope.recorder.task(
            slug=self.slug, map_index=-1, state=state, attempt=self._attempt, message=message, location=location
        )


def _new_id() -> str:
    return str(uuid.uuid4())
