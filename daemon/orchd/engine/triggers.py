"""
Triggers: functions that look at the states above a task and say whether it may run.
"""

from collections.abc import Callable, Mapping
from typing import Any

from orchd.engine.signals import TRIGGERFAIL
from orchd.engine.state import State
from orchd.graph.edges import Edge
from orchd.graph.triggers import RULES, Upstreams

Trigger = Callable[[Mapping[Edge[Any], State]], bool]


def all_successful(upstream_states: Mapping[Edge[Any], State]) -> bool:
    """
    Run when every upstream task went well.

    Raises:
        TRIGGERFAIL: one did not.
    """
    return _judge("all_successful", upstream_states)


def _judge(name: str, upstream_states: Mapping[Edge[Any], State]) -> bool:
    rule = RULES[name]
    if not rule.allows(_count(upstream_states)):
        raise TRIGGERFAIL(rule.refusal)

    return True


def _count(upstream_states: Mapping[Edge[Any], State]) -> Upstreams:
    # A task that feeds two arguments has two edges, but ended only once.
    states = {id(state): state for state in upstream_states.values()}.values()
    successful = failed = finished = 0
    for state in states:
        successful += state.is_successful()
        failed += state.is_failed()
        finished += state.is_finished()

    return Upstreams(total=len(states), successful=successful, failed=failed, finished=finished)
