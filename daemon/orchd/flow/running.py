"""
Runs a flow: from its parameters and the keys of its context to the engine.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from orchd import clock
from orchd.engine.calls import said
from orchd.engine.context import as_moment, context, date_values
from orchd.engine.flow_runner import LOG, FlowRunner
from orchd.engine.logs import get_logger, show_on_terminal
from orchd.engine.recorder import NullRecorder, Recorder
from orchd.engine.settings import checkpointing_wanted
from orchd.engine.state import Failed, State, Success
from orchd.engine.work import Scope
from orchd.flow.collections import Constant
from orchd.flow.parameter import Parameter
from orchd.flow.task import Task
from orchd.graph.graph import Graph
from orchd.model.ids import FlowRunId, run_name
from orchd.results.result import Result


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

    def parameters(self) -> set[Parameter]:
        """
        Its parameters.
        """

    def graph(self) -> Graph[Task]:
        """
        Its tasks in order.
        """


def run_here(
    flow: Runnable,
    *,
    given: Mapping[str, Any],
    keywords: Mapping[str, Any],
    task_states: Mapping[Task, State],
    further: Mapping[str, Any],
) -> State:
    """
    Run *flow* for ``flow.run()``: log lines go to the terminal, results are stored if the environment says so.

    Args:
        keywords: values of parameters that were given as keywords; they win over *given*.

    Raises:
        TypeError: a keyword is no parameter.

        ValueError: a parameter is unknown, or a required one is missing.
    """
    names = {parameter.name for parameter in flow.parameters()}
    for keyword in keywords:
        if keyword not in names:
            raise TypeError(f"run() got an unexpected keyword argument '{keyword}'")

    values = parameter_values(flow, {**given, **keywords})
    show_on_terminal()
    run_id = str(uuid.uuid4())
    local = {
        "flow_run_id": run_id,
        "flow_run_name": run_name(FlowRunId(run_id)),
        "checkpointing": checkpointing_wanted(),
        **further,
    }
    return run_flow(flow, parameters=values, keys=local, recorder=NullRecorder(), task_states=task_states)


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
) -> State:
    """
    Run *flow* once with all of *parameters*, and return its final state.

    Args:
        keys: the context's keys that the caller knows: ``flow_run_id``, ``scheduled_start_time`` ...; they win.
    """
    try:
        graph = flow.graph()
    except ValueError as exc:
        get_logger("FlowRunner").error("Unexpected error occured in FlowRunner: %s", said(exc))
        return Failed(message=f"Unexpected error: {said(exc)}", result=exc)

    now = clock.now()
    values = {
        **context.snapshot(),
        "flow_name": flow.name,
        "flow_id": flow.name,
        "parameters": dict(parameters),
        "upstream_runs": {},
        "scheduled_start_time": now,
        "logger": LOG,
        **keys,
    }
    values.update(date_values(keys.get("date"), now=now))
    values["scheduled_start_time"] = as_moment(values["scheduled_start_time"])
    states: dict[Task, State] = {
        node.task: Success(result=node.task.value) for node in graph.nodes if isinstance(node.task, Constant)
    }
    scope = Scope(values=values, result=flow.result, recorder=recorder)
    before = context.swap(values)
    try:
        return FlowRunner(graph=graph, scope=scope).run(states | dict(task_states))
    finally:
        context.swap(before)
