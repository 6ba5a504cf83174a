"""
Coming fire times without a daemon, from the config and its flow files.
"""

import heapq
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from orchd import clock, config
from orchd.cli.safe import complain
from orchd.config.in_code import with_code
from orchd.config.problems import did_you_mean
from orchd.errors import NotFound
from orchd.model.instants import iso
from orchd.model.specs import RuleKind, ScheduleSpec
from orchd.processes.describe import describe_in_child
from orchd.schedules import rule_of
from orchd.schedules.explain import explain_next
from orchd.schedules.waits import words


def next_fires(path: str, schedule: str | None, *, n: int, begin: str | None) -> dict[str, Any]:
    """
    Return what ``GET /api/v1/next`` would, for the config at *path*.

    Raises:
        ConfigError: the config cannot be meant.

        NotFound: there is no schedule of that name in it, or in its flow files.
    """
    schedules = _schedules(config.load(Path(path), env=os.environ))
    names = [spec.name for spec in schedules]
    if schedule is not None and schedule not in names:
        raise NotFound(f"there is no schedule '{schedule}' in {path}; {did_you_mean(schedule, names)}")

    after = datetime.fromisoformat(begin) if begin else clock.now()
    wanted = [spec for spec in schedules if schedule in (None, spec.name) and spec.kind is not RuleKind.AFTER]
    fires = (fire for spec in wanted for fire in _of(spec, after=after, n=n))
    return {"next": heapq.nsmallest(n, fires, key=lambda fire: (fire["fire_time"], fire["schedule"]))}


def _schedules(loaded: config.Config) -> Sequence[ScheduleSpec]:
    """
    Return the schedules of *loaded*, and those that its flow files say; of a file that does not load, why.
    """
    limit_s = loaded.flows.describe_timeout.total_seconds()
    env_file, old = loaded.flows.env_file, loaded.flows.prefect_imports
    every = [
        describe_in_child(file, time_limit_s=limit_s, env_file=env_file, prefect_imports=old)
        for file in config.flow_files(loaded.flows.paths)
    ]
    described = config.without_helpers(every, loaded.flows.paths)
    for description in described:
        if description.error is not None:
            complain(f"{description.file}: {description.error}")
    return with_code(loaded, [spec for each in described for flow in each.flows for spec in flow.schedules])


def _of(spec: ScheduleSpec, *, after: datetime, n: int) -> list[dict[str, Any]]:
    return [
        {
            "schedule": spec.name,
            "flow": spec.flow,
            "fire_time": iso(instant),
            "local": local,
            "note": note,
            "waits_for": [words(wait) for wait in spec.wait_for],
        }
        for instant, local, note in explain_next(rule_of(spec), after=after, n=n)
    ]
