"""
Schedules in flow files, by their classic names: a schedule asks its clocks, filters what they say, and adjusts it.
"""

from orchd.flow.classic_schedules import adjustments, clocks, filters
from orchd.flow.classic_schedules.schedule import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule

__all__ = [
    "CronSchedule",
    "IntervalSchedule",
    "RRuleSchedule",
    "Schedule",
    "adjustments",
    "clocks",
    "filters",
]
