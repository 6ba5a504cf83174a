"""
Triggers: functions that look at the states above a task and say whether it may run.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from orchd.engine.context import context
from orchd.engine.signals import PAUSE, SKIP, TRIGGERFAIL, StateSignal
from orchd.engine.state import Mapped, State
from orchd.graph.edges import Edge
from orchd.graph.triggers import RULES, Answer, Upstreams, is_within

UpstreamStates = Mapping[Edge[Any], State]
Trigger = Callable[[UpstreamStates], bool]

_SIGNALS: Final[Mapping[Answer, type[StateSignal]]] = MappingProxyType(
    {Answer.FAIL: TRIGGERFAIL, Answer.SKIP: SKIP, Answer.PAUSE: PAUSE}
)


def all_finished(upstream_states: UpstreamStates) -> bool:
    """
    Run when every upstream task is over, however it ended.

    Raises:
        TRIGGERFAIL: one is not.
    """
    return _judge("all_finished", upstream_states)


def manual_only(upstream_states: UpstreamStates) -> bool:
    """
    Run when somebody has let the task go on.

    Raises:
        PAUSE: nobody has.
    """
    return True if context.get("resume") else _judge("manual_only", upstream_states)


def all_successful(upstream_states: UpstreamStates) -> bool:
    """
    Run when every upstream task went well.

    Raises:
        TRIGGERFAIL: one did not.
    """
    return _judge("all_successful", upstream_states)


def all_failed(upstream_states: UpstreamStates) -> bool:
    """
    Run when every upstream task failed.

    Raises:
        TRIGGERFAIL: one did not.
    """
    return _judge("all_failed", upstream_states)


def any_successful(upstream_states: UpstreamStates) -> bool:
    """
    Run when an upstream task went well, or there is none.

    Raises:
        TRIGGERFAIL: none did.
    """
    return _judge("any_successful", upstream_states)


def any_failed(upstream_states: UpstreamStates) -> bool:
    """
    Run when an upstream task failed, or there is none.

    Raises:
        TRIGGERFAIL: none did.
    """
    return _judge("any_failed", upstream_states)


def not_all_skipped(upstream_states: UpstreamStates) -> bool:
    """
    Run when every upstream task went well, and not all of them were skipped.

    Raises:
        SKIP: all of them were.

        TRIGGERFAIL: one did not go well.
    """
    return _judge("not_all_skipped", upstream_states)


always_run = all_finished


def some_failed(at_least: float | None = None, at_most: float | None = None) -> Trigger:
    """
    Return a trigger that runs a task when so many upstream tasks failed.

    Args:
        at_least: least number, or a share below 1; None for none.

        at_most: greatest number, or a share below 1; None for any.
    """

    def some_failed(upstream_states: UpstreamStates) -> bool:
        """
        Run when the number of failed ones is within the bounds.
        """
        up = count(upstream_states)
        return _thresholds("some_failed", up.failed, up.total, bool(upstream_states), at_least, at_most)

    return some_failed


def some_successful(at_least: float | None = None, at_most: float | None = None) -> Trigger:
    """
    Return a trigger that runs a task when so many upstream tasks went well; the bounds are those of `some_failed`.
    """

    def some_successful(upstream_states: UpstreamStates) -> bool:
        """
        Run when the number of successful ones is within the bounds.
        """
        up = count(upstream_states)
        return _thresholds("some_successful", up.successful, up.total, bool(upstream_states), at_least, at_most)

    return some_successful


def count(upstream_states: UpstreamStates) -> Upstreams:
    """
    Count how the tasks above ended: each once, and the children of a mapped one unless the task is mapped over them.
    """
    # A task that feeds two arguments has two edges, but ended only once.
    states: dict[int, State] = {}
    for edge, state in upstream_states.items():
        if isinstance(state, Mapped) and not edge.mapped:
            states.update((id(child), child) for child in state.map_states)
        else:
            states[id(state)] = state

    successful = failed = finished = skipped = 0
    for state in states.values():
        successful += state.is_successful()
        failed += state.is_failed()
        finished += state.is_finished()
        skipped += state.is_skipped()

    return Upstreams(
        total=len(states),
        successful=successful,
        failed=failed,
        finished=finished,
        skipped=skipped,
        edges=len(upstream_states),
    )


def _judge(name: str, upstream_states: UpstreamStates) -> bool:
    up = count(upstream_states)
    for rule in RULES[name]:
        if not rule.allows(up):
            signal = _SIGNALS[rule.answer]
            raise signal(rule.refusal, result=None) if signal is SKIP else signal(rule.refusal)

    return True


def _thresholds(
    name: str, number: int, total: int, has_upstream: bool, at_least: float | None, at_most: float | None
) -> bool:
    if has_upstream and not is_within(number, total=total, at_least=at_least, at_most=at_most):
        raise TRIGGERFAIL(f'Trigger was "{name}" but thresholds were not met.')

    return True
