"""
What every rule answers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Ticking(Protocol):
    """
    Whatever can name its next fire time.
    """

    def next_after(self, instant: datetime) -> datetime | None:
        """
        Return the first fire time strictly after *instant* (both aware UTC); None when there is none.
        """


class Rule(Ticking, Protocol):
    """
    What says when a schedule is due: a frozen value that may be asked in any order and remembers nothing.
    """

    @property
    def timezone(self) -> str:
        """
        The zone in whose wall times it is written and shown.
        """

    @property
    def spacing(self) -> timedelta:
        """
        No two of its fire times are nearer to each other than this.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """
    What all rules share that change the fire times of another.
    """

    rule: Rule

    @property
    def timezone(self) -> str:
        """
        That of the rule.
        """
        return self.rule.timezone

    @property
    def spacing(self) -> timedelta:
        """
        That of the rule.
        """
        return self.rule.spacing
