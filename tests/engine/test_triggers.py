"""
Triggers: whether a task may run, by the states above it.
"""

import pytest

from orchd import Flow, task
from orchd.engine.signals import TRIGGERFAIL
from orchd.engine.state import (
    State,
)
from support.recording import executed, flow_of


def raising(exc):
    """
    Return a trigger that raises *exc*.
    """

    def trigger(states):
        raise exc

    return trigger


@pytest.mark.parametrize(
    ("trigger", "message"),
    [
        (lambda states: False, "Trigger failed"),
        (raising(RuntimeError("oops")), "Unexpected error while checking task trigger: RuntimeError('oops')"),
        (raising(TRIGGERFAIL("no")), "no"),
    ],
)
def test_a_trigger_of_one_s_own_may_refuse(trigger, message):
    """
    A trigger that says no, raises a signal or breaks keeps its task from running.
    """
    state, told = executed(flow_of(task(lambda: 1, name="kept", trigger=trigger)))

    assert [each.message for each in state.result.values()] == [message]
    assert told.states("kept-1") == ["trigger_failed"]


def repr_of(x):
    """
    Return the text of a value.
    """
    return repr(x)


def test_a_trigger_of_one_s_own_may_allow():
    """
    A trigger sees the states above by edge, and may let a task run below a failure.
    """
    with Flow("f") as flow:
        bad = task(lambda: 1 / 0, name="bad")()
        after = task(
            lambda x: repr(x), name="after", trigger=lambda states: all(map(State.is_failed, states.values()))
        )(bad)

    state, _ = executed(flow)

    assert state.result[after].result == "ZeroDivisionError('division by zero')"
