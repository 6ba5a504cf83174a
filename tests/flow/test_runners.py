"""
Tasks and flows run by hand, as their tests do.
"""

from datetime import UTC, datetime, timedelta

import pytest

import orchd
from orchd import Edge, Flow, LocalExecutor, LocalResult, Parameter, Task, task
from orchd.engine.state import Failed, Mapped, Pending, Retrying, Running, Skipped, Success
from orchd.flow.runners import FlowRunner, TaskRunner

FAR = datetime(9999, 1, 1, tzinfo=UTC)


@task
def double(x):
    """
    Double the argument.
    """
    return 2 * x


def above(state, **edge):
    """
    Return *state* as that of a task above ``double``.
    """
    return {Edge(Task(name="above"), double, "x", **edge): state}


@pytest.mark.parametrize(
    ("state", "end"),
    [
        (Success(result=4), Success(result=8)),
        (Skipped(), Skipped()),
        (Running(), Pending()),
    ],
)
def test_a_task_runs_below_states(state, end):
    """
    A task takes its arguments from the states above it, and waits while one of them is not over.
    """
    assert TaskRunner(double).run(upstream_states=above(state)) == end


def test_a_task_that_is_over_stays_so():
    """
    A finished state, or one that is due later, is given back as it is.
    """
    for state in (Success(result=1), Failed(), Retrying(start_time=FAR)):
        assert TaskRunner(double).run(state=state) is state


def test_a_parent_asks_for_the_number_of_its_children():
    """
    A mapped parent is only counted, not run.
    """
    end = TaskRunner(double).run(upstream_states=above(Success(result=[1, 2, 3]), mapped=True), is_mapped_parent=True)

    assert isinstance(end, Mapped)
    assert end.n_map_states == 3


def test_a_task_s_result_is_stored_as_the_flow_says(tmp_path):
    """
    ``flow_result`` holds where the task says nothing; keys of the context are given by the caller.
    """
    heard = []
    runner = TaskRunner(
        task(lambda: 7, name="seven"),
        state_handlers=[lambda subject, old, new: heard.append(type(new).__name__)],
        flow_result=LocalResult(str(tmp_path), location="{word}.bin"),
    )

    runner.run(context={"checkpointing": True, "word": "here"})

    assert [each.name for each in tmp_path.iterdir()] == ["here.bin"]
    assert heard == ["Running", "Success"]


def test_a_flow_makes_one_pass():
    """
    All that a pass may be given is used: parameters, known states, handlers, an executor, keys of contexts.
    """
    heard = []

    def hear(subject, old, new):
        heard.append((subject.name, type(new).__name__))

    with Flow("f") as flow:
        known = double(Parameter("x"))
        word = task(lambda: orchd.context.word, name="word")(upstream_tasks=[known])

    end = FlowRunner(flow, state_handlers=[hear]).run(
        parameters={"x": 1},
        task_states={known: Success(result=9)},
        return_tasks=[known, word],
        task_runner_state_handlers=[hear],
        executor=LocalExecutor(),
        context={"word": "of the flow"},
        task_contexts={word: {"word": "of the task"}},
    )

    assert {each.name: state.result for each, state in end.result.items()} == {"double": 9, "word": "of the task"}
    assert ("f", "Running") in heard
    assert ("f", "Success") in heard
    assert ("word", "Success") in heard
    assert ("double", "Success") not in heard


def test_a_pass_leaves_retries_to_the_next():
    """
    One pass tries each task once; with its states, the next pass goes on.
    """
    tries = []

    @task(max_retries=1, retry_delay=timedelta(0))
    def second_time():
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("v")

        return len(tries)

    with Flow("f") as flow:
        last = second_time()

    first = FlowRunner(flow).run(return_tasks=[last])
    second = FlowRunner(flow).run(state=first, task_states=first.result, return_tasks=[last])

    assert (first.is_running(), type(first.result[last]).__name__) == (True, "Retrying")
    assert (second.is_successful(), second.result[last].result) == (True, 2)
