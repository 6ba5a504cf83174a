"""
Adjustments of schedules: each makes another instant of one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchd.flow.classic_schedules.conditions import Later
from orchd.flow.classic_schedules.filters import is_weekday
from orchd.model.specs import ClauseSpec


def add(interval: timedelta) -> Callable[[datetime], datetime]:
    """
    Later by *interval*.
    """
    return Later(ClauseSpec(name="add", arguments=f"[{interval.total_seconds()}]"), interval)


def next_weekday(dt: datetime) -> datetime:
    """
    The same time on the next Monday to Friday, or on that day itself.
    """
    while not is_weekday(dt):
        dt = dt + timedelta(days=1)

    return dt
