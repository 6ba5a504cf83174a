"""
orchd: flows written the classic way, started on time by one daemon.

The names below are loaded when they are first used, so that ``import orchd`` alone costs nothing.
"""

from __future__ import annotations

import importlib

# `typing` costs every command 3 ms, so nothing on the path of `orchd status` imports it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchd.engine import cache_validators as cache_validators
    from orchd.engine import signals as signals
    from orchd.engine import state as state
    from orchd.engine import triggers as triggers
    from orchd.engine.context import context as context
    from orchd.engine.handlers import callback_factory as callback_factory
    from orchd.engine.logs import get_logger as get_logger
    from orchd.flow.annotations import flatten as flatten
    from orchd.flow.annotations import mapped as mapped
    from orchd.flow.annotations import unmapped as unmapped
    from orchd.flow.apply_map import apply_map as apply_map
    from orchd.flow.control_flow import FilterTask as FilterTask
    from orchd.flow.control_flow import case as case
    from orchd.flow.control_flow import ifelse as ifelse
    from orchd.flow.control_flow import merge as merge
    from orchd.flow.control_flow import switch as switch
    from orchd.flow.decorator import task as task
    from orchd.flow.flow import Flow as Flow
    from orchd.flow.helpers import defaults_from_attrs as defaults_from_attrs
    from orchd.flow.helpers import tags as tags
    from orchd.flow.parameter import DateTimeParameter as DateTimeParameter
    from orchd.flow.parameter import Parameter as Parameter
    from orchd.flow.resource_manager import resource_manager as resource_manager
    from orchd.flow.task import Task as Task
    from orchd.graph.edges import Edge as Edge
    from orchd.results.local import LocalResult as LocalResult

#: Public name -> the module that defines it.
_HOMES = {
    "DateTimeParameter": "orchd.flow.parameter",
    "Edge": "orchd.graph.edges",
    "FilterTask": "orchd.flow.control_flow",
    "Flow": "orchd.flow.flow",
    "LocalResult": "orchd.results.local",
    "Parameter": "orchd.flow.parameter",
    "Task": "orchd.flow.task",
    "apply_map": "orchd.flow.apply_map",
    "callback_factory": "orchd.engine.handlers",
    "case": "orchd.flow.control_flow",
    "context": "orchd.engine.context",
    "defaults_from_attrs": "orchd.flow.helpers",
    "flatten": "orchd.flow.annotations",
    "get_logger": "orchd.engine.logs",
    "ifelse": "orchd.flow.control_flow",
    "mapped": "orchd.flow.annotations",
    "merge": "orchd.flow.control_flow",
    "resource_manager": "orchd.flow.resource_manager",
    "switch": "orchd.flow.control_flow",
    "tags": "orchd.flow.helpers",
    "task": "orchd.flow.decorator",
    "unmapped": "orchd.flow.annotations",
}
#: Public modules -> where they are.
_MODULES = {
    "cache_validators": "orchd.engine.cache_validators",
    "signals": "orchd.engine.signals",
    "state": "orchd.engine.state",
    "triggers": "orchd.engine.triggers",
}

__all__ = [
    "DateTimeParameter",
    "Edge",
    "FilterTask",
    "Flow",
    "LocalResult",
    "Parameter",
    "Task",
    "apply_map",
    "cache_validators",
    "callback_factory",
    "case",
    "context",
    "defaults_from_attrs",
    "flatten",
    "get_logger",
    "ifelse",
    "mapped",
    "merge",
    "resource_manager",
    "signals",
    "state",
    "switch",
    "tags",
    "task",
    "triggers",
    "unmapped",
]


def __getattr__(name: str) -> object:
    if (module := _MODULES.get(name)) is not None:
        value: object = importlib.import_module(module)
    elif (home := _HOMES.get(name)) is not None:
        value = getattr(importlib.import_module(home), name)
    else:
        raise AttributeError(f"module 'orchd' has no attribute '{name}'")

    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES})
