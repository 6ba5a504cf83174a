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
    from orchd.engine.executors.cluster import DaskExecutor as DaskExecutor
    from orchd.engine.executors.local import LocalExecutor as LocalExecutor
    from orchd.engine.executors.threads import LocalDaskExecutor as LocalDaskExecutor
    from orchd.engine.handlers import callback_factory as callback_factory
    from orchd.engine.logs import get_logger as get_logger
    from orchd.engine.settings import set_temporary_config as set_temporary_config
    from orchd.engine.signals import ENDRUN as ENDRUN
    from orchd.engine.signals import FAIL as FAIL
    from orchd.engine.signals import LOOP as LOOP
    from orchd.engine.signals import PAUSE as PAUSE
    from orchd.engine.signals import RETRY as RETRY
    from orchd.engine.signals import SKIP as SKIP
    from orchd.engine.signals import SUCCESS as SUCCESS
    from orchd.engine.signals import TRIGGERFAIL as TRIGGERFAIL
    from orchd.engine.signals import VALIDATIONFAIL as VALIDATIONFAIL
    from orchd.engine.state import Cached as Cached
    from orchd.engine.state import Cancelled as Cancelled
    from orchd.engine.state import Cancelling as Cancelling
    from orchd.engine.state import Failed as Failed
    from orchd.engine.state import Finished as Finished
    from orchd.engine.state import Looped as Looped
    from orchd.engine.state import Mapped as Mapped
    from orchd.engine.state import Paused as Paused
    from orchd.engine.state import Pending as Pending
    from orchd.engine.state import Queued as Queued
    from orchd.engine.state import Resume as Resume
    from orchd.engine.state import Retrying as Retrying
    from orchd.engine.state import Running as Running
    from orchd.engine.state import Scheduled as Scheduled
    from orchd.engine.state import Skipped as Skipped
    from orchd.engine.state import State as State
    from orchd.engine.state import Submitted as Submitted
    from orchd.engine.state import Success as Success
    from orchd.engine.state import TimedOut as TimedOut
    from orchd.engine.state import TriggerFailed as TriggerFailed
    from orchd.engine.state import ValidationFailed as ValidationFailed
    from orchd.engine.triggers import all_failed as all_failed
    from orchd.engine.triggers import all_finished as all_finished
    from orchd.engine.triggers import all_successful as all_successful
    from orchd.engine.triggers import always_run as always_run
    from orchd.engine.triggers import any_failed as any_failed
    from orchd.engine.triggers import any_successful as any_successful
    from orchd.engine.triggers import manual_only as manual_only
    from orchd.engine.triggers import not_all_skipped as not_all_skipped
    from orchd.engine.triggers import some_failed as some_failed
    from orchd.engine.triggers import some_successful as some_successful
    from orchd.flow.annotations import flatten as flatten
    from orchd.flow.annotations import mapped as mapped
    from orchd.flow.annotations import unmapped as unmapped
    from orchd.flow.apply_map import apply_map as apply_map
    from orchd.flow.classic_schedules import CronSchedule as CronSchedule
    from orchd.flow.classic_schedules import IntervalSchedule as IntervalSchedule
    from orchd.flow.classic_schedules import RRuleSchedule as RRuleSchedule
    from orchd.flow.classic_schedules import Schedule as Schedule
    from orchd.flow.classic_schedules import adjustments as adjustments
    from orchd.flow.classic_schedules import clocks as clocks
    from orchd.flow.classic_schedules import filters as filters
    from orchd.flow.classic_schedules.clocks import CronClock as CronClock
    from orchd.flow.classic_schedules.clocks import DatesClock as DatesClock
    from orchd.flow.classic_schedules.clocks import IntervalClock as IntervalClock
    from orchd.flow.classic_schedules.clocks import RRuleClock as RRuleClock
    from orchd.flow.collections import as_task as as_task
    from orchd.flow.control_flow import FilterTask as FilterTask
    from orchd.flow.control_flow import case as case
    from orchd.flow.control_flow import ifelse as ifelse
    from orchd.flow.control_flow import merge as merge
    from orchd.flow.control_flow import switch as switch
    from orchd.flow.debug import raise_on_exception as raise_on_exception
    from orchd.flow.decorator import task as task
    from orchd.flow.flow import Flow as Flow
    from orchd.flow.helpers import defaults_from_attrs as defaults_from_attrs
    from orchd.flow.helpers import pause_task as pause_task
    from orchd.flow.helpers import tags as tags
    from orchd.flow.parameter import DateTimeParameter as DateTimeParameter
    from orchd.flow.parameter import Parameter as Parameter
    from orchd.flow.resource_manager import resource_manager as resource_manager
    from orchd.flow.runners import FlowRunner as FlowRunner
    from orchd.flow.runners import TaskRunner as TaskRunner
    from orchd.flow.task import Task as Task
    from orchd.graph.edges import Edge as Edge
    from orchd.results.formats import CompressedSerializer as CompressedSerializer
    from orchd.results.formats import DateTimeSerializer as DateTimeSerializer
    from orchd.results.formats import JSONSerializer as JSONSerializer
    from orchd.results.formats import PandasSerializer as PandasSerializer
    from orchd.results.formats import PickleSerializer as PickleSerializer
    from orchd.results.gcs import GCSResult as GCSResult
    from orchd.results.local import LocalResult as LocalResult
    from orchd.results.result import Result as Result
    from orchd.results.s3 import S3Result as S3Result
    from orchd.tasks.flow_runs import StartFlowRun as StartFlowRun
    from orchd.tasks.flow_runs import create_flow_run as create_flow_run
    from orchd.tasks.flow_runs import get_task_run_result as get_task_run_result
    from orchd.tasks.flow_runs import wait_for_flow_run as wait_for_flow_run
    from orchd.tasks.mail import EmailTask as EmailTask
    from orchd.tasks.notifications import SlackTask as SlackTask
    from orchd.tasks.notifications import gmail_notifier as gmail_notifier
    from orchd.tasks.notifications import slack_notifier as slack_notifier
    from orchd.tasks.secrets import EnvVarSecret as EnvVarSecret
    from orchd.tasks.secrets import Secret as Secret
    from orchd.tasks.secrets import SecretTask as SecretTask
    from orchd.tasks.shell import ShellTask as ShellTask

#: Public name -> the module that defines it.
_HOMES = {
    "Cached": "orchd.engine.state",
    "Cancelled": "orchd.engine.state",
    "Cancelling": "orchd.engine.state",
    "CompressedSerializer": "orchd.results.formats",
    "CronClock": "orchd.flow.classic_schedules.clocks",
    "CronSchedule": "orchd.flow.classic_schedules",
    "DaskExecutor": "orchd.engine.executors.cluster",
    "DateTimeParameter": "orchd.flow.parameter",
    "DateTimeSerializer": "orchd.results.formats",
    "DatesClock": "orchd.flow.classic_schedules.clocks",
    "ENDRUN": "orchd.engine.signals",
    "Edge": "orchd.graph.edges",
    "EmailTask": "orchd.tasks.mail",
    "EnvVarSecret": "orchd.tasks.secrets",
    "FAIL": "orchd.engine.signals",
    "Failed": "orchd.engine.state",
    "FilterTask": "orchd.flow.control_flow",
    "Finished": "orchd.engine.state",
    "Flow": "orchd.flow.flow",
    "FlowRunner": "orchd.flow.runners",
    "GCSResult": "orchd.results.gcs",
    "IntervalClock": "orchd.flow.classic_schedules.clocks",
    "IntervalSchedule": "orchd.flow.classic_schedules",
    "JSONSerializer": "orchd.results.formats",
    "LOOP": "orchd.engine.signals",
    "LocalDaskExecutor": "orchd.engine.executors.threads",
    "LocalExecutor": "orchd.engine.executors.local",
    "LocalResult": "orchd.results.local",
    "Looped": "orchd.engine.state",
    "Mapped": "orchd.engine.state",
    "PAUSE": "orchd.engine.signals",
    "PandasSerializer": "orchd.results.formats",
    "Parameter": "orchd.flow.parameter",
    "Paused": "orchd.engine.state",
    "Pending": "orchd.engine.state",
    "PickleSerializer": "orchd.results.formats",
    "Queued": "orchd.engine.state",
    "RETRY": "orchd.engine.signals",
    "RRuleClock": "orchd.flow.classic_schedules.clocks",
    "RRuleSchedule": "orchd.flow.classic_schedules",
    "Result": "orchd.results.result",
    "Resume": "orchd.engine.state",
    "Retrying": "orchd.engine.state",
    "Running": "orchd.engine.state",
    "S3Result": "orchd.results.s3",
    "SKIP": "orchd.engine.signals",
    "SUCCESS": "orchd.engine.signals",
    "Schedule": "orchd.flow.classic_schedules",
    "Scheduled": "orchd.engine.state",
    "Secret": "orchd.tasks.secrets",
    "SecretTask": "orchd.tasks.secrets",
    "ShellTask": "orchd.tasks.shell",
    "Skipped": "orchd.engine.state",
    "SlackTask": "orchd.tasks.notifications",
    "StartFlowRun": "orchd.tasks.flow_runs",
    "State": "orchd.engine.state",
    "Submitted": "orchd.engine.state",
    "Success": "orchd.engine.state",
    "TRIGGERFAIL": "orchd.engine.signals",
    "Task": "orchd.flow.task",
    "TaskRunner": "orchd.flow.runners",
    "TimedOut": "orchd.engine.state",
    "TriggerFailed": "orchd.engine.state",
    "VALIDATIONFAIL": "orchd.engine.signals",
    "ValidationFailed": "orchd.engine.state",
    "all_failed": "orchd.engine.triggers",
    "all_finished": "orchd.engine.triggers",
    "all_successful": "orchd.engine.triggers",
    "always_run": "orchd.engine.triggers",
    "any_failed": "orchd.engine.triggers",
    "any_successful": "orchd.engine.triggers",
    "apply_map": "orchd.flow.apply_map",
    "as_task": "orchd.flow.collections",
    "callback_factory": "orchd.engine.handlers",
    "case": "orchd.flow.control_flow",
    "context": "orchd.engine.context",
    "create_flow_run": "orchd.tasks.flow_runs",
    "defaults_from_attrs": "orchd.flow.helpers",
    "flatten": "orchd.flow.annotations",
    "get_logger": "orchd.engine.logs",
    "get_task_run_result": "orchd.tasks.flow_runs",
    "gmail_notifier": "orchd.tasks.notifications",
    "ifelse": "orchd.flow.control_flow",
    "manual_only": "orchd.engine.triggers",
    "mapped": "orchd.flow.annotations",
    "merge": "orchd.flow.control_flow",
    "not_all_skipped": "orchd.engine.triggers",
    "pause_task": "orchd.flow.helpers",
    "raise_on_exception": "orchd.flow.debug",
    "resource_manager": "orchd.flow.resource_manager",
    "set_temporary_config": "orchd.engine.settings",
    "slack_notifier": "orchd.tasks.notifications",
    "some_failed": "orchd.engine.triggers",
    "some_successful": "orchd.engine.triggers",
    "switch": "orchd.flow.control_flow",
    "tags": "orchd.flow.helpers",
    "task": "orchd.flow.decorator",
    "unmapped": "orchd.flow.annotations",
    "wait_for_flow_run": "orchd.tasks.flow_runs",
}
#: Public modules -> where they are.
_MODULES = {
    "adjustments": "orchd.flow.classic_schedules.adjustments",
    "clocks": "orchd.flow.classic_schedules.clocks",
    "filters": "orchd.flow.classic_schedules.filters",
    "cache_validators": "orchd.engine.cache_validators",
    "signals": "orchd.engine.signals",
    "state": "orchd.engine.state",
    "triggers": "orchd.engine.triggers",
}

__all__ = [
    "ENDRUN",
    "FAIL",
    "LOOP",
    "PAUSE",
    "RETRY",
    "SKIP",
    "SUCCESS",
    "TRIGGERFAIL",
    "VALIDATIONFAIL",
    "Cached",
    "Cancelled",
    "Cancelling",
    "CompressedSerializer",
    "CronClock",
    "CronSchedule",
    "DaskExecutor",
    "DateTimeParameter",
    "DateTimeSerializer",
    "DatesClock",
    "Edge",
    "EmailTask",
    "EnvVarSecret",
    "Failed",
    "FilterTask",
    "Finished",
    "Flow",
    "FlowRunner",
    "GCSResult",
    "IntervalClock",
    "IntervalSchedule",
    "JSONSerializer",
    "LocalDaskExecutor",
    "LocalExecutor",
    "LocalResult",
    "Looped",
    "Mapped",
    "PandasSerializer",
    "Parameter",
    "Paused",
    "Pending",
    "PickleSerializer",
    "Queued",
    "RRuleClock",
    "RRuleSchedule",
    "Result",
    "Resume",
    "Retrying",
    "Running",
    "S3Result",
    "Schedule",
    "Scheduled",
    "Secret",
    "SecretTask",
    "ShellTask",
    "Skipped",
    "SlackTask",
    "StartFlowRun",
    "State",
    "Submitted",
    "Success",
    "Task",
    "TaskRunner",
    "TimedOut",
    "TriggerFailed",
    "ValidationFailed",
    "adjustments",
    "all_failed",
    "all_finished",
    "all_successful",
    "always_run",
    "any_failed",
    "any_successful",
    "apply_map",
    "as_task",
    "cache_validators",
    "callback_factory",
    "case",
    "clocks",
    "context",
    "create_flow_run",
    "defaults_from_attrs",
    "filters",
    "flatten",
    "get_logger",
    "get_task_run_result",
    "gmail_notifier",
    "ifelse",
    "manual_only",
    "mapped",
    "merge",
    "not_all_skipped",
    "pause_task",
    "raise_on_exception",
    "resource_manager",
    "set_temporary_config",
    "signals",
    "slack_notifier",
    "some_failed",
    "some_successful",
    "state",
    "switch",
    "tags",
    "task",
    "triggers",
    "unmapped",
    "wait_for_flow_run",
]


def __getattr__(name: str) -> object:
    if (module := _MODULES.get(name)) is not None:
        value: object = importlib.import_module(module)
    elif (home := _HOMES.get(name)) is not None:
        value = getattr(importlib.import_module(home), name)
    elif name == "__version__":
        value = importlib.import_module("importlib.metadata").version("orchd")
    else:
        raise AttributeError(f"module 'orchd' has no attribute '{name}'")

    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES})
