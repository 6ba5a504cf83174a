"""
Turns a flow file into the description that the daemon holds, without ever raising for the person's mistakes.
"""

import hashlib
import os
import warnings
from datetime import datetime
from pathlib import Path

from orchd import clock
from orchd.engine.faults import said
from orchd.errors import OrchdError
from orchd.flow.asked import Unasked
from orchd.flow.collections import Dict, List
from orchd.flow.flow import Flow
from orchd.flow.jsonable import is_json
from orchd.flow.loader import NoFlow, flows_of, read_source
from orchd.flow.notes import labels_of, notes_of
from orchd.flow.parameter import Parameter
from orchd.flow.scheduled import Untold, ignored_parameters, schedule_specs
from orchd.flow.task import Task
from orchd.graph.graph import Node, find_circle
from orchd.model.instants import iso
from orchd.model.specs import Description, EdgeSpec, FlowSpec, ParameterSpec, ScheduleSpec, TaskSpec

#: Longest text of a default that JSON cannot say.
MAX_DEFAULT_TEXT = 200


def describe_file(file: Path) -> Description:
    """
    Load *file* and say what is in it, or in one sentence why that cannot be said.
    """
    path = Path(os.path.abspath(file))
    source_hash = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            source = read_source(path)
            source_hash = hashlib.sha256(source).hexdigest()
            flows = tuple(
                _flow_spec(flow, file=path, source_hash=source_hash) for flow in flows_of(path, source).values()
            )
        except OrchdError as exc:
            return Description(
                file=str(path),
                source_hash=source_hash,
                error=str(exc),
                warnings=_words(caught),
                has_no_flow=isinstance(exc, NoFlow),
            )

    return Description(file=str(path), source_hash=source_hash, flows=flows, warnings=_words(caught))


def _words(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    said_once = dict.fromkeys(
        f"{each.filename}, line {each.lineno}: {each.message}"
        for each in caught
        if issubclass(each.category, UserWarning)
    )
    return tuple(said_once)


def _flow_spec(flow: Flow, *, file: Path, source_hash: str) -> FlowSpec:
    try:
        graph = flow.graph()
    except ValueError as exc:
        circle = " -> ".join(flow.slugs[task] for task in find_circle(flow.slugs, flow.edges))
        line = flow.defined_at[1]
        raise OrchdError(f"{file}, line {line}: tasks of flow '{flow.name}' wait for each other: {circle}") from exc

    schedules, unasked = _schedules(flow, file)
    if any(_starts_itself(flow, task) for task in flow.slugs):
        _warn(flow, file, "it starts itself, and nothing in it ends that: put the task that does so under a case")

    return FlowSpec(
        name=flow.name,
        file=str(file),
        source_hash=source_hash,
        parameters=tuple(_parameter_spec(node.task) for node in graph.nodes if isinstance(node.task, Parameter)),
        tasks=tuple(_task_spec(node) for node in graph.nodes),
        edges=tuple(
            EdgeSpec(upstream=flow.slugs[edge.upstream_task], downstream=node.slug, key=edge.key, mapped=edge.mapped)
            for node in graph.nodes
            for edge in node.upstream
        ),
        schedules=schedules,
        unasked=unasked,
        labels=labels_of(flow),
        notes=notes_of(flow),
        starts=started(flow),
    )


def started(flow: Flow) -> tuple[str, ...]:
    """
    Return the flows of which tasks of *flow* start runs, where their names are constants.
    """
    names = (_started_by(flow, task) for task in flow.slugs)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _started_by(flow: Flow, task: Task) -> str | None:
    name = flow.constants.get(task, {}).get("flow_name", getattr(task, "flow_name", None))
    return name if getattr(task, "starts_runs", False) and isinstance(name, str) else None


def _starts_itself(flow: Flow, task: Task) -> bool:
    """
    True when *task* always starts *flow* again: no task is before it that may fail, be skipped or decide.
    """
    if _started_by(flow, task) != flow.name:
        return False

    before = list(flow.upstream_tasks(task))
    for each in before:
        if isinstance(each, List | Dict):
            before += flow.upstream_tasks(each)
        elif not isinstance(each, Parameter):
            return False

    return True


def _schedules(flow: Flow, file: Path) -> tuple[tuple[ScheduleSpec, ...], str | None]:
    """
    Return what the daemon takes up of the flow's schedule, warning of what it does not, and why it gave no answer.
    """
    for name in ignored_parameters(flow):
        _warn(flow, file, f"a clock gives the parameter '{name}', which the flow does not have: it is ignored")
    try:
        specs = schedule_specs(flow, now=clock.now())
    except Untold as exc:
        _warn(flow, file, f"its schedule is not taken up by a daemon: {exc}; write a [schedules.NAME] for it")
        return (), None
    except Unasked as exc:
        _warn(flow, file, f"a daemon can take up its schedule only as far as it was known before: {exc}")
        return (), str(exc)

    for spec in specs:
        if spec.known_until is not None and not spec.dates:
            until = datetime.fromisoformat(spec.known_until)
            _warn(flow, file, f"the code of its schedule gives no fire time until {iso(until)}")
    return specs, None


def _warn(flow: Flow, file: Path, text: str) -> None:
    warnings.warn_explicit(f"flow '{flow.name}': {text}", UserWarning, str(file), flow.defined_at[1])


def _task_spec(node: Node[Task]) -> TaskSpec:
    task, delay = node.task, node.task.retry_delay
    return TaskSpec(
        slug=node.slug,
        name=task.name,
        mapped=node.is_mapped,
        max_retries=task.max_retries,
        retry_delay_s=None if delay is None else delay.total_seconds(),
        timeout_s=float(task.timeout) if task.timeout else None,
    )


def _parameter_spec(parameter: Parameter) -> ParameterSpec:
    if is_json(parameter.default):
        return ParameterSpec(name=parameter.name, required=parameter.required, default=parameter.default)

    try:
        text = repr(parameter.default)
    except Exception as exc:
        text = f"{type(parameter.default).__name__}: {said(exc)}"

    return ParameterSpec(name=parameter.name, required=parameter.required, default_text=text[:MAX_DEFAULT_TEXT])
