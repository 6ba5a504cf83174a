"""
orchd: flows written the classic way, started on time by one daemon.

The names below are loaded when they are first used, so that ``import orchd`` alone costs nothing.
"""

from __future__ import annotations

import importlib

# `typing` costs every command 3 ms, so nothing on the path of `orchd status` imports it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchd.engine.context import context as context
    from orchd.engine.logs import get_logger as get_logger
    from orchd.flow.decorator import task as task
    from orchd.flow.flow import Flow as Flow
    from orchd.flow.parameter import Parameter as Parameter
    from orchd.flow.task import Task as Task
    from orchd.results.local import LocalResult as LocalResult

#: Public name -> the module that defines it.
_HOMES = {
    "Flow": "orchd.flow.flow",
    "LocalResult": "orchd.results.local",
    "Parameter": "orchd.flow.parameter",
    "Task": "orchd.flow.task",
    "context": "orchd.engine.context",
    "get_logger": "orchd.engine.logs",
    "task": "orchd.flow.decorator",
}

__all__ = ["Flow", "LocalResult", "Parameter", "Task", "context", "get_logger", "task"]


def __getattr__(name: str) -> object:
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module 'orchd' has no attribute '{name}'")

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
