"""
The rule of a schedule, made from its spec.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchd.model.specs import RuleKind, ScheduleSpec
from orchd.schedules.cron import Cron
from orchd.schedules.interval import Every


@dataclass(frozen=True, slots=True)
class After:
    """
    The rule of a schedule that waits for other flows: no clock ever makes it due (:mod:`orchd.schedules.joins` does).
    """

    flows: tuple[str, ...]

    @property
    def spacing(self) -> timedelta:
        """
        The least time between two fires.
        """
        return timedelta.max

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return None, whatever *instant* is.
        """
        return None


Rule = Cron | Every | After


def rule_of(spec: ScheduleSpec) -> Rule:
    """
    Return the rule that *spec* writes.

    Raises:
        RuleError: it cannot be meant; one sentence.
    """
    if spec.kind is RuleKind.CRON:
        return Cron(spec.rule, spec.timezone)

    if spec.kind is RuleKind.EVERY:
        return Every(spec.rule, spec.timezone, spec.anchor)

    return After(spec.after)
