"""
Filters and adjustments that are data, so that the daemon can ask them too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchd.model.specs import ClauseSpec
from orchd.schedules.clauses import clause


@dataclass(frozen=True, slots=True)
class Condition:
    """
    A filter: given an instant, as its zone's wall shows it, whether it counts.
    """

    spec: ClauseSpec

    def __call__(self, instant: datetime) -> bool:
        return clause(self.spec).fits(instant.replace(tzinfo=None, fold=0), instant)


@dataclass(frozen=True, slots=True)
class Later:
    """
    An adjustment: given an instant, another one.
    """

    spec: ClauseSpec
    interval: timedelta

    def __call__(self, instant: datetime) -> datetime:
        return instant + self.interval
