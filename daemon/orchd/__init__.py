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
    from orchd.engine.executors.threads import DaskExecutor as DaskExecutor
    from orchd.engine.executors.threads import LocalDaskExecutor as LocalDaskExecutor
    from orchd.engine.executors.threads import LocalExecutor as LocalExecutor
    from orchd.engine.handlers import callback_factory as callback_factory
    from orchd.engine.logs import get_logger as get_logger
    from orchd.flow.annotations import flatten as flatten
    from orchd.flow.annotations import mapped as mapped
    from orchd.flow.annotations import unmapped as unmapped
    from orchd.flow.apply_map import apply_map as apply_map
    from orchd.flow.classic_schedules import CronSchedule as CronSchedule
    from orchd.flow.classic_schedules import IntervalSchedule as IntervalSchedule
    from orchd.flow.classic_schedules import Schedule as Schedule
    from orchd.flow.classic_schedules.clocks import CronClock as CronClock
    from orchd.flow.classic_schedules.clocks import IntervalClock as IntervalClock
    from orchd.flow.control_flow import FilterTask as FilterTask
    from orchd.flow.control_flow import case as case
    from orchd.flow.control_flow import ifelse as ifelse
    from orchd.flow.control_flow import merge as merge
    from orchd.flow.control_flow import switch as switch
    from orchd.flow.decorator import task as task
    from orchd.flow.flow import Flow as Flow
    from orchd.flow.helpers import defaults_from_attrs as defaults_from_attrs
    from orchd.flow.helpers import pause_task as pause_task
    from orchd.flow.helpers import tags as tags
    from orchd.flow.parameter import DateTimeParameter as DateTimeParameter
    from orchd.flow.parameter import Parameter as Parameter
    from orchd.flow.resource_manager import resource_manager as resource_manager
    from orchd.flow.task import Task as Task
    from orchd.graph.edges import Edge as Edge
    from orchd.results.formats import JSONSerializer as JSONSerializer
    from orchd.results.formats import PandasSerializer as PandasSerializer
    from orchd.results.formats import PickleSerializer as PickleSerializer
    from orchd.results.local import LocalResult as LocalResult
    from orchd.tasks.secrets import EnvVarSecret as EnvVarSecret
    from orchd.tasks.secrets import Secret as Secret
    from orchd.tasks.shell import ShellTask as ShellTask

#: Public name -> the module that defines it.
_HOMES = {
    "CronClock": "orchd.flow.classic_schedules.clocks",
    "CronSchedule": "orchd.flow.classic_schedules",
    "DaskExecutor": "orchd.engine.executors.threads",
    "DateTimeParameter": "orchd.flow.parameter",
    "Edge": "orchd.graph.edges",
    "EnvVarSecret": "orchd.tasks.secrets",
    "FilterTask": "orchd.flow.control_flow",
    "Flow": "orchd.flow.flow",
    "IntervalClock": "orchd.flow.classic_schedules.clocks",
    "IntervalSchedule": "orchd.flow.classic_schedules",
    "JSONSerializer": "orchd.results.formats",
    "LocalDaskExecutor": "orchd.engine.executors.threads",
    "LocalExecutor": "orchd.engine.executors.threads",
    "LocalResult": "orchd.results.local",
    "PandasSerializer": "orchd.results.formats",
    "Parameter": "orchd.flow.parameter",
    "PickleSerializer": "orchd.results.formats",
    "Schedule": "orchd.flow.classic_schedules",
    "Secret": "orchd.tasks.secrets",
    "ShellTask": "orchd.tasks.shell",
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
    "pause_task": "orchd.flow.helpers",
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
    "CronClock",
    "CronSchedule",
    "DaskExecutor",
    "DateTimeParameter",
    "Edge",
    "EnvVarSecret",
    "FilterTask",
    "Flow",
    "IntervalClock",
    "IntervalSchedule",
    "JSONSerializer",
    "LocalDaskExecutor",
    "LocalExecutor",
    "LocalResult",
    "PandasSerializer",
    "Parameter",
    "PickleSerializer",
    "Schedule",
    "Secret",
    "ShellTask",
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
    "pause_task",
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
