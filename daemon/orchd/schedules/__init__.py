"""
When something is due, and what becomes of it. Pure: every instant comes in as an argument.
"""

from orchd.schedules.cron import Cron, forget
from orchd.schedules.interval import Every
from orchd.schedules.problems import RuleError
from orchd.schedules.rules import After, Rule, rule_of

__all__ = ["After", "Cron", "Every", "Rule", "RuleError", "forget", "rule_of"]
