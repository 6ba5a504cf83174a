"""
The ledger's words: what became of a fire time, and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Outcome(StrEnum):
    """
    The decision about one fire time. It never changes.
    """

    STARTED = "started"
    SKIPPED = "skipped"
    MISSED = "missed"


class Reason(StrEnum):
    """
    Why a fire time was decided as it was; :data:`SENTENCES` says each in words.
    """

    ON_TIME = "on_time"
    CATCH_UP = "catch_up"
    IN_GRACE = "in_grace"
    JOIN = "join"
    OVERLAP = "overlap"
    QUEUE_FULL = "queue_full"
    PAUSED = "paused"
    REMOVED = "removed"
    NEWER_FIRE = "newer_fire"
    REPLACED = "replaced"
    FLOW_NOT_LOADED = "flow_not_loaded"
    UPSTREAM_FAILED = "upstream_failed"
    TOO_LATE = "too_late"
    OVER_MAX_CATCHUP = "over_max_catchup"


#: Reason -> sentence; the names in braces are the fields of the slot.
SENTENCES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.ON_TIME: "started on time",
        Reason.CATCH_UP: "started {late_s} s late, as its catch-up allows",
        Reason.IN_GRACE: "started {late_s} s late, within its grace of {grace_s} s",
        Reason.JOIN: "started because {upstream} finished",
        Reason.OVERLAP: "skipped because run {run} of this schedule was still {state}",
        Reason.QUEUE_FULL: "skipped because {waiting} runs of this schedule were already waiting",
        Reason.PAUSED: "skipped because the schedule was paused by {who} at {when}{note}",
        Reason.REMOVED: "skipped because the schedule was removed from the config",
        Reason.NEWER_FIRE: 'skipped because {newest} was owed too, and catchup = "{catchup}" starts only the newest',
        Reason.REPLACED: 'skipped because {newest} was owed too, and overlap = "replace" keeps only the newest',
        Reason.FLOW_NOT_LOADED: "skipped because flow '{flow}' has not been loaded from any flow file",
        Reason.UPSTREAM_FAILED: "skipped because upstream {upstream} ended as {state}",
        Reason.TOO_LATE: "missed: {late_s} s late, and its grace is {grace_s} s",
        Reason.OVER_MAX_CATCHUP: "missed: older than the newest {max_catchup} owed fire times",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotDecision:
    """
    What was decided about one fire time, or about a row of them up to *until*.
    """

    schedule: str
    fire_time: datetime
    #: Last fire time that this decision stands for (inclusive); None when it is only *fire_time*.
    until: datetime | None = None
    outcome: Outcome
    reason: Reason
    #: The fields of the reason's sentence, as (name, text or number) pairs in alphabetical order.
    fields: tuple[tuple[str, str | int | float], ...] = ()


def sentence(reason: Reason, fields: Mapping[str, object]) -> str:
    """
    Return *reason* in words.
    """
    return SENTENCES[reason].format_map(fields)
