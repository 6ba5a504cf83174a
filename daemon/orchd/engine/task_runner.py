"""
One try of one task: from the states above it to its own.
"""

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orchd import clock
from orchd.engine.admitting import Upstream, has_mapped, may_begin, refusal, went_well
from orchd.engine.caching import cache_name, still_valid, to_be_kept
from orchd.engine.calls import call_task
from orchd.engine.context import Lazy, context
from orchd.engine.decide import is_excluded, judge_failure
from orchd.engine.faults import own_traceback, said
from orchd.engine.handlers import LOG, handled
from orchd.engine.logs import get_logger, say
from orchd.engine.mapping import NOTHING, Lanes, counted, judge_mapping
from orchd.engine.reuse import RUNS_ANEW
from orchd.engine.signals import ENDRUN, StateSignal
from orchd.engine.state import (
    Cached,
    Failed,
    Looped,
    Mapped,
    Paused,
    Pending,
    Resume,
    Retrying,
    Running,
    Skipped,
    State,
    recorded,
)
from orchd.engine.storing import at_target, broken, filled, keep, storage, stored
from orchd.engine.triggers import all_successful
from orchd.engine.work import Scope, Work
from orchd.model.states import TASK_RUN_MOVES, TaskRunState

SKIPPED_ABOVE: Final = (
    "Upstream task was skipped; if this was not the intended behavior, consider changing "
    "`skip_on_upstream_skip=False` for this task."
)
#: What is kept for a later attempt.
_KEPT: Final = frozenset({TaskRunState.SUCCESS, TaskRunState.CACHED})
#: What stands for a state that nobody can see.
_BEFORE: Final = Pending()
_DURING: Final = Running()


class TaskRunner:
    """
    Runs *task* once, if it may run; as child *index* when it is mapped.
    """

    __slots__ = ("_attempt", "_loop", "_stands", "_watched", "index", "name", "scope", "slug", "task")

    def __init__(self, task: Work, *, slug: str, scope: Scope, index: int | None = None) -> None:
        self.task = task
        self.slug = slug
        self.scope = scope
        self.index = index
        self.name = task.name if index is None else f"{task.name}[{index}]"
        self._watched = bool(task.state_handlers or scope.handlers) or LOG.isEnabledFor(logging.DEBUG)
        self._attempt = 1
        self._loop: tuple[int, Any] | None = None
        self._stands = TaskRunState.PENDING

    def run(
        self,
        state: State | None,
        *,
        upstream: Upstream,
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
        return self._run(state, upstream=upstream, constants=constants, lanes=None, now=now)

    def run_parent(self, state: State | None, *, upstream: Upstream, lanes: Lanes, now: datetime) -> State:
        """
        Return Mapped with the number of children when the task may be mapped; else what :meth:`run` returns.

        Args:
            lanes: the elements of edges that lead from mapped tasks.
        """
        return self._run(state, upstream=upstream, constants={}, lanes=lanes, now=now)

    def lost(self, state: State | None, *, why: str, has_begun: bool) -> State:
        """
        Return what becomes of a try that was made elsewhere and never came to its end: Retrying, or Failed with *why*.

        Args:
            has_begun: the recorder has been told that the task runs.
        """
        before = context.swap(self._values(state))
        try:
            self._stands = TaskRunState.RUNNING if has_begun else self._stands
            LOG.error("Task '%s': %s", self.name, why)
            ended = self._tried_again(self._moved(_DURING, Failed(message=why, result=RuntimeError(why))))
        except (ENDRUN, StateSignal) as signal:
            ended = signal.state
        else:
            say(LOG, f"Task '{self.name}': Finished task run for task with final state: '{type(ended).__name__}'")
        finally:
            context.swap(before)

        self._tell(ended)
        return ended

    def _run(
        self,
        state: State | None,
        *,
        upstream: Upstream,
        constants: Mapping[str, Any],
        lanes: Lanes | None,
        now: datetime,
    ) -> State:
        if state is not None:
            state = state.unwrapped() or Pending()
            if not may_begin(state, now):
                return state

        skipped = False
        for above in counted(upstream) if has_mapped(upstream) else upstream.values():
            if not above.is_finished():
                return state if state is not None else Pending()

            skipped = skipped or above.is_skipped()

        before = context.swap(self._values(state))
        try:
            return self._try(state, upstream, constants, lanes, skipped and self.task.skip_on_upstream_skip)
        finally:
            context.swap(before)

    def _try(
        self, state: State | None, upstream: Upstream, constants: Mapping[str, Any], lanes: Lanes | None, skip: bool
    ) -> State:
        say(LOG, f"Task '{self.name}': Starting task run...")
        if state is None:
            state = Pending() if self._watched else _BEFORE

        try:
            if skip:
                state = self._moved(state, Skipped(message=SKIPPED_ABOVE))
            elif lanes is not None:
                judged = judge_mapping(upstream, lanes)
                if judged.is_failed() and judged.message != NOTHING:
                    LOG.error("Task '%s': %s", self.name, judged.message)

                state = self._moved(state, judged)
            else:
                state = self._worked(state, upstream, constants)
        except (ENDRUN, StateSignal) as signal:
            if isinstance(signal, StateSignal) and context.get("raise_on_exception"):
                raise

            state = signal.state
        except Exception as exc:
            if context.get("raise_on_exception"):
                raise

            # Of the person's code beside `run`: a cache validator, a template, a retry_delay that is no duration.
            message = f"Task '{self.name}': Unexpected error while running task: {said(exc)}"
            LOG.error("%s", message, exc_info=(type(exc), exc, own_traceback(exc.__traceback__)))
            state = Failed(message=message, result=exc)

        if self.scope.reuse is not None:
            self.scope.reuse.settle(self.task, self.slug, self.index, state, upstream)

        self._tell(state)
        say(LOG, f"Task '{self.name}': Finished task run for task with final state: '{type(state).__name__}'")
        return state

    def _worked(self, state: State, upstream: Upstream, constants: Mapping[str, Any]) -> State:
        is_forced, inputs = False, dict(constants)
        for edge, above in upstream.items():
            if edge.key is not None:
                inputs[edge.key] = above.result

        if self.scope.reuse is not None and self._stands is TaskRunState.PENDING and not isinstance(state, Cached):
            answer = self.scope.reuse.ask(self.task, self.slug, self.index, upstream, self._storage(), self.scope.kept)
            say(LOG, f"Task '{self.name}': {answer}")
            if answer.state is not None:
                return self._moved(state, answer.state)

            is_forced = answer.is_forced
            context[RUNS_ANEW] = not answer.is_same_above

        state = self._found(state, inputs, is_forced=is_forced)
        if not (self.task.trigger is all_successful and all(map(went_well, upstream.values()))):
            refused = refusal(self.task, upstream, constants, name=self.name)
            if refused is not None:
                raise ENDRUN(self._moved(state, refused))

        if not state.is_pending():
            return state

        while isinstance(state := self._called(state, inputs), Looped):
            state = self._again(state)

        return state

    def _found(self, state: State, inputs: Mapping[str, Any], *, is_forced: bool) -> State:
        """
        Return Cached when there is a result already, Failed when that cannot be said, else a pending state.

        Args:
            is_forced: somebody wants the task to run, whatever there is.
        """
        task = self.task
        if task.task_run_name is not None:
            context["task_run_name"] = filled(task.task_run_name, inputs)

        if is_forced:
            return Pending()

        if task.target is not None:
            who = self.slug if self.index is None else f"{self.slug}[{self.index}]"
            try:
                found = at_target(
                    self._storage(), task.target, inputs, task=task, name=self.name, who=who, seen=self.scope.targets
                )
            except Exception as exc:
                return self._moved(state, broken(exc, name=self.name))

            return state if found is None else self._moved(state, found)

        if isinstance(state, Cached):
            return state if still_valid([state], task.cache_validator, inputs) else Pending()

        if task.cache_for is not None:
            key = cache_name(task, flow_name=self.scope.values.get("flow_name", ""), slug=self.slug)
            kept = context.get("caches", {}).get(key, ())
            if (valid := still_valid(kept, task.cache_validator, inputs)) is not None:
                return self._moved(state, valid)

        return state

    def _called(self, state: State, inputs: dict[str, Any]) -> State:
        task = self.task
        running = self._moved(state, Running(message="Starting task run.")) if self._watched else _DURING
        if not running.is_running():
            return running

        if self._stands is not TaskRunState.RUNNING:
            self._record(TaskRunState.RUNNING, "Starting task run.", None)

        if self._watched:
            LOG.debug("Task '%s': Calling task.run() method...", self.name)

        try:
            state = call_task(task, inputs, name=self.name, log=LOG)
        except ENDRUN as signal:
            raise ENDRUN(self._moved(running, signal.state)) from signal

        if task.checkpoint is not False and (state.is_successful() or state.is_looped()):
            state = stored(state, self._storage(), inputs, name=self.name)

        state = self._moved(running, state)
        if task.cache_for is not None and state.is_successful() and not state.is_skipped():
            return self._moved(state, to_be_kept(state, cache_for=task.cache_for, inputs=inputs))

        return self._tried_again(state) if state.is_failed() else state

    def _tried_again(self, state: State) -> State:
        task = self.task
        retry_on = task.retry_on or ()
        retry = judge_failure(
            attempt=self._attempt,
            max_retries=task.max_retries,
            retry_delay=task.retry_delay,
            retry_on=retry_on,
            cause=state.result,
            now=clock.now(),
        )
        if retry is not None:
            new = Retrying(
                message=retry.message, result=state.result, start_time=retry.start_time, run_count=self._attempt
            )
            if self._loop is not None:
                new.context["task_loop_count"], new.cached_inputs["_loop_result"] = self._loop

            return self._moved(state, new)

        if self._attempt <= task.max_retries and is_excluded(retry_on=retry_on, cause=state.result):
            LOG.info(
                "Task '%s': Skipping retry. Exception of type '%s' is not an instance of the retry on exception types.",
                self.name,
                type(state.result).__name__,
            )

        return state

    def _again(self, looped: Looped) -> State:
        """
        Let the next run find what the last one gave.
        """
        self._attempt = 1
        self._loop = (looped.loop_count + 1, looped.result)
        context["task_loop_count"], context["task_loop_result"] = self._loop
        context["task_run_count"] = 1
        return Pending(message=f"Looping task (on loop index {looped.loop_count})")

    def _moved(self, old: State, new: State) -> State:
        if not self._watched:
            return new

        LOG.debug("Task '%s': Handling state change from %s to %s", self.name, type(old).__name__, type(new).__name__)
        return handled(self.task, (*self.task.state_handlers, *self.scope.handlers), old, new)

    def _tell(self, state: State) -> None:
        """
        Record where the try ended, by a way that the table of moves allows: a task that a handler puts off is retrying.
        """
        word = recorded(state)
        if word is TaskRunState.PENDING and self._stands is TaskRunState.RUNNING:
            word = TaskRunState.RETRYING
        if word is self._stands or word is TaskRunState.PENDING:
            return

        if self._stands not in TASK_RUN_MOVES[word] and TaskRunState.RUNNING in TASK_RUN_MOVES[word]:
            self._record(TaskRunState.RUNNING, "Starting task run.", None)
        elif self._stands is TaskRunState.RUNNING and word is TaskRunState.TRIGGER_FAILED:
            # Task code that raises TRIGGERFAIL has begun already.
            word = TaskRunState.FAILED

        location = None if isinstance(state, Mapped) else state._result.location
        if not isinstance(location, str):
            location = keep(self.scope.kept, self.task, self.slug, state) if word in _KEPT else None

        self._record(word, state.message or "", location)

    def _record(self, word: TaskRunState, message: str, location: str | None) -> None:
        self._stands = word
        self.scope.recorder.task(
            slug=self.slug,
            map_index=-1 if self.index is None else self.index,
            state=word,
            attempt=self._attempt,
            message=message,
            location=location,
        )

    def _storage(self) -> Any:
        return storage(self.task.result or self.scope.result, self.task.target)

    def _values(self, state: State | None) -> dict[str, Any]:
        task = self.task
        values = dict(self.scope.values)
        if self.scope.task_contexts:
            values.update(self.scope.task_contexts.get(task, {}))

        values["task_name"] = task.name
        values["task_full_name"] = self.name
        values["task_slug"] = values["task_id"] = self.slug
        values["task_tags"] = task.tags
        values["task_run_id"] = Lazy(lambda: str(uuid.uuid4()))
        values["map_index"] = self.index
        values["_recorder"] = self.scope.recorder
        values["logger"] = Lazy(lambda: get_logger(self.name))
        if state is not None:
            self._go_on(state, values)

        values["task_run_count"] = self._attempt
        return values

    def _go_on(self, state: State, values: dict[str, Any]) -> None:
        """
        Take from *state* what an earlier try has left for this one.
        """
        self._attempt = state.context.get("task_run_count", 1)
        if isinstance(state, Retrying):
            self._attempt = state.run_count + 1
            self._stands = TaskRunState.RETRYING
            if "task_loop_count" in state.context:
                self._loop = (state.context["task_loop_count"], state.cached_inputs.get("_loop_result"))
                values["task_loop_count"], values["task_loop_result"] = self._loop

        if isinstance(state, Resume | Paused):
            values["resume"] = True
            self._stands = TaskRunState.PAUSED
