"""
The context, states and captured prints, by themselves.
"""

import pickle
import sys
from datetime import UTC, datetime

import pytest

import orchd
from orchd import LocalResult
from orchd.engine.context import Context, Lazy, date_values
from orchd.engine.prints import PrintCapture
from orchd.engine.state import (
    Cached,
    Failed,
    Pending,
    Retrying,
    Running,
    Success,
    TimedOut,
    TriggerFailed,
    recorded,
)
from orchd.model.states import TaskRunState
from orchd.results.result import Result

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_days_follow_the_zone_of_the_date():
    """
    today and its neighbours are days in the zone of the given date.
    """
    values = date_values("2021-11-06T23:30:00-04:00", now=NOON)

    assert f"{values['date']}" == "2021-11-06T23:30:00-04:00"
    assert (values["yesterday"], values["today_nodash"], values["tomorrow"]) == ("2021-11-05", "20211106", "2021-11-07")


def test_a_date_that_is_none_is_kept():
    """
    Text that is no date stays as it is, and the days are those of now.
    """
    values = date_values("now?", now=NOON)

    assert (values["date"], values["today"]) == ("now?", "2026-11-23")


def test_the_context_gives_back_what_was_there():
    """
    A block's keys end with it, and a missing one is an AttributeError.
    """
    context = Context()
    context.a = 1
    with context(a=2, b=3):
        assert (context.a, context.b) == (2, 3)

    assert dict(context) == {"a": 1}
    with pytest.raises(AttributeError, match="'Context' object has no attribute 'nope'"):
        _ = context.nope


def test_the_context_is_a_mapping_with_attributes():
    """
    Keys can be set, read, counted and removed either way; what is lazy is made once.
    """
    made = []
    context = Context()
    context.swap({"lazy": Lazy(lambda: made.append(1) or "value")})
    context["a"] = 1

    assert (context.lazy, context.lazy, made) == ("value", "value", [1])
    assert (len(context), sorted(context), context.get("b", 2), "a" in context) == (2, ["a", "lazy"], 2, True)
    assert repr(context) == "<Context: ['a', 'lazy']>"
    del context.a
    del context["lazy"]
    assert not context
    with pytest.raises(AttributeError):
        del context.a

    with context({"x": 1}, y=2):
        assert dict(context) == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("state", "true"),
    [
        (Pending(), {"pending"}),
        (Retrying(), {"pending", "scheduled", "retrying"}),
        (Running(), {"running"}),
        (Cached(), {"cached", "successful", "finished"}),
        (TimedOut(), {"failed", "finished"}),
        (TriggerFailed(), {"failed", "finished"}),
    ],
)
def test_states_know_what_they_are(state, true):
    """
    The checks follow the classic tree.
    """
    checks = "pending scheduled retrying running finished successful cached failed".split()

    assert {name for name in checks if getattr(state, f"is_{name}")()} == true


def test_a_state_s_result_can_be_replaced():
    """
    A plain value is wrapped, a Result is kept.
    """
    state = Success(result=1)
    state.result = 2
    assert state.result == 2
    state.result = Result(3, location="here")
    assert (state.result, state._result.location) == (3, "here")
    assert recorded(Pending()) is TaskRunState.PENDING


def test_a_capture_of_prints_behaves_like_a_stream():
    """
    Programs that a task starts find the real descriptor, and bytes are refused.
    """
    lines = []
    capture = PrintCapture(say=lines.append, behind=sys.__stdout__)

    assert capture.writable()
    assert not capture.isatty()
    assert capture.fileno() == sys.__stdout__.fileno()
    assert capture.buffer is sys.__stdout__.buffer
    with pytest.raises(TypeError, match="must be str, not bytes"):
        capture.write(b"x")


def test_the_context_cannot_be_pickled():
    """
    It belongs to a thread; a pickled one would mean nothing.
    """
    with pytest.raises(TypeError, match="Pickling context objects is explicitly not supported"):
        pickle.dumps(orchd.context)


def test_states_are_equal_by_class_and_result():
    """
    The message does not count.
    """
    assert Success("a", result=1) == Success("b", result=1)
    assert Success(result=1) != Success(result=2)
    assert Success() != Failed()
    assert repr(Success("m")) == '<Success: "m">'
    assert LocalResult(dir=".").can_store
