"""
Adjustments of schedules: each makes another instant of one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchd.flow.classic_schedules.filters import is_weekday


def add(interval: timedelta) -> Callable[[datetime], datetime]:
    """
    Later by *interval*.
    """
    return lambda instant: instant + interval


def next_weekday(dt: datetime) -> datetime:
    """
    The same time on the next Monday to Friday, or on that day itself.
    """
    while not is_weekday(dt):
        dt = dt + timedelta(days=1)

    return dt
