"""
What can only be checked once the flow files have been described.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from orchd.config.problems import ConfigProblems, did_you_mean
from orchd.config.settings import Config
from orchd.model.specs import FlowSpec, ScheduleSpec

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
        (_SCHEDULE, schedule.name, flow)
        for schedule in config.schedules
        for flow in (schedule.flow, *schedule.after, *(wait.flow for wait in schedule.wait_for))
    ]
    asked += [("flow", name, name) for name in config.flow]
    problems = [_unknown(config, kind, name, flow, known) for kind, name, flow in asked if flow not in known]
    if problems:
        raise ConfigProblems(problems)


def _unknown(config: Config, kind: str, name: str, flow: str, known: Collection[str]) -> str:
    hint = did_you_mean(flow, known)
    files = "no flow file was found, look at [flows] paths" if not known else hint
    return f"{_table(config, kind, name)} names the flow '{flow}', which is in no flow file; {files}"


def parameter_problems(config: Config, flows: Mapping[str, FlowSpec]) -> list[str]:
    """
    Return one sentence for each parameter that a schedule gives and its flow lacks, or the other way round.

    A flow that is not in *flows* is passed over: :func:`check_flows` speaks of it.
    """
    return [problem for schedule in config.schedules for problem in _of_parameters(config, schedule, flows)]


def _of_parameters(config: Config, schedule: ScheduleSpec, flows: Mapping[str, FlowSpec]) -> Iterator[str]:
    if (flow := flows.get(schedule.flow)) is None:
        return

    given = set(json.loads(schedule.parameters))
    known = {parameter.name: parameter.required for parameter in flow.parameters}
    table = _table(config, _SCHEDULE, schedule.name)
    for name in sorted(given - known.keys()):
        hint = did_you_mean(name, known)
        yield f"{table} parameters: the flow '{flow.name}' has no parameter '{name}'; {hint}"

    for name, is_required in known.items():
        if is_required and name not in given:
            yield f"{table}: the flow '{flow.name}' needs a parameter; write parameters = {{ {name} = ... }}"


def _table(config: Config, kind: str, name: str) -> str:
    where = config.origins.get((kind, name), "")
    return f"{where}: [{kind}.{name}]" if where else f"[{kind}.{name}]"
