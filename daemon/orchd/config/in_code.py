"""
Schedules that are written in flow files, beside those of the config.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from orchd.config.settings import Config
from orchd.model.specs import ScheduleSpec


def with_code(config: Config, in_code: Iterable[ScheduleSpec]) -> tuple[ScheduleSpec, ...]:
    """
    Return the schedules of *config*, and after them those of flow files for whose flow it has none.

    One whose name another schedule has already is left out; :func:`clashes` says so.
    """
    replaced = {spec.flow for spec in config.schedules}
    found = {spec.name: spec for spec in config.schedules}
    for spec in in_code:
        if spec.flow not in replaced:
            found.setdefault(spec.name, spec)
    return tuple(found.values())


def without_code(config: Config) -> Config:
    """
    Return *config* as its files say it.
    """
    return replace(config, schedules=tuple(spec for spec in config.schedules if not spec.in_code))


def clashes(chosen: Collection[ScheduleSpec], in_code: Iterable[ScheduleSpec]) -> Iterator[str]:
    """
    Yield one sentence for each schedule of a flow file that :func:`with_code` left out because of its name.
    """
    flow_of = {spec.name: spec.flow for spec in chosen}
    for spec in in_code:
        if (other := flow_of.get(spec.name, spec.flow)) != spec.flow:
            yield (
                f"the schedule of flow '{spec.flow}' is not taken up: flow '{other}' has one of the name '{spec.name}'"
                f"; write a [schedules.NAME] for one of them"
            )
