"""
The one table of old names.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Old module -> our modules in which its names are looked up, in this order.
MODULES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "prefect": ("orchd",),
        "prefect.backend": (),
        "prefect.client": ("orchd.tasks.secrets",),
        "prefect.client.secrets": ("orchd.tasks.secrets",),
        "prefect.core": ("orchd", "orchd.graph.edges"),
        "prefect.core.edge": ("orchd.graph.edges",),
        "prefect.core.flow": ("orchd.flow.flow",),
        "prefect.core.parameter": ("orchd.flow.parameter",),
        "prefect.core.task": ("orchd.flow.task",),
        "prefect.engine": ("orchd.flow.runners",),
        "prefect.engine.cache_validators": ("orchd.engine.cache_validators",),
        "prefect.engine.executors": ("orchd.engine.executors.threads",),
        "prefect.engine.flow_runner": ("orchd.flow.runners",),
        "prefect.engine.result": ("orchd.results.result",),
        "prefect.engine.results": ("orchd.results.inline",),
        "prefect.engine.runner": ("orchd.engine.signals",),
        "prefect.engine.serializers": ("orchd.results.formats",),
        "prefect.engine.signals": ("orchd.engine.signals",),
        "prefect.engine.state": ("orchd.engine.state",),
        "prefect.engine.task_runner": ("orchd.flow.runners",),
        "prefect.exceptions": ("orchd.engine.signals",),
        "prefect.executors": ("orchd.engine.executors.threads",),
        "prefect.run_configs": ("orchd.flow.elsewhere",),
        "prefect.schedules": ("orchd.flow.classic_schedules",),
        "prefect.schedules.adjustments": ("orchd.flow.classic_schedules.adjustments",),
        "prefect.schedules.clocks": ("orchd.flow.classic_schedules.clocks",),
        "prefect.schedules.filters": ("orchd.flow.classic_schedules.filters",),
        "prefect.schedules.schedules": ("orchd.flow.classic_schedules.schedule",),
        "prefect.storage": ("orchd.flow.elsewhere",),
        "prefect.tasks": (),
        "prefect.tasks.control_flow": ("orchd.flow.control_flow",),
        "prefect.tasks.control_flow.case": ("orchd.flow.control_flow",),
        "prefect.tasks.control_flow.conditional": ("orchd.flow.control_flow",),
        "prefect.tasks.control_flow.filter": ("orchd.flow.control_flow",),
        "prefect.tasks.core": (),
        "prefect.tasks.core.collections": ("orchd.flow.collections",),
        "prefect.tasks.core.constants": ("orchd.flow.collections",),
        "prefect.tasks.core.function": ("orchd.flow.task",),
        "prefect.tasks.core.resource_manager": ("orchd.flow.resource_manager",),
        "prefect.tasks.secrets": ("orchd.tasks.secrets",),
        "prefect.tasks.shell": ("orchd.tasks.shell",),
        "prefect.triggers": ("orchd.engine.triggers",),
        "prefect.utilities": (),
        "prefect.utilities.collections": (),
        "prefect.utilities.configuration": ("orchd.engine.settings",),
        "prefect.utilities.context": ("orchd.engine.context",),
        "prefect.utilities.debug": ("orchd.flow.debug",),
        "prefect.utilities.edges": ("orchd.flow.annotations",),
        "prefect.utilities.logging": ("orchd.engine.logs",),
        "prefect.utilities.notifications": ("orchd.tasks.notifications",),
        "prefect.utilities.tasks": ("orchd.flow.helpers",),
    }
)

#: Old name -> our module and the name there, where it is not the same name in the modules above.
RENAMED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "prefect.config": ("orchd.engine.settings", "config"),
        "prefect.engine.results.PrefectResult": ("orchd.results.inline", "InlineResult"),
        "prefect.engine.executors.Executor": ("orchd.engine.executors.executor", "Executor"),
        "prefect.engine.signals.PrefectSignal": ("orchd.engine.signals", "Signal"),
        "prefect.engine.signals.PrefectStateSignal": ("orchd.engine.signals", "StateSignal"),
        "prefect.tasks.secrets.PrefectSecret": ("orchd.tasks.secrets", "SecretTask"),
        "prefect.engine.state._MetaState": ("orchd.engine.state", "_MetaState"),
    }
)
