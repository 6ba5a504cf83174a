"""
Runs a flow: from its parameters and the keys of its context to the engine.
"""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

from orchd import clock
from orchd.engine.caching import cache_name, keep
from orchd.engine.context import as_moment, context, date_values
from orchd.engine.executors.default import default_executor
from orchd.engine.executors.executor import Executor
from orchd.engine.faults import said
from orchd.engine.flow_runner import LOG, FlowRunner, TerminalHandler, wait_until
from orchd.engine.handlers import StateHandler
from orchd.engine.kept_caches import KeptCaches
from orchd.engine.logs import get_logger, show_on_terminal
from orchd.engine.recorder import NullRecorder, Recorder
from orchd.engine.settings import checkpointing_wanted, config, context_keys, setting
from orchd.engine.state import Failed, Pending, State, Success
from orchd.engine.work import Scope
from orchd.errors import OrchdError
from orchd.flow.attempts import Keeping
from orchd.flow.collections import Constant
from orchd.flow.local_attempts import Earlier, LocalAttempts
from orchd.flow.parameter import Parameter
from orchd.flow.task import Task
from orchd.graph.graph import Graph
from orchd.model.ids import FlowRunId, run_name
from orchd.results.result import Result

NEEDS_RESULTS: Final = (
    "A run can only be resumed where results are stored: set ORCHD__FLOWS__CHECKPOINTING=true in the environment of "
    "every run."
)


class Runnable(Protocol):
    """
    A flow, as far as running it needs to know it.
    """

    @property
    def name(self) -> str:
        """
        Its name.
        """

    @property
    def result(self) -> Result | None:
        """
        How results are stored of tasks that do not say it.
        """

    @property
    def slugs(self) -> Mapping[Task, str]:
        """
        Its tasks and their slugs.
        """

    @property
    def schedule(self) -> Any:
        """
        When it runs; None for when it is asked to.
        """

    @property
    def executor(self) -> Executor[Any] | None:
        """
        What runs its tasks; None for as the settings say.
        """

    @property
    def state_handlers(self) -> list[StateHandler]:
        """
        Functions that see each change of its state.
        """

    @property
    def terminal_state_handler(self) -> TerminalHandler | None:
        """
        May put another final state in the place of the one that the tasks give.
        """

    def parameters(self) -> set[Parameter]:
        """
        Its parameters.
        """

    def graph(self) -> Graph[Task]:
        """
        Its tasks in order.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """
    What the caller of ``flow.run()`` says besides the parameters.
    """

    state: State | None = None
    task_states: Mapping[Task, State] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    task_contexts: Mapping[Task, Mapping[str, Any]] = field(default_factory=dict)
    task_runner_state_handlers: tuple[StateHandler, ...] = ()
    executor: Executor[Any] | None = None
    #: Go on from the last run that did not succeed.
    resume: bool = False


def run_here(flow: Runnable, *, parameters: Mapping[str, Any], wishes: Wishes, on_schedule: bool | None) -> State:
    """
    Run *flow* for ``flow.run()``: log lines go to the terminal, results are stored if the environment says so.

    Args:
        on_schedule: True waits for each time of its schedule, and returns the state of the last run; None for as the
            setting ``flows.run_on_schedule`` says.

    Raises:
        ValueError: a parameter is unknown, or a required one is missing; or the schedule is over; or a run is to be
            resumed while no results are stored.
    """
    earlier = last_failed(flow) if wishes.resume else None
    if earlier is not None:
        known = {parameter.name for parameter in flow.parameters()}
        parameters = {**{name: each for name, each in earlier.parameters.items() if name in known}, **parameters}

    values = parameter_values(flow, parameters)
    if wishes.state is not None and wishes.state.is_finished():
        return _with_all(wishes.state, flow)

    show_on_terminal()
    if flow.schedule is None or not (setting("flows.run_on_schedule") if on_schedule is None else on_schedule):
        return _run_once(flow, values, wishes, {}, earlier)

    last: State | None = None
    after = clock.now()
    while events := flow.schedule.next(1, after=after, return_events=True):
        [event] = events
        get_logger(flow.name).info("Waiting for next scheduled run at %s", event.start_time.isoformat())
        # Strictly after both: neither the same time twice, nor one that has gone by.
        wait_until(event.start_time)
        chosen = {name: value for name, value in event.parameter_defaults.items() if name in values}
        if unknown := sorted(event.parameter_defaults.keys() - values.keys()):
            get_logger(flow.name).warning(
                "A clock gives parameters that the flow does not have: %s", ", ".join(unknown)
            )
        last = _run_once(flow, {**values, **chosen}, wishes, {"scheduled_start_time": event.start_time})
        after = max(clock.now(), event.instant)

    if last is None:
        raise ValueError("Flow has no more scheduled runs.")

    return last


def last_failed(flow: Runnable) -> Earlier | None:
    """
    Return the last run of *flow* without a daemon that did not succeed; None, and a line that says so, without one.

    Raises:
        ValueError: results are not stored.
    """
    if not checkpointing_wanted():
        raise ValueError(NEEDS_RESULTS)

    show_on_terminal()
    earlier = LocalAttempts.of(flow.name, flow.slugs, os.environ).last()
    if earlier is None:
        LOG.info("There is no failed run of '%s' to resume: everything runs.", flow.name)

    return earlier


def _run_once(
    flow: Runnable,
    values: Mapping[str, Any],
    wishes: Wishes,
    keys: Mapping[str, Any],
    earlier: Earlier | None = None,
) -> State:
    attempts = LocalAttempts.of(flow.name, flow.slugs, os.environ)
    run_id = str(uuid.uuid4()) if earlier is None else attempts.id_after(earlier)
    local: dict[str, Any] = {
        "flow_run_id": run_id,
        "flow_run_name": run_name(FlowRunId(run_id)),
        "checkpointing": checkpointing_wanted(),
        "scheduled_start_time": clock.now() if earlier is None else earlier.scheduled_start_time,
        **wishes.context,
        **keys,
    }
    run = partial(run_flow, flow, parameters=values, keys=local, task_states={}, wishes=wishes, ask=_ask)
    if local["checkpointing"] is not True:
        return _with_all(run(recorder=NullRecorder()), flow)

    start = local["scheduled_start_time"]
    with attempts.begun(run_id, parameters=values, scheduled_start_time=start, earlier=earlier) as files:
        state = run(recorder=NullRecorder()) if files is None else run(recorder=files[0], keeping=files[1])

    if state.is_successful():
        attempts.forget()

    return _with_all(state, flow)


def _ask(task: Task) -> bool:
    try:
        return input(f"{task} is currently Paused; enter 'y' to resume:\n").strip().lower() == "y"
    except EOFError:
        return False


def _with_all(state: State, flow: Runnable) -> State:
    """
    Return *state* with a state of every task in its result.
    """
    if state.result is None or isinstance(state.result, dict):
        known = state.result or {}
        state.result = {task: known.get(task) or Pending(message="Task not run.") for task in flow.slugs}

    return state


def parameter_values(flow: Runnable, given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the value of every parameter: given, or its default.

    Raises:
        ValueError: one is unknown, or a required one is missing; the message names all of them.
    """
    known = {parameter.name: parameter for parameter in sorted(flow.parameters(), key=lambda each: each.name)}
    if unknown := [name for name in given if name not in known]:
        raise ValueError(f"Flow.run received the following unexpected parameters: {', '.join(unknown)}")

    if missing := [name for name, parameter in known.items() if parameter.required and name not in given]:
        raise ValueError(f"Flow.run did not receive the following required parameters: {', '.join(missing)}")

    return {name: given.get(name, parameter.default) for name, parameter in known.items()}


def run_flow(
    flow: Runnable,
    *,
    parameters: Mapping[str, Any],
    keys: Mapping[str, Any],
    recorder: Recorder,
    task_states: Mapping[Task, State],
    wishes: Wishes | None = None,
    ask: Callable[[Task], bool] | None = None,
    keeping: Keeping | None = None,
) -> State:
    """
    Run *flow* once with all of *parameters*, and return its final state.

    Args:
        keys: the context's keys that the caller knows: ``flow_run_id``, ``scheduled_start_time`` ...; they win.

        ask: whether a paused task may go on; None when there is nobody to ask.

        keeping: where results are kept for a later attempt, and the one to go on from; None for neither.
    """
    said_more = wishes or Wishes()
    caches = keys.get("caches", context.get("caches"))
    if caches is None:
        caches = context["caches"] = {}

    try:
        run = prepared(
            flow, parameters=parameters, keys=keys, recorder=recorder, wishes=said_more, ask=ask, keeping=keeping
        )
    except OrchdError as exc:
        LOG.error("%s", exc)
        return Failed(message=str(exc), result=exc)
    except ValueError as exc:
        get_logger("FlowRunner").error("Unexpected error occured in FlowRunner: %s", said(exc))
        return Failed(message=f"Unexpected error: {said(exc)}", result=exc)

    with run.entered():
        state = run.runner.run({**run.states, **task_states, **said_more.task_states})

    if isinstance(state.result, dict):
        for node in run.runner.graph.nodes:
            may_be_kept = node.task.checkpoint is not False or not isinstance(caches, KeptCaches)
            if node.task.cache_for and may_be_kept and (ended := state.result.get(node.task)) is not None:
                keep(caches, cache_name(node.task, flow_name=flow.name, slug=node.slug), ended)

    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """
    A flow run that is ready to begin.
    """

    runner: FlowRunner[Task]
    states: Mapping[Task, State]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """
        Hold the context's keys of the flow run.
        """
        before = context.swap(dict(self.runner.scope.values))
        try:
            yield
        finally:
            context.swap(before)


def prepared(
    flow: Runnable,
    *,
    parameters: Mapping[str, Any],
    keys: Mapping[str, Any],
    recorder: Recorder | None = None,
    wishes: Wishes | None = None,
    ask: Callable[[Task], bool] | None = None,
    keeping: Keeping | None = None,
) -> Prepared:
    """
    Put together what a run of *flow* needs.

    Raises:
        ValueError: its tasks wait for each other in a circle.

        OrchdError: the task from which a resumed run is to begin is not to be found.
    """
    graph = flow.graph()
    said_more = wishes or Wishes()
    kept, reuse = (None, None) if keeping is None else keeping.begin(graph, parameters)
    scope = Scope(
        values=_context_values(flow, parameters, keys),
        result=flow.result,
        recorder=recorder or NullRecorder(),
        handlers=said_more.task_runner_state_handlers,
        task_contexts=said_more.task_contexts,
        kept=kept,
        reuse=reuse,
    )
    runner = FlowRunner(
        graph=graph,
        scope=scope,
        executor=said_more.executor or flow.executor or default_executor(),
        flow=flow,
        handlers=tuple(flow.state_handlers),
        terminal_handler=flow.terminal_state_handler,
        ask=ask,
    )
    states: dict[Task, State] = {
        node.task: Success(result=Result(value=node.task.value), context=reuse.context_of(node.slug) if reuse else None)
        for node in graph.nodes
        if isinstance(node.task, Constant)
    }
    return Prepared(runner=runner, states=states)


def _context_values(flow: Runnable, parameters: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    now = clock.now()
    values = {
        **context_keys(),
        **context.snapshot(),
        "flow_name": flow.name,
        "flow_id": flow.name,
        "parameters": dict(parameters),
        "scheduled_start_time": now,
        "config": config,
        "logger": LOG,
        **keys,
    }
    values.update(date_values(keys.get("date"), now=now))
    values["scheduled_start_time"] = as_moment(values["scheduled_start_time"])
    return values
