"""
What can only be checked once the flow files have been described.
"""

from collections.abc import Collection
from typing import Final

from orchd.config.problems import ConfigProblems, did_you_mean
from orchd.config.settings import Config

_SCHEDULE: Final = "schedules"


def check_flows(config: Config, known: Collection[str], all_loaded: bool) -> None:
    """
    Refuse schedules and settings of flows that exist nowhere.

    Args:
        known: names of all flows that were ever loaded.

        all_loaded: every flow file has loaded. If not, the flow may be in a broken file, and nothing is refused.

    Raises:
        ConfigProblems: with one sentence for each unknown flow.
    """
    if not all_loaded:
        return

    asked = [
        (_SCHEDULE, schedule.name, flow) for schedule in config.schedules for flow in (schedule.flow, *schedule.after)
    ]
    asked += [("flow", name, name) for name in config.flow]
    problems = [_unknown(config, kind, name, flow, known) for kind, name, flow in asked if flow not in known]
    if problems:
        raise ConfigProblems(problems)


def _unknown(config: Config, kind: str, name: str, flow: str, known: Collection[str]) -> str:
    where = config.origins.get((kind, name), "")
    table = f"{where}: [{kind}.{name}]" if where else f"[{kind}.{name}]"
    hint = did_you_mean(flow, known)
    files = "no flow file was found, look at [flows] paths" if not known else hint
    return f"{table} names the flow '{flow}', which is in no flow file; {files}"
