"""
The config files, read, checked and resolved into one frozen value; each mistake in them is one clear sentence.
"""

from orchd.config.checks import check_flows, parameter_problems
from orchd.config.circles import endless_problems
from orchd.config.files import flow_files, without_helpers
from orchd.config.foresight import endless_waits, over_problems, short_periods, wait_problems
from orchd.config.loading import Examined, examine, load
from orchd.config.problems import ConfigProblems
from orchd.config.settings import Config, DaemonSettings, FlowFiles, FlowSettings, Retention

__all__ = [
    "Config",
    "ConfigProblems",
    "DaemonSettings",
    "Examined",
    "FlowFiles",
    "FlowSettings",
    "Retention",
    "check_flows",
    "endless_problems",
    "endless_waits",
    "examine",
    "flow_files",
    "load",
    "over_problems",
    "parameter_problems",
    "short_periods",
    "wait_problems",
    "without_helpers",
]
