"""
The one table of old names that mean ours. Those that mean nothing here are in :mod:`orchd.compat.absent`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_CONTROL: Final = ("orchd.flow.control_flow",)
_ELSEWHERE: Final = ("orchd.flow.elsewhere",)
_EXECUTORS: Final = ("orchd", "orchd.engine.executors.executor")
_FLOW_RUNS: Final = ("orchd.tasks.flow_runs", "orchd.tasks.flow_run_acts")
_KEYS: Final = "orchd.tasks.key_values"
_NOTIFIERS: Final = ("orchd.tasks.notifications",)
_RESULT: Final = ("orchd.results.result",)
_RESULTS: Final = ("orchd.results.inline", "orchd.results.local", "orchd.results.s3", "orchd.results.gcs")
_SECRETS: Final = ("orchd.tasks.secrets",)
_VIEWS: Final = ("orchd.tasks.run_views",)

#: The version of the classic tool whose way of writing flows this is.
CLASSIC_VERSION: Final = "1.4.1"
#: Old module -> our modules in which its names are looked up, in this order.
MODULES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "prefect": ("orchd",),
        "prefect.artifacts": ("orchd.tasks.artifacts",),
        "prefect.backend": (*_VIEWS, "orchd.tasks.artifacts", _KEYS),
        "prefect.backend.artifacts": ("orchd.tasks.artifacts",),
        "prefect.backend.flow": _VIEWS,
        "prefect.backend.flow_run": _VIEWS,
        "prefect.backend.kv_store": (_KEYS,),
        "prefect.backend.task_run": _VIEWS,
        "prefect.client": (*_SECRETS, "orchd.tasks.classic_client"),
        "prefect.client.client": ("orchd.tasks.classic_client",),
        "prefect.client.secrets": _SECRETS,
        "prefect.configuration": ("orchd.engine.settings",),
        "prefect.core": ("orchd", "orchd.graph.edges"),
        "prefect.core.edge": ("orchd.graph.edges",),
        "prefect.core.flow": ("orchd.flow.flow",),
        "prefect.core.parameter": ("orchd.flow.parameter",),
        "prefect.core.task": ("orchd.flow.task", "orchd.flow.annotations"),
        "prefect.engine": ("orchd.flow.runners",),
        "prefect.engine.cache_validators": ("orchd.engine.cache_validators",),
        "prefect.engine.executors": _EXECUTORS,
        "prefect.engine.executors.base": _EXECUTORS,
        "prefect.engine.executors.dask": _EXECUTORS,
        "prefect.engine.executors.local": _EXECUTORS,
        "prefect.engine.flow_runner": ("orchd.flow.runners",),
        "prefect.engine.result": _RESULT,
        "prefect.engine.result.base": _RESULT,
        "prefect.engine.results": _RESULTS,
        "prefect.engine.results.constant_result": _RESULTS,
        "prefect.engine.results.gcs_result": _RESULTS,
        "prefect.engine.results.local_result": _RESULTS,
        "prefect.engine.results.prefect_result": _RESULTS,
        "prefect.engine.results.s3_result": _RESULTS,
        "prefect.engine.results.secret_result": _RESULTS,
        "prefect.engine.runner": ("orchd.engine.signals",),
        "prefect.engine.serializers": ("orchd.results.formats", "orchd.results.serializers"),
        "prefect.engine.signals": ("orchd.engine.signals",),
        "prefect.engine.state": ("orchd.engine.state",),
        "prefect.engine.task_runner": ("orchd.flow.runners",),
        "prefect.environments": (),
        "prefect.environments.storage": _ELSEWHERE,
        "prefect.exceptions": ("orchd.engine.signals",),
        "prefect.executors": _EXECUTORS,
        "prefect.executors.base": _EXECUTORS,
        "prefect.executors.dask": _EXECUTORS,
        "prefect.executors.local": _EXECUTORS,
        "prefect.run_configs": _ELSEWHERE,
        "prefect.run_configs.base": _ELSEWHERE,
        "prefect.run_configs.docker": _ELSEWHERE,
        "prefect.run_configs.ecs": _ELSEWHERE,
        "prefect.run_configs.kubernetes": _ELSEWHERE,
        "prefect.run_configs.local": _ELSEWHERE,
        "prefect.run_configs.vertex": _ELSEWHERE,
        "prefect.schedules": ("orchd.flow.classic_schedules",),
        "prefect.schedules.adjustments": ("orchd.flow.classic_schedules.adjustments",),
        "prefect.schedules.clocks": ("orchd.flow.classic_schedules.clocks",),
        "prefect.schedules.filters": ("orchd.flow.classic_schedules.filters",),
        "prefect.schedules.schedules": ("orchd.flow.classic_schedules", "orchd.flow.classic_schedules.schedule"),
        "prefect.storage": _ELSEWHERE,
        "prefect.storage.azure": _ELSEWHERE,
        "prefect.storage.base": _ELSEWHERE,
        "prefect.storage.bitbucket": _ELSEWHERE,
        "prefect.storage.codecommit": _ELSEWHERE,
        "prefect.storage.docker": _ELSEWHERE,
        "prefect.storage.gcs": _ELSEWHERE,
        "prefect.storage.git": _ELSEWHERE,
        "prefect.storage.github": _ELSEWHERE,
        "prefect.storage.gitlab": _ELSEWHERE,
        "prefect.storage.local": _ELSEWHERE,
        "prefect.storage.module": _ELSEWHERE,
        "prefect.storage.s3": _ELSEWHERE,
        "prefect.storage.webhook": _ELSEWHERE,
        "prefect.tasks": (),
        "prefect.tasks.control_flow": _CONTROL,
        "prefect.tasks.control_flow.case": _CONTROL,
        "prefect.tasks.control_flow.conditional": _CONTROL,
        "prefect.tasks.control_flow.filter": _CONTROL,
        "prefect.tasks.core": (),
        "prefect.tasks.core.collections": ("orchd.flow.collections",),
        "prefect.tasks.core.constants": ("orchd.flow.collections",),
        "prefect.tasks.core.function": ("orchd.flow.task",),
        "prefect.tasks.core.operators": ("orchd.tasks.operators",),
        "prefect.tasks.core.resource_manager": ("orchd.flow.resource_manager",),
        "prefect.tasks.database": ("orchd.tasks.database",),
        "prefect.tasks.database.sqlite": ("orchd.tasks.database",),
        "prefect.tasks.notifications": _NOTIFIERS,
        "prefect.tasks.notifications.email_task": _NOTIFIERS,
        "prefect.tasks.notifications.slack_task": _NOTIFIERS,
        "prefect.tasks.prefect": _FLOW_RUNS,
        "prefect.tasks.prefect.flow_run": _FLOW_RUNS,
        "prefect.tasks.prefect.flow_run_cancel": _FLOW_RUNS,
        "prefect.tasks.prefect.flow_run_rename": _FLOW_RUNS,
        "prefect.tasks.secrets": _SECRETS,
        "prefect.tasks.secrets.base": _SECRETS,
        "prefect.tasks.secrets.env_var": _SECRETS,
        "prefect.tasks.shell": ("orchd.tasks.shell",),
        "prefect.triggers": ("orchd.engine.triggers",),
        "prefect.utilities": (),
        "prefect.utilities.configuration": ("orchd.engine.settings",),
        "prefect.utilities.context": ("orchd.engine.context",),
        "prefect.utilities.debug": ("orchd.flow.debug",),
        "prefect.utilities.edges": ("orchd.flow.annotations",),
        "prefect.utilities.logging": ("orchd.engine.logs",),
        "prefect.utilities.notifications": _NOTIFIERS,
        "prefect.utilities.notifications.notifications": _NOTIFIERS,
        "prefect.utilities.tasks": ("orchd.flow.helpers", "orchd.flow.collections", "orchd"),
    }
)

#: Old name -> our module and the name there, where it is not the same name in the modules above.
RENAMED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "prefect.__version__": ("orchd.compat.names", "CLASSIC_VERSION"),
        "prefect.Client": ("orchd.tasks.classic_client", "Client"),
        "prefect.config": ("orchd.engine.settings", "config"),
        "prefect.engine.executors.Executor": ("orchd.engine.executors.executor", "Executor"),
        "prefect.engine.results.PrefectResult": ("orchd.results.inline", "InlineResult"),
        "prefect.engine.results.prefect_result.PrefectResult": ("orchd.results.inline", "InlineResult"),
        "prefect.engine.signals.PrefectSignal": ("orchd.engine.signals", "Signal"),
        "prefect.engine.signals.PrefectStateSignal": ("orchd.engine.signals", "StateSignal"),
        "prefect.engine.state._MetaState": ("orchd.engine.state", "_MetaState"),
        "prefect.exceptions.PrefectSignal": ("orchd.engine.signals", "Signal"),
        "prefect.tasks.secrets.PrefectSecret": ("orchd.tasks.secrets", "SecretTask"),
        "prefect.tasks.secrets.SecretBase": ("orchd.tasks.secrets", "SecretTask"),
        "prefect.tasks.secrets.base.PrefectSecret": ("orchd.tasks.secrets", "SecretTask"),
        "prefect.tasks.secrets.base.SecretBase": ("orchd.tasks.secrets", "SecretTask"),
    }
)
