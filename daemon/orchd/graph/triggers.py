"""
The rules by which a task judges its upstreams, as a table over how many of them ended how.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    When a task may run, and the words said when it may not.
    """

    allows: Callable[[Upstreams], bool]
    refusal: str


#: Name of a trigger -> its rule.
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "all_successful": Rule(
            allows=lambda up: up.successful == up.total,
            refusal='Trigger was "all_successful" but some of the upstream tasks failed.',
        ),
    }
)
