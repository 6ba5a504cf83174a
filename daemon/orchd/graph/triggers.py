"""
The rules by which a task judges its upstreams, as a table over how many of them ended how.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstreams:
    """
    How many upstreams there are, and how many of them ended how. Skipped ones count as successful too.
    """

    total: int
    successful: int
    failed: int
    finished: int
    skipped: int = 0
    #: How many edges lead to the task; a mapped task without children is none of the total.
    edges: int = 0


class Answer(StrEnum):
    """
    What a rule says of a task.
    """

    RUN = "run"
    FAIL = "fail"
    SKIP = "skip"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    When a task may run, what becomes of it when it may not, and the words said then.
    """

    allows: Callable[[Upstreams], bool]
    refusal: str
    answer: Answer = Answer.FAIL


#: Name of a trigger -> its rules; the first that does not allow a task decides.
RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {
        "all_finished": (
            Rule(
                allows=lambda up: up.finished == up.total,
                refusal='Trigger was "all_finished" but some of the upstream tasks were not finished.',
            ),
        ),
        "manual_only": (
            Rule(
                allows=lambda up: False,
                refusal='Trigger function is "manual_only"',
                answer=Answer.PAUSE,
            ),
        ),
        "all_successful": (
            Rule(
                allows=lambda up: up.successful == up.total,
                refusal='Trigger was "all_successful" but some of the upstream tasks failed.',
            ),
        ),
        "all_failed": (
            Rule(
                allows=lambda up: up.failed == up.total,
                refusal='Trigger was "all_failed" but some of the upstream tasks succeeded.',
            ),
        ),
        "any_successful": (
            Rule(
                allows=lambda up: up.successful > 0 or up.edges == 0,
                refusal='Trigger was "any_successful" but none of the upstream tasks succeeded.',
            ),
        ),
        "any_failed": (
            Rule(
                allows=lambda up: up.failed > 0 or up.edges == 0,
                refusal='Trigger was "any_failed" but none of the upstream tasks failed.',
            ),
        ),
        "not_all_skipped": (
            Rule(
                allows=lambda up: up.skipped < up.total,
                refusal="All upstreams were skipped",
                answer=Answer.SKIP,
            ),
            Rule(
                allows=lambda up: up.successful == up.total,
                refusal='Trigger was "not_all_skipped" but some of the upstream tasks failed.',
            ),
        ),
    }
)


def is_within(count: int, *, total: int, at_least: float | None, at_most: float | None) -> bool:
    """
    True when *count* of *total* lies between both bounds. None is no bound; below 1, or 1.0, a bound is a share.

    Args:
        at_least: least number or share, inclusive.

        at_most: greatest number or share, inclusive.
    """
    enough = at_least is None or count >= _number(at_least, total)
    return enough and (at_most is None or count <= _number(at_most, total))


def _number(bound: float, total: int) -> float:
    return bound * total if 0 < bound < 1 else bound
