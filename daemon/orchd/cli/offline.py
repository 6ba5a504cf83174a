"""
Coming fire times without a daemon, from the config alone.
"""

import heapq
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from orchd import clock, config
from orchd.config.problems import did_you_mean
from orchd.errors import NotFound
from orchd.model.instants import iso
from orchd.model.specs import RuleKind, ScheduleSpec
from orchd.schedules import rule_of
from orchd.schedules.explain import explain_next
from orchd.schedules.waits import words


def next_fires(path: str, schedule: str | None, *, n: int, begin: str | None) -> dict[str, Any]:
    """
    Return what ``GET /api/v1/next`` would, for the config at *path*.

    Raises:
        ConfigError: the config cannot be meant.

        NotFound: there is no schedule of that name in it.
    """
    schedules = config.load(Path(path), env=os.environ).schedules
    names = [spec.name for spec in schedules]
    if schedule is not None and schedule not in names:
        raise NotFound(f"there is no schedule '{schedule}' in {path}; {did_you_mean(schedule, names)}")

    after = datetime.fromisoformat(begin) if begin else clock.now()
    wanted = [spec for spec in schedules if schedule in (None, spec.name) and spec.kind is not RuleKind.AFTER]
    fires = (fire for spec in wanted for fire in _of(spec, after=after, n=n))
    return {"next": heapq.nsmallest(n, fires, key=lambda fire: (fire["fire_time"], fire["schedule"]))}


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
