"""
Flows as JSON says them, and as files.
"""

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import cloudpickle

from orchd.flow.changes import Changes
from orchd.flow.parameter import Parameter
from orchd.flow.task import Task


def serialized(flow: Changes) -> dict[str, Any]:
    """
    Return *flow* without its code and the values in it.

    Raises:
        ValueError: tasks wait for each other in a circle.
    """
    flow.validate()
    return {
        "name": flow.name,
        "type": _path_of(type(flow)),
        "tasks": [_task(task, slug) for task, slug in flow.slugs.items()],
        "edges": [
            {
                "upstream_task": {"slug": flow.slugs[edge.upstream_task]},
                "downstream_task": {"slug": flow.slugs[edge.downstream_task]},
                "key": edge.key,
                "mapped": edge.mapped,
                "flattened": edge.flattened,
            }
            for edge in flow.graph_edges()
        ],
        "parameters": [_parameter(task) for task in flow.slugs if isinstance(task, Parameter)],
        "reference_tasks": sorted(flow.slugs[task] for task in flow.chosen_references()),
    }


def fingerprint(flow: Changes) -> str:
    """
    Return a text of 64 characters that is the same in every process, as long as the shape of *flow* is.
    """
    return hashlib.sha256(json.dumps(serialized(flow), sort_keys=True, default=repr).encode()).hexdigest()


def save(flow: Changes, path: str | Path | None) -> str:
    """
    Write *flow* with its code to *path*, and return that path; None is ``~/.orchd/flows/NAME.flow``.
    """
    target = Path(path) if path is not None else default_path(flow.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(cloudpickle.dumps(flow))
    return str(target)


def default_path(name: str) -> Path:
    """
    Return where the flow of that name is saved when nothing else is said.
    """
    return Path.home() / ".orchd" / "flows" / f"{re.sub('[^0-9a-z]+', '-', name.lower()).strip('-')}.flow"


def _task(task: Task, slug: str) -> dict[str, Any]:
    return {
        "name": task.name,
        "slug": slug,
        "type": _path_of(type(task)),
        "inputs": {
            name: {**said, "type": str(said["type"]), "default": repr(said["default"])}
            for name, said in task.inputs().items()
        },
        "outputs": str(task.outputs()),
        "tags": sorted(task.tags),
        "trigger": {"fn": _path_of(task.trigger), "kwargs": {}},
        "max_retries": task.max_retries,
        "retry_delay": _seconds(task.retry_delay),
        "timeout": task.timeout,
        "cache_for": _seconds(task.cache_for),
        "cache_key": task.cache_key,
        "cache_validator": {"fn": _path_of(task.cache_validator), "kwargs": {}},
        "skip_on_upstream_skip": task.skip_on_upstream_skip,
        "auto_generated": task.auto_generated,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "slug": parameter.name,
        "type": _path_of(type(parameter)),
        "default": parameter.default,
        "required": parameter.required,
        "outputs": str(parameter.outputs()),
        "tags": sorted(parameter.tags),
    }


def _path_of(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"


def _seconds(given: timedelta | None) -> float | None:
    return None if given is None else given.total_seconds()
