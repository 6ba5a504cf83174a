"""
Mapped tasks: what their children see, and what the recorder is told of each.
"""

import sys
import threading
from datetime import timedelta

import pytest

import orchd
from orchd import Flow, flatten, task, unmapped
from orchd.engine.executors.threads import LocalDaskExecutor
from orchd.flow.execute import execute
from orchd.model.states import TASK_RUN_MOVES, TaskRunState
from support.recording import RecordingRecorder, executed

SOON = timedelta(milliseconds=1)


@task
def double(x):
    """
    Return twice *x*.
    """
    return 2 * x


def test_a_parent_and_its_children_are_recorded():
    """
    The parent is recorded as mapped, and each child by its index.
    """
    with Flow("f") as flow:
        doubled = double.map([1, 2])

    state, told = executed(flow)

    assert state.result[doubled].result == [2, 4]
    assert [(move.map_index, move.state.value) for move in told.moves] == [
        (-1, "mapped"),
        (0, "running"),
        (0, "success"),
        (1, "running"),
        (1, "success"),
    ]


def test_only_children_that_failed_run_again():
    """
    A retry runs one child and what is below that child; all others ran once.
    """
    ran = []

    @task(max_retries=1, retry_delay=SOON)
    def flaky(x):
        ran.append(x)
        if x == 2 and orchd.context.task_run_count == 1:
            raise ValueError("v")
        return x

    with Flow("f") as flow:
        doubled = double.map(flaky.map([1, 2, 3]))
        total = task(lambda xs: sum(xs), name="total")(doubled)

    state, told = executed(flow)

    assert ran == [1, 2, 3, 2]
    assert state.result[total].result == 12
    assert [move.state.value for move in told.moves if (move.slug, move.map_index) == ("flaky-1", 1)] == [
        "running",
        "retrying",
        "running",
        "success",
    ]
    assert sum(move.slug == "double-1" and move.state is TaskRunState.MAPPED for move in told.moves) == 1


def test_every_move_of_a_child_is_allowed():
    """
    Children that fail, are skipped, retried or refused move by the table.
    """

    @task(max_retries=1, retry_delay=SOON)
    def work(x):
        if x == 1:
            raise orchd.signals.SKIP("one")
        if x == 2:
            raise ValueError("two")
        return x

    with Flow("f") as flow:
        double.map(work.map([0, 1, 2]))

    _, told = executed(flow)
    stands = {}
    for move in told.moves:
        before = stands.get((move.slug, move.map_index), TaskRunState.PENDING)
        assert before in TASK_RUN_MOVES[move.state], (move, before)
        stands[move.slug, move.map_index] = move.state

    assert all(state.is_final for state in stands.values())
    assert stands["double-1", 1] is TaskRunState.SKIPPED
    assert stands["double-1", 2] is TaskRunState.TRIGGER_FAILED


def test_lines_of_a_child_carry_its_index():
    """
    What a child logs is recorded with its index, under its own name.
    """

    @task
    def speaks(x):
        orchd.context.logger.info("hears %s", x)

    with Flow("f") as flow:
        speaks.map(["a", "b"])

    _, told = executed(flow)

    assert [(logger, index) for logger, index in told.indexed if logger.startswith("orchd.speaks")] == [
        ("orchd.speaks[0]", 0),
        ("orchd.speaks[1]", 1),
    ]


@pytest.mark.parametrize("executor", [None, LocalDaskExecutor(num_workers=4)])
def test_branches_flatten_and_meet(executor):
    """
    Maps over maps, flattened ones too, give the same with and without threads.
    """

    @task
    def letters(word):
        return list(word)

    @task
    def joined(letter, mark):
        return letter + mark

    with Flow("f", executor=executor) as flow:
        last = task(lambda xs: "".join(xs), name="last")(joined.map(flatten(letters.map(["ab", "c"])), unmapped(".")))

    assert executed(flow)[0].result[last].result == "a.b.c."


def test_a_branch_does_not_wait_for_its_sisters():
    """
    With threads, what is below a quick child runs while a slow child still waits for it.
    """
    order = []
    with Flow("f", executor=LocalDaskExecutor(num_workers=2)) as flow:

        @task
        def first(x):
            if x == 0:
                assert seen.wait(timeout=30)
            return x

        @task
        def second(x):
            order.append(x)
            if x == 1:
                seen.set()

        seen = threading.Event()
        second.map(first.map([0, 1]))

    assert executed(flow)[0].is_successful()
    assert order == [1, 0]


def test_ten_thousand_children_are_fine():
    """
    Each of them runs and is recorded.
    """
    with Flow("f") as flow:
        doubled = double.map(list(range(10_000)))

    recorder = RecordingRecorder()
    state = execute(flow, spec_parameters={}, recorder=recorder, context={})

    assert state.result[doubled].result[-1] == 19_998
    assert len(recorder.moves) == 20_001


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": 1}, "Cannot map over a dict; map over list(d.values()) or list(d.items()) instead."),
        (5, "At least one upstream state has an unmappable result."),
    ],
)
def test_what_has_no_elements_fails_its_task(value, message):
    """
    Only the task fails, with a sentence, not the whole flow run.
    """
    with Flow("f") as flow:
        doubled = double.map(task(lambda: value, name="given")())

    state, told = executed(flow)

    assert state.message == "Some reference tasks failed."
    assert state.result[doubled].message == message
    assert told.states("double-1") == ["failed"]
    assert f"Task 'double': {message}" in told.texts()


def test_prints_of_threads_are_told_apart():
    """
    What tasks in several threads print at once is each task's own, and the terminal is back afterwards.
    """
    both = threading.Barrier(2)

    @task(log_stdout=True)
    def talks(x):
        both.wait(timeout=30)
        for _ in range(50):
            print("child", x)
        both.wait(timeout=30)

    behind = sys.stdout
    with Flow("f", executor=LocalDaskExecutor(num_workers=2)) as flow:
        talks.map([0, 1])

    _, told = executed(flow)

    assert sys.stdout is behind
    assert sorted(text for text in told.texts() if text.startswith("child")) == ["child 0"] * 50 + ["child 1"] * 50
    assert {(text, index) for text, (_, index) in zip(told.texts(), told.indexed, strict=True) if "child" in text} == {
        ("child 0", 0),
        ("child 1", 1),
    }


def test_every_child_judges_a_whole_map_beside_it():
    """
    A child that gets the whole of another map is refused when one child there failed, and not otherwise.
    """

    @task
    def breaks(x):
        return 1 // x

    with Flow("f") as flow:
        good = task(lambda x, ys: (x, ys), name="good").map([1], unmapped(breaks.map([1, 1])))
        bad = task(lambda x, ys: (x, ys), name="bad").map([1], unmapped(breaks.map([1, 0])))

    state, _ = executed(flow)

    assert state.result[good].result == [(1, [1, 1])]
    assert [type(child).__name__ for child in state.result[bad].map_states] == ["TriggerFailed"]


def test_what_is_beside_a_map_does_not_wait_with_it():
    """
    While a mapped task waits for its width, tasks that have nothing to do with it run.
    """
    met = threading.Event()

    @task
    def width():
        assert met.wait(60)
        return [1, 2]

    @task
    def beside():
        met.set()

    with Flow("f", executor=LocalDaskExecutor(num_workers=2)) as flow:
        last = double.map(double.map(width()))
        beside()

    state, _ = executed(flow)

    assert state.is_successful()
    assert state.result[last].result == [4, 8]
