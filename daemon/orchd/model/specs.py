"""
What a flow file and a config say, as frozen values: the descriptions that daemon and store hold.
"""

from datetime import timedelta
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
    AFTER = "after"


#: Source: ``scheduling.md`` section 4; Kubernetes gives up at 100, dagu at 1000.
DEFAULT_MAX_CATCHUP: Final = 100
#: Source: ``scheduling.md`` section 4: the grace of ``catchup = "none"``.
DEFAULT_GRACE_OF_NONE: Final = timedelta(seconds=60)


class ScheduleSpec(Struct, frozen=True, kw_only=True):
    """
    One ``[schedules.NAME]`` entry, checked. Two specs that are equal mean the same; a difference is an edit.
    """

    name: str
    flow: str
    kind: RuleKind
    #: The rule as written: the cron text, the ``every`` text; empty for ``after``.
    rule: str = ""
    #: IANA name; resolved at load, so that a change of the default is an edit.
    timezone: str = "UTC"
    #: Wall time of an ``every`` rule's phase as ISO text in the schedule's zone; None for the default Monday.
    anchor: str | None = None
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
