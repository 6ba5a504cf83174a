"""
Every signal: the state that it gives, and what the flow makes of it.
"""

import pickle
from datetime import UTC, datetime, timedelta

import pytest

import orchd
from orchd import Flow, task
from orchd.engine import signals
from orchd.engine.deadline import TaskTimeoutSignal
from orchd.engine.signals import ENDRUN, FAIL, LOOP, PAUSE, RETRY, SKIP, SUCCESS, TRIGGERFAIL, VALIDATIONFAIL
from orchd.engine.state import Success
from support.recording import executed

PAST = datetime(2021, 1, 1, tzinfo=UTC)


def ended(run, **task_args):
    """
    Run a flow of the task *run* and one below it; return the states of both and what was recorded.
    """
    with Flow("f") as flow:
        above = task(run, name="above", **task_args)()
        below = task(lambda x: x, name="below")(above)

    state, told = executed(flow)
    return state.result[above], state.result[below], told


def raising(signal):
    """
    Return a function that raises *signal*.
    """

    def run():
        raise signal

    return run


@pytest.mark.parametrize(
    ("kind", "state", "below", "moves"),
    [
        (FAIL, "Failed", "TriggerFailed", ["running", "failed"]),
        (TRIGGERFAIL, "TriggerFailed", "TriggerFailed", ["running", "failed"]),
        (VALIDATIONFAIL, "ValidationFailed", "TriggerFailed", ["running", "failed"]),
        (SUCCESS, "Success", "Success", ["running", "success"]),
        (SKIP, "Skipped", "Skipped", ["running", "skipped"]),
    ],
)
def test_a_signal_ends_its_task(kind, state, below, moves):
    """
    Raised with a message, a value or as a class alone, a signal gives its state; what is below goes by that.
    """
    for signal in (kind, kind("words"), kind("words", result=7)):
        is_class = isinstance(signal, type)
        first, second, told = ended(raising(signal))

        assert (type(first).__name__, type(second).__name__) == (state, below)
        assert first.message == (None if is_class else "words")
        assert first.result == 7 or isinstance(first.result, kind)
        assert told.states("above-1") == moves


def test_fail_is_tried_again_like_an_exception():
    """
    FAIL counts as a failure for max_retries; SKIP and SUCCESS do not.
    """
    for kind, tries in ((FAIL, 2), (SKIP, 1), (SUCCESS, 1)):
        calls = []

        def run(calls=calls, kind=kind):
            calls.append(1)
            raise kind("words")

        ended(run, max_retries=1, retry_delay=timedelta(0))

        assert len(calls) == tries


def test_retry_begins_again_however_often():
    """
    RETRY needs no max_retries, and the count of tries goes up.
    """
    counts = []

    def run():
        counts.append(orchd.context.task_run_count)
        if len(counts) < 4:
            raise RETRY("again", start_time=PAST)

        return counts

    first, _, told = ended(run)

    assert first.result == [1, 2, 3, 4]
    assert told.states("above-1") == [*["running", "retrying"] * 3, "running", "success"]


def test_loop_hands_its_result_to_the_next_iteration():
    """
    LOOP runs the task again at once, with the number and the result of the last iteration in the context.
    """
    seen = []

    def run():
        seen.append((orchd.context.get("task_loop_count"), orchd.context.get("task_loop_result")))
        if len(seen) < 3:
            raise LOOP("again", result=10 * len(seen))

        return "end"

    first, second, told = ended(run)

    assert seen == [(None, None), (2, 10), (3, 20)]
    assert (first.result, second.result) == ("end", "end")
    assert told.states("above-1") == ["running", "success"]


def test_pause_goes_on_at_its_time():
    """
    PAUSE with a start_time goes on by itself, with ``resume`` in the context.
    """
    resumed = []

    def run():
        resumed.append(orchd.context.get("resume"))
        if not orchd.context.get("resume"):
            raise PAUSE("wait", start_time=PAST)

        return 1

    first, _, told = ended(run)

    assert first.result == 1
    assert resumed == [None, True]
    assert told.states("above-1") == ["running", "paused", "running", "success"]


def test_endrun_ends_in_its_state():
    """
    ENDRUN gives its state as it is, without a retry.
    """
    first, second, _ = ended(raising(ENDRUN(Success("words", result=5))), max_retries=3, retry_delay=timedelta(0))

    assert (first.message, first.result, second.result) == ("words", 5, 5)


@pytest.mark.parametrize(
    "kind", [FAIL, LOOP, PAUSE, RETRY, SKIP, SUCCESS, TRIGGERFAIL, VALIDATIONFAIL], ids=lambda kind: kind.__name__
)
def test_no_except_exception_swallows_a_signal(kind):
    """
    Signals are no exceptions, and each is found by the class of its state.
    """
    assert not issubclass(kind, Exception)
    assert issubclass(kind, signals.StateSignal)
    assert signals.signal_from_state(kind("words").state) is kind


def test_a_state_without_a_signal_is_named():
    """
    There is no signal of a cancelled state.
    """
    with pytest.raises(ValueError, match="No signal matches the provided state: <Cached>"):
        signals.signal_from_state(orchd.state.Cached())


@pytest.mark.parametrize("kind", [FAIL, LOOP, PAUSE, RETRY, SKIP, SUCCESS, TRIGGERFAIL, VALIDATIONFAIL])
def test_a_signal_comes_back_from_a_pickle(kind):
    """
    A signal and the state that it is the result of survive a pickle, which executors of other processes need.
    """
    for signal in (kind("words"), kind("words", result=7)):
        back = pickle.loads(pickle.dumps(signal))
        state = pickle.loads(pickle.dumps(signal.state))

        assert (repr(back), repr(back.state)) == (repr(signal), repr(signal.state))
        assert (type(state), repr(state.result)) == (type(signal.state), repr(signal.state.result))
        assert (back.state.result is back) is (signal.state.result is signal)


@pytest.mark.parametrize("exc", [ENDRUN(Success("words")), TaskTimeoutSignal(), TaskTimeoutSignal(goes_on=True)])
def test_other_ends_come_back_too(exc):
    """
    So do ENDRUN and the end of a time limit.
    """
    back = pickle.loads(pickle.dumps(exc))

    assert (repr(back), vars(back)) == (repr(exc), vars(exc))
