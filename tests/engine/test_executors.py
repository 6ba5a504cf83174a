"""
Every executor gives the same flow the same meaning: states, moves, log lines, retries, signals, results.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import orchd
from orchd import Flow, task
from orchd.engine.executors.threads import LocalDaskExecutor
from orchd.engine.signals import FAIL, LOOP, SKIP
from orchd.engine.state import State, Success
from orchd.flow.execute import execute
from orchd.model.states import TaskRunState
from orchd.results.local import LocalResult
from support.recording import RecordingRecorder, executed, is_legal
from support.waiting import eventually

SOON = timedelta(milliseconds=1)
KINDS = ["local", "threads", "processes", "dask"]
Make = Callable[[str], Any]


@pytest.mark.parametrize("kind", KINDS)
def test_maps_over_maps_are_gathered_and_recorded(make: Make, kind: str) -> None:
    """
    Values, moves and order of moves are those of one task after the other.
    """

    @task
    def double(x):
        return 2 * x

    @task
    def total(xs):
        return sum(xs)

    with Flow("f", executor=make(kind)) as flow:
        end = total(double.map(double.map([1, 2, 3])))

    state, told = executed(flow)

    assert state.is_successful()
    assert state.result[end].result == 24
    assert is_legal(told)
    assert sorted(move.map_index for move in told.moves if move.slug == "double-2") == [-1, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_lines_reach_the_recorder_with_their_task(make: Make, kind: str) -> None:
    """
    Loggers and prints with ``log_stdout=True``, between the task's start and its end, each once.
    """

    @task(log_stdout=True)
    def speak(x):
        print("printed", x)
        orchd.context.logger.warning("logged %s", x)

    with Flow("f", executor=make(kind)) as flow:
        speak.map([1, 2])

    _, told = executed(flow)

    for number in (0, 1):
        of_child = [
            text
            for (_, text, slug), (_, index) in zip(told.lines, told.indexed, strict=True)
            if slug == "speak-1" and index == number
        ]
        assert of_child == [
            f"Task 'speak[{number}]': Starting task run...",
            f"printed {number + 1}",
            f"logged {number + 1}",
            f"Task 'speak[{number}]': Finished task run for task with final state: 'Success'",
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_retries_loops_signals_and_handlers_work(make: Make, kind: str) -> None:
    """
    What a task may do besides returning a value ends in the same state everywhere.
    """

    def replaced(task: object, old: State, new: State) -> State:
        return Success(result="replaced") if new.is_successful() else new

    @task(max_retries=1, retry_delay=SOON)
    def flaky():
        if orchd.context.task_run_count == 1:
            raise ValueError("once")
        return orchd.context.task_run_count

    @task
    def loop():
        count = orchd.context.get("task_loop_count", 1)
        if count < 3:
            raise LOOP(result=count)
        return count

    @task
    def skip():
        raise SKIP("no")

    @task
    def fail():
        raise FAIL("bad")

    @task(state_handlers=[replaced])
    def handled():
        return 1

    with Flow("f", executor=make(kind)) as flow:
        tasks = [flaky(), loop(), skip(), fail(), handled()]

    state, told = executed(flow)

    found = [state.result[each] for each in tasks]
    assert [type(each).__name__ for each in found] == ["Success", "Success", "Skipped", "Failed", "Success"]
    assert (found[0].result, found[1].result, found[3].message, found[4].result) == (2, 3, "bad", "replaced")
    assert is_legal(told)
    assert told.states("flaky-1") == ["running", "retrying", "running", "success"]


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_context_and_results_work(make: Make, kind: str, tmp_path: Path) -> None:
    """
    A task sees the parameters and the context's keys, its result is stored, and a target is not run again.
    """

    @task(result=LocalResult(dir=str(tmp_path)), target="{task_name}-{x}.txt")
    def keep(x):
        return (x, orchd.context.flow_name, orchd.context.parameters["x"], orchd.context.map_index)

    with Flow("f", executor=make(kind)) as flow:
        kept = keep(orchd.Parameter("x"))

    first, told = executed(flow, x=5)
    second, _ = executed(flow, x=5)

    assert first.result[kept].result == (5, "f", 5, None)
    assert told.moves[-1].location == str(tmp_path / "keep-5.txt")
    assert type(second.result[kept]).__name__ == "Cached"
    assert second.result[kept].result == (5, "f", 5, None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_limit_ends_a_task(make: Make, kind: str) -> None:
    """
    Python code that goes on for ever is interrupted in every kind of worker.
    """

    @task(timeout=1)
    def endless():
        while True:
            threading.Event().wait(0.01)

    with Flow("f", executor=make(kind)) as flow:
        end = endless()

    state, told = executed(flow)

    assert type(state.result[end]).__name__ == "TimedOut"
    assert told.states("endless-1") == ["running", "timed_out"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_affair_of_a_task_ends_the_run(make: Make, kind: str) -> None:
    """
    ``SystemExit`` of task code goes through the executor to whoever runs the flow.
    """

    @task
    def leave():
        raise SystemExit(3)

    with Flow("f", executor=make(kind)) as flow:
        leave()

    with pytest.raises(SystemExit) as raised:
        execute(flow, spec_parameters={}, recorder=RecordingRecorder(), context={})
    assert raised.value.code == 3


def test_two_threads_overlap() -> None:
    """
    Each of two tasks waits for the other to be there.
    """
    barrier = threading.Barrier(2)

    @task
    def meet(x):
        barrier.wait(30)

    with Flow("f", executor=LocalDaskExecutor(num_workers=2)) as flow:
        meet.map([1, 2])

    assert flow.run().is_successful()


def test_two_processes_overlap() -> None:
    """
    Each of two tasks, in processes of their own, waits for the other to be there.
    """
    barrier = multiprocessing.get_context("fork").Barrier(2)

    @task
    def meet(x):
        barrier.wait(30)
        return os.getpid()

    with Flow("f", executor=LocalDaskExecutor("processes", num_workers=2)) as flow:
        met = meet.map([1, 2])

    state = flow.run()

    assert len({os.getpid(), *state.result[met].result}) == 3


@pytest.mark.parametrize("kind", ["threads", "processes", "dask"])
def test_a_branch_does_not_wait_for_its_neighbours(make: Make, kind: str, tmp_path: Path) -> None:
    """
    The first child of the lower map runs while the second child of the upper map still does.
    """
    below = tmp_path / "below"

    @task
    def upper(x):
        if x == 2:
            eventually(below.exists)
        return x

    @task
    def lower(x):
        below.touch()
        return x

    with Flow("f", executor=make(kind)) as flow:
        lower.map(upper.map([1, 2]))

    assert flow.run().is_successful()


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_ten_thousand_children_run(make: Make, kind: str) -> None:
    """
    All of them, each once, with their results in order.
    """

    @task
    def same(x):
        return x

    with Flow("f", executor=make(kind)) as flow:
        mapped = same.map(list(range(10_000)))

    state, told = executed(flow)

    assert state.result[mapped].result == list(range(10_000))
    assert len([move for move in told.moves if move.state is TaskRunState.SUCCESS and move.slug == "same-1"]) == 10_000
