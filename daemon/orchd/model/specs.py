"""
What a flow file and a config say, as frozen values: the descriptions that daemon and store hold.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct


class Overlap(StrEnum):
    """
    What happens when the last run of this schedule is still going.
    """

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"
    REPLACE = "replace"


class CatchUp(StrEnum):
    """
    What becomes of fire times that were not started on time.
    """

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


class When(StrEnum):
    """
    Which finish of an upstream flow counts for a schedule that waits for it.
    """

    SUCCESS = "success"
    FAILURE = "failure"
    FINISHED = "finished"


class RuleKind(StrEnum):
    """
    The kinds of rule that a schedule may have.
    """

    CRON = "cron"
    EVERY = "every"
    DATES = "dates"
    RRULE = "rrule"
    AFTER = "after"
    #: Several clocks of one schedule in code.
    ANY = "any"


#: Source: ``scheduling.md`` section 4; Kubernetes gives up at 100, dagu at 1000.
DEFAULT_MAX_CATCHUP: Final = 100
#: Source: ``scheduling.md`` section 4: the grace of ``catchup = "none"``.
DEFAULT_GRACE_OF_NONE: Final = timedelta(seconds=60)


class DayMove(StrEnum):
    """
    What becomes of a fire time on a day of a calendar.
    """

    SKIP = "skip"
    NEXT_BUSINESS_DAY = "next_business_day"
    PREVIOUS_BUSINESS_DAY = "previous_business_day"


class CalendarSpec(Struct, frozen=True, kw_only=True):
    """
    One ``[calendars.NAME]`` as a schedule uses it.
    """

    name: str
    #: First and last day (inclusive) of each range, as ISO dates, in order.
    days: tuple[tuple[str, str], ...]
    move: DayMove = DayMove.SKIP


class WaitSpec(Struct, frozen=True, kw_only=True):
    """
    A run of another flow that must have succeeded before a run of this schedule may start.
    """

    flow: str
    #: Seconds before the fire time within which that run must have been wanted; None when *same_slot* says which.
    within_s: float | None = None
    #: It must be the run of the same fire time.
    same_slot: bool = False
    #: Seconds after the fire time at which the waiting run is cancelled; None to wait without end.
    timeout_s: float | None = None


class ClauseSpec(Struct, frozen=True, kw_only=True):
    """
    A filter or an adjustment of a schedule in code, by name, with its arguments as JSON text.
    """

    name: str
    arguments: str = "[]"


class ScheduleSpec(Struct, frozen=True, kw_only=True):
    """
    One ``[schedules.NAME]`` entry, checked. Two specs that are equal mean the same; a difference is an edit.
    """

    name: str
    flow: str
    kind: RuleKind
    #: The rule as written: the cron text, the ``every`` text, the RFC 5545 text; empty for ``dates`` and ``after``.
    rule: str = ""
    #: IANA name; resolved at load, so that a change of the default is an edit.
    timezone: str = "UTC"
    #: Wall time of an ``every`` rule's phase, or of an ``rrule``'s start, as ISO text in the schedule's zone; None for
    #: the default Monday.
    anchor: str | None = None
    #: Instants of a ``dates`` rule as ISO text in UTC, in order.
    dates: tuple[str, ...] = ()
    #: Of an asked schedule: until when *dates* are known, as ISO text in UTC; None for all others.
    known_until: str | None = None
    #: Of an asked schedule whose clock gives each fire time its own: the parameters of each of *dates*, as JSON text.
    dates_parameters: tuple[str, ...] = ()
    #: Of a cron clock in code: the seconds of each minute, and False when both day fields must fit.
    seconds: tuple[int, ...] = (0,)
    day_or: bool = True
    #: Of an ``any`` rule in code: its clocks, whose common fire times count once.
    parts: tuple["ScheduleSpec", ...] = ()
    #: Seconds that every fire time is moved on, from the schedule's name; 0 for none.
    splay_s: float = 0.0
    #: Window of the fire times (inclusive, exclusive), as ISO text in UTC; None for no bound.
    starts_at: str | None = None
    ends_at: str | None = None
    #: How many fire times there are from *starts_at* on, which must be given; None for no bound.
    count: int | None = None
    calendars: tuple[CalendarSpec, ...] = ()
    #: Of a schedule in code: all must hold; at least one must; none may; applied to what is left, in order.
    filters: tuple[ClauseSpec, ...] = ()
    or_filters: tuple[ClauseSpec, ...] = ()
    not_filters: tuple[ClauseSpec, ...] = ()
    adjustments: tuple[ClauseSpec, ...] = ()
    #: Flows that an ``after`` rule waits for, in the order written.
    after: tuple[str, ...] = ()
    when: When = When.SUCCESS
    #: Parameters as JSON text with sorted keys.
    parameters: str = "{}"
    overlap: Overlap = Overlap.SKIP
    catchup: CatchUp = CatchUp.LATEST
    #: Seconds that a start may be late before it is missed; None for no limit.
    grace_s: float | None = None
    max_catchup: int = DEFAULT_MAX_CATCHUP
    wait_for: tuple[WaitSpec, ...] = ()
    #: Name of the ``[pools]`` entry whose places its runs share; None for that of its flow, if that has one.
    pool: str | None = None
    #: Higher ones get a place first; None for that of its flow.
    priority: int | None = None
    #: Runs in a row that must fail before the schedule pauses itself; None for never.
    pause_after_failures: int | None = None
    #: Written in a flow file, not in the config.
    in_code: bool = False
    labels: tuple[str, ...] = ()

    def goes_on_from(self, before: "ScheduleSpec") -> bool:
        """
        True when both are asked schedules: what is past of *before* is in this one too, so its cursor stays.
        """
        return self.known_until is not None and before.known_until is not None and self.name == before.name

    def parameters_at(self, fire_time: datetime) -> str:
        """
        Return the parameters (JSON text) of the run of *fire_time* (aware UTC).
        """
        if not self.dates_parameters:
            return self.parameters

        return dict(zip(self.dates, self.dates_parameters, strict=True)).get(fire_time.isoformat(), self.parameters)


class ParameterSpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One parameter of a flow.
    """

    name: str
    required: bool
    #: The default if it can be said in JSON, else None with *default_text*.
    default: object = None
    #: ``repr`` of a default that JSON cannot say.
    default_text: str | None = None


class TaskSpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One task of a flow's graph.
    """

    slug: str
    name: str
    mapped: bool = False
    max_retries: int = 0
    retry_delay_s: float | None = None
    timeout_s: float | None = None


class EdgeSpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One edge of a flow's graph, by task slugs; *key* is the argument that it feeds.
    """

    upstream: str
    downstream: str
    key: str | None = None
    mapped: bool = False


class FlowSpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One flow as described from its file, in a process that could afford to import it.
    """

    name: str
    #: Absolute path of the file, and the SHA-256 (hex) of its bytes.
    file: str
    source_hash: str
    parameters: tuple[ParameterSpec, ...] = ()
    tasks: tuple[TaskSpec, ...] = ()
    edges: tuple[EdgeSpec, ...] = ()
    #: Of ``Flow(schedule=...)``, one for each clock; the first has the name of the flow.
    schedules: tuple[ScheduleSpec, ...] = ()
    labels: tuple[str, ...] = ()
    #: Tasks that start a run of another flow and wait for it: the names of those flows, where they are constants.
    starts: tuple[str, ...] = ()
    #: Why its schedule could not be asked for its fire times, in words: those that are known stay.
    unasked: str | None = None
    #: What of the file has no meaning here, one sentence each: ``storage``, ``run_config`` ...
    notes: tuple[str, ...] = ()


class Description(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What loading one flow file gave: its flows, or one sentence why not.
    """

    file: str
    source_hash: str = ""
    flows: tuple[FlowSpec, ...] = ()
    error: str | None = None
    warnings: tuple[str, ...] = ()
    #: The file has loaded, and its only error is that no flow is in it.
    has_no_flow: bool = False


def parameters_text(parameters: dict[str, object]) -> str:
    """
    Return *parameters* as the JSON text with sorted keys that specs and the store hold.
    """
    return msgspec.json.encode(parameters, order="deterministic").decode()
