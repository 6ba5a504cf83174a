"""
What ``orchd check`` knows of fire times to come, from config, flow files and the run store.
"""

from collections.abc import Mapping
from dataclasses import replace

from orchd import clock, config
from orchd.config.in_code import clashes, with_code
from orchd.model.specs import FlowSpec, ScheduleSpec
from orchd.store.usual import usual_s


def look_ahead(
    loaded: config.Config, flows: Mapping[str, FlowSpec]
) -> tuple[tuple[ScheduleSpec, ...], list[str], list[str]]:
    """
    Return the schedules that a daemon would have, what is wrong with them, and what to warn of.
    """
    now = clock.now()
    in_code = [spec for flow in flows.values() for spec in flow.schedules]
    whole = replace(loaded, schedules=with_code(loaded, in_code))
    problems = [
        *config.over_problems(loaded, now=now),
        *config.wait_problems(whole, now=now),
        *config.endless_problems(whole, flows),
    ]
    usual = usual_s(
        loaded.daemon.store, state_dir=loaded.daemon.state_dir, flows=[spec.flow for spec in whole.schedules]
    )
    warnings = [
        *clashes(whole.schedules, in_code),
        *config.endless_waits(whole),
        *config.short_periods(whole, usual, now=now),
    ]
    return whole.schedules, problems, warnings
