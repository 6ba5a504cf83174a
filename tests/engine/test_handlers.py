"""
State handlers, pauses and loops, as the recorder is told of them.
"""

from datetime import timedelta

import pytest

import orchd
from orchd import Flow, callback_factory, clock, task
from orchd.engine import signals
from orchd.engine.state import (
    Cancelled,
    Failed,
    Finished,
    Paused,
    Resume,
    Retrying,
    Scheduled,
    Skipped,
    State,
    Success,
    TriggerFailed,
)
from orchd.model.states import TASK_RUN_MOVES, TaskRunState
from support.recording import executed, flow_of


def becoming(kind, when):
    """
    Return a handler that puts a state of *kind* in the place of each that *when* is true of.
    """

    def handler(subject, old, new):
        return kind("put here") if when(new) else None

    return handler


@pytest.mark.parametrize(
    ("kind", "when", "moves"),
    [
        (Skipped, lambda state: state.is_running(), ["skipped"]),
        (Success, lambda state: state.is_running(), ["running", "success"]),
        (Failed, lambda state: state.is_successful(), ["running", "failed"]),
        (Finished, lambda state: state.is_successful(), ["running", "success"]),
        (Cancelled, lambda state: state.is_successful(), ["running", "cancelled"]),
        (TriggerFailed, lambda state: state.is_successful(), ["running", "failed"]),
    ],
)
def test_a_handler_may_put_another_state(kind, when, moves):
    """
    What is recorded is what the handler put, by a way that the table allows.
    """
    _, told = executed(flow_of(task(lambda: 1, name="t", state_handlers=[becoming(kind, when)])))

    assert told.states("t-1") == moves


@pytest.mark.parametrize("kind", [Scheduled, Resume])
def test_a_task_that_a_handler_puts_off_runs_once_more(kind):
    """
    Between its tries it is retrying: from running to running there is no way in the table.
    """
    put_off = iter([kind(start_time=clock.now())])

    def handler(task, old, new):
        return next(put_off, None) if new.is_successful() else None

    _, told = executed(flow_of(task(lambda: 1, name="t", state_handlers=[handler])))

    assert told.states("t-1") == ["running", "retrying", "running", "success"]


def test_a_refusal_after_a_retry_is_allowed():
    """
    A trigger of one's own may refuse a task that waited for its next try.
    """
    answers = [True, False]

    @task(trigger=lambda states: answers.pop(0), max_retries=1, retry_delay=timedelta(milliseconds=1))
    def bad():
        raise ValueError("v")

    _, told = executed(flow_of(bad))
    stands = TaskRunState.PENDING
    for move in told.moves:
        assert stands in TASK_RUN_MOVES[move.state]
        stands = move.state

    assert stands is TaskRunState.TRIGGER_FAILED


def test_a_loop_is_one_run():
    """
    Every iteration finds what the last one gave; the recorder hears of one run.
    """

    @task
    def counts():
        number = orchd.context.get("task_loop_result", 0)
        if number < 3:
            raise signals.LOOP(result=number + 1)
        return number

    with Flow("f") as flow:
        counted = counts()

    state, told = executed(flow)

    assert state.result[counted].result == 3
    assert told.states("counts-1") == ["running", "success"]


def test_a_pause_without_anybody_fails_and_says_so():
    """
    Under the daemon nobody can let a paused task go on, so it fails, and what is below it is refused.
    """
    with Flow("f") as flow:
        stuck = task(lambda: 1, name="stuck", trigger=orchd.triggers.manual_only)()
        below = task(lambda x: x, name="below")(stuck)

    state, told = executed(flow)

    assert state.result[stuck].message == "Task 'stuck' is paused, and nobody is there to let it go on."
    assert type(state.result[below]).__name__ == "TriggerFailed"
    assert told.states("stuck-1") == ["paused", "failed"]


def test_a_pause_with_an_end_goes_on_by_itself():
    """
    A task that is paused until an instant runs again then, with ``resume`` in its context.
    """

    @task
    def waits():
        if not orchd.context.get("resume"):
            raise signals.PAUSE("a moment", start_time=orchd.context.date)
        return "went on"

    with Flow("f") as flow:
        waited = waits()

    state, told = executed(flow)

    assert state.result[waited].result == "went on"
    assert told.states("waits-1") == ["running", "paused", "running", "success"]


def test_states_keep_what_handlers_hang_on_them():
    """
    A handler sees the very state that the handler before it saw as new.
    """
    seen = []

    def handler(subject, old, new):
        seen.append(getattr(old, "mark", None))
        new.mark = type(new).__name__

    executed(flow_of(task(lambda: 1, name="t", state_handlers=[handler])))

    assert seen == [None, "Running"]


def test_a_flow_s_handlers_see_its_end():
    """
    A flow's handler may put another end, which keeps the states of the tasks.
    """

    def handler(flow, old, new):
        return Failed("no") if new.is_successful() else None

    with Flow("f", state_handlers=[handler]) as flow:
        one = task(lambda: 1, name="one")()

    state, told = executed(flow)

    assert state.is_failed()
    assert state.result[one].result == 1
    assert told.ends[0][1] == "no"


def test_states_come_back_from_json():
    """
    A state that is written and read has its class, message and times, and no value.
    """
    retrying = Retrying("again", result=5, run_count=3)
    read = Retrying.deserialize(retrying.serialize())

    assert (type(read), read.message, read.run_count, read.result) == (Retrying, "again", 3, None)
    assert read.start_time == retrying.start_time
    assert Paused.deserialize(Paused().serialize()).start_time is None
    with pytest.raises(ValueError, match="There is no state of the type 'Nope'"):
        Retrying.deserialize({"type": "Nope"})


@pytest.mark.parametrize(("answer", "end"), [(" Y ", "Success"), ("n", "Running"), (None, "Running")])
def test_in_a_terminal_somebody_is_asked(monkeypatch, answer, end):
    """
    flow.run() asks about a paused task, and goes on after a yes.
    """

    def answered(prompt):
        assert prompt == "<Task: stuck> is currently Paused; enter 'y' to resume:\n"
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", answered)
    flow = flow_of(task(lambda: 1, name="stuck", trigger=orchd.triggers.manual_only))

    assert type(flow.run()).__name__ == end


@pytest.mark.parametrize("given", [True, "text", Success])
def test_a_handler_that_gives_no_state_fails_its_task(given):
    """
    What a handler returns must be a state or nothing: the task fails with a sentence, the flow goes on.
    """
    with Flow("f") as flow:
        bad = task(lambda: 1, name="bad", state_handlers=[lambda subject, old, new: given])()
        good = task(lambda: 2, name="good")()

    state, _ = executed(flow)

    assert "state handler <lambda> returned" in state.result[bad].message
    assert state.result[good].is_successful()


@pytest.mark.parametrize("given", [None, False, ""])
def test_a_handler_that_gives_nothing_keeps_the_state(given):
    """
    Whatever counts as nothing keeps the new state.
    """
    state, _ = executed(flow_of(task(lambda: 1, name="t", state_handlers=[lambda subject, old, new: given])))

    assert state.is_successful()


def test_callbacks_hear_the_states_they_wait_for():
    """
    callback_factory calls its function with the task and each state that its check is true of.
    """
    heard = []
    handler = callback_factory(lambda subject, state: heard.append((subject.name, state.result)), State.is_successful)

    state, _ = executed(flow_of(task(lambda: 7, name="t", state_handlers=[handler])))

    assert state.is_successful()
    assert heard == [("t", 7)]


def test_on_failure_hears_each_failure():
    """
    on_failure is called for the failure that is tried again too, and after the other handlers; a flow's for its end.
    """
    heard = []

    @task(
        max_retries=1,
        retry_delay=timedelta(0),
        on_failure=lambda subject, state: heard.append(f"{subject.name}: {state.result!r}"),
        state_handlers=[lambda subject, old, new: heard.append(type(new).__name__)],
    )
    def bad():
        raise ValueError("v")

    with Flow("f", on_failure=lambda subject, state: heard.append(f"{subject.name}: {state.message}")) as flow:
        bad()

    executed(flow)

    assert heard == [
        *["Running", "Failed", "bad: ValueError('v')", "Retrying"],
        *["Running", "Failed", "bad: ValueError('v')"],
        "f: Some reference tasks failed.",
    ]
