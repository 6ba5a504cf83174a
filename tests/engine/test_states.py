"""
Every state class: where it stands in the tree, what it is asked, and how it is copied and pickled.
"""

import copy
import pickle
import threading
from datetime import UTC, datetime

import pytest

import orchd
from orchd.engine import state as states
from orchd.engine.state import Cached, Failed, Looped, Mapped, Paused, Queued, Retrying, State, Submitted, Success

#: Every class -> those above it, nearest first, and which of its questions are answered with True.
TREE = {
    "State": ("", ""),
    "Pending": ("State", "pending"),
    "Scheduled": ("Pending State", "pending scheduled"),
    "Resume": ("Scheduled Pending State", "pending scheduled"),
    "Paused": ("Scheduled Pending State", "pending scheduled"),
    "Retrying": ("Scheduled Pending State", "pending scheduled retrying"),
    "Submitted": ("_MetaState State", "meta_state submitted"),
    "ClientFailed": ("_MetaState State", "meta_state"),
    "Queued": ("_MetaState State", "meta_state queued scheduled"),
    "Running": ("State", "running"),
    "Cancelling": ("Running State", "running"),
    "Finished": ("State", "finished"),
    "Looped": ("Finished State", "finished looped"),
    "Success": ("Finished State", "finished successful"),
    "Cached": ("Success Finished State", "finished successful cached"),
    "Mapped": ("Success Finished State", "finished successful mapped"),
    "Skipped": ("Success Finished State", "finished successful skipped"),
    "Failed": ("Finished State", "finished failed"),
    "Cancelled": ("Finished State", "finished"),
    "TimedOut": ("Failed Finished State", "finished failed"),
    "TriggerFailed": ("Failed Finished State", "finished failed"),
    "ValidationFailed": ("Failed Finished State", "finished failed"),
}
NEW_YEAR = datetime(2021, 1, 1, tzinfo=UTC)
QUESTIONS = sorted(name for name in dir(State) if name.startswith("is_"))


@pytest.mark.parametrize("name", sorted(TREE))
def test_a_class_stands_in_the_tree(name):
    """
    Each class is below the classic ones, and answers every question as they do.
    """
    above, marks = TREE[name]
    kind = getattr(states, name)

    assert kind.parents(names_only=True) == above.split()
    assert {question for question in QUESTIONS if getattr(kind(), question)()} == {
        f"is_{mark}" for mark in marks.split()
    }


def test_the_table_names_every_class():
    """
    No class is missing above.
    """
    assert set(State.children(include_self=True, names_only=True)) == {*TREE, "_MetaState"}


@pytest.mark.parametrize("name", sorted(TREE))
def test_a_class_keeps_what_it_is_given(name):
    """
    Message, result, context and further attributes are kept, said in the text, and survive a copy and a pickle.
    """
    state = getattr(states, name)("words", result=[1], context={"k": 2}, cached_inputs={"x": 3})
    state.mark = "hung on by a handler"

    for each in (state, copy.copy(state), pickle.loads(pickle.dumps(state))):
        assert (each.message, each.result, each.context, each.cached_inputs) == ("words", [1], {"k": 2}, {"x": 3})
        assert each.mark == "hung on by a handler"
        assert repr(each) == f'<{name}: "words">'
        assert each == state


@pytest.mark.parametrize(
    ("state", "attribute", "value"),
    [
        (Paused(), "start_time", None),
        (Retrying(run_count=3), "run_count", 3),
        (Looped(loop_count=4), "loop_count", 4),
        (Cached(hashed_inputs={"x": "h"}), "hashed_inputs", {"x": "h"}),
        (Cached(cached_parameters={"p": 1}), "cached_parameters", {"p": 1}),
        (Cached(cached_result_expiration=NEW_YEAR), "cached_result_expiration", NEW_YEAR),
        (Mapped(map_states=[Success(), Failed()]), "n_map_states", 2),
        (Mapped(n_map_states=5), "n_map_states", 5),
        (Submitted(state=Queued(state=Success("in"))), "state", Success("in")),
    ],
)
def test_what_only_one_class_has(state, attribute, value):
    """
    Each class has the further attributes that the classic one has.
    """
    assert getattr(state, attribute) == value


def test_a_state_counts_by_the_context():
    """
    A retry and a loop take their numbers from the task run around them, and a state its tags.
    """
    with orchd.context(task_run_count=3, task_loop_count=5, task_tags={"a"}):
        assert Retrying().run_count == 3
        assert Looped().loop_count == 5
        assert Success().context["tags"] == ["a"]


class Locked(Exception):
    """
    Cannot be pickled.
    """

    def __init__(self):
        super().__init__("held")
        self.lock = threading.Lock()


class Wanting(Exception):
    """
    Can be pickled, but does not come back: it wants two arguments and keeps one.
    """

    def __init__(self, first, second):
        super().__init__(first)


@pytest.mark.parametrize("exc", [Locked(), Wanting("a", "b")])
def test_an_exception_that_no_pickle_holds_is_kept_as_its_text(exc):
    """
    A failed state always comes back from its pickle; a copy of it keeps the exception itself.
    """
    state = Failed("words", result=exc)

    back = pickle.loads(pickle.dumps(state))

    assert (back.message, back.result) == ("words", repr(exc))
    assert copy.copy(state).result is exc
    assert state.result is exc


def test_an_exception_that_a_pickle_holds_comes_back():
    """
    Ordinary exceptions are themselves again.
    """
    back = pickle.loads(pickle.dumps(Failed(result=ValueError("v"))))

    assert repr(back.result) == "ValueError('v')"
