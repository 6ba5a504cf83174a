"""
Triggers: whether a task may run, by the states above it.
"""

import pytest

from orchd import Edge, Flow, Task, context, task, triggers
from orchd.engine.signals import PAUSE, SKIP, TRIGGERFAIL
from orchd.engine.state import Failed, Mapped, Pending, Skipped, State, Success
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


GOOD, BAD, LEFT, OPEN = Success(), Failed(), Skipped(), Pending()
RUNS = True


def asked(trigger, *states, mapped=False):
    """
    Ask *trigger* of a task below *states*: True, or the class of the signal that it raises.
    """
    below = Task()
    try:
        return trigger({Edge(Task(), below, mapped=mapped): state for state in states})
    except (TRIGGERFAIL, SKIP, PAUSE) as signal:
        return type(signal)


@pytest.mark.parametrize(
    ("trigger", "none", "good", "bad", "good_bad", "left", "left_good", "left_bad", "unfinished"),
    [
        (triggers.all_successful, RUNS, RUNS, TRIGGERFAIL, TRIGGERFAIL, RUNS, RUNS, TRIGGERFAIL, TRIGGERFAIL),
        (triggers.all_failed, RUNS, TRIGGERFAIL, RUNS, TRIGGERFAIL, TRIGGERFAIL, TRIGGERFAIL, TRIGGERFAIL, TRIGGERFAIL),
        (triggers.any_successful, RUNS, RUNS, TRIGGERFAIL, RUNS, RUNS, RUNS, RUNS, TRIGGERFAIL),
        (triggers.any_failed, RUNS, TRIGGERFAIL, RUNS, RUNS, TRIGGERFAIL, TRIGGERFAIL, RUNS, TRIGGERFAIL),
        (triggers.all_finished, RUNS, RUNS, RUNS, RUNS, RUNS, RUNS, RUNS, TRIGGERFAIL),
        (triggers.always_run, RUNS, RUNS, RUNS, RUNS, RUNS, RUNS, RUNS, TRIGGERFAIL),
        (triggers.manual_only, PAUSE, PAUSE, PAUSE, PAUSE, PAUSE, PAUSE, PAUSE, PAUSE),
        (triggers.not_all_skipped, SKIP, RUNS, TRIGGERFAIL, TRIGGERFAIL, SKIP, RUNS, TRIGGERFAIL, TRIGGERFAIL),
        (triggers.some_failed(at_least=1), RUNS, TRIGGERFAIL, RUNS, RUNS, TRIGGERFAIL, TRIGGERFAIL, RUNS, TRIGGERFAIL),
        (triggers.some_failed(at_most=0), RUNS, RUNS, TRIGGERFAIL, TRIGGERFAIL, RUNS, RUNS, TRIGGERFAIL, RUNS),
        (triggers.some_successful(at_least=1.0), RUNS, RUNS, TRIGGERFAIL, RUNS, RUNS, RUNS, RUNS, TRIGGERFAIL),
        (triggers.some_successful(at_most=0.5), RUNS, TRIGGERFAIL, RUNS, RUNS, TRIGGERFAIL, TRIGGERFAIL, RUNS, RUNS),
        (triggers.some_successful(), RUNS, RUNS, RUNS, RUNS, RUNS, RUNS, RUNS, RUNS),
    ],
)
def test_every_trigger(trigger, none, good, bad, good_bad, left, left_good, left_bad, unfinished):
    """
    Each trigger says of each mixture of states above whether the task runs, fails, is skipped or waits.
    """
    answers = [
        asked(trigger, *states)
        for states in ((), (GOOD,), (BAD,), (GOOD, BAD), (LEFT,), (LEFT, GOOD), (LEFT, BAD), (OPEN,))
    ]

    assert answers == [none, good, bad, good_bad, left, left_good, left_bad, unfinished]


def test_children_count_one_by_one():
    """
    Of a mapped task above each child counts, unless the task is mapped over them; one state on two edges counts once.
    """
    above = Mapped(map_states=[GOOD, BAD])

    assert asked(triggers.all_successful, above) is TRIGGERFAIL
    assert asked(triggers.all_successful, above, mapped=True) is True
    assert asked(triggers.some_failed(at_least=2), BAD, BAD) is TRIGGERFAIL


def test_whoever_lets_it_go_on_is_heard():
    """
    A task that only a person starts runs when it is resumed.
    """
    with context(resume=True):
        assert asked(triggers.manual_only, GOOD) is True
