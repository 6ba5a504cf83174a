"""
When something is due, and what becomes of it. Pure: every instant comes in as an argument.
"""

from orchd.schedules import cron, rrule, wording, zones
from orchd.schedules.cron import Cron
from orchd.schedules.dates import Dates
from orchd.schedules.interval import Every
from orchd.schedules.problems import RuleError
from orchd.schedules.rrule import RRule
from orchd.schedules.rules import After, Rule, rule_of

__all__ = ["After", "Cron", "Dates", "Every", "RRule", "Rule", "RuleError", "forget", "rule_of"]


def forget() -> None:
    """
    Forget every computed fire time and zone, so that a new tz database counts.
    """
    cron.forget()
    rrule.forget()
    wording.seen.cache_clear()
    zones.zone.cache_clear()
