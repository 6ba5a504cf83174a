"""
What happens to tasks when a flow runs, and what the recorder is told of it.
"""

import asyncio
import logging
import time
from datetime import timedelta

import pytest

import orchd
from orchd import Flow, Parameter, context, task
from orchd.engine.signals import FAIL
from orchd.engine.state import Cached
from orchd.model.states import TASK_RUN_MOVES, FlowRunState, TaskRunState
from support.recording import executed, flow_of

SOON = timedelta(milliseconds=1)


def test_success_is_told_in_order():
    """
    A task goes from running to success, each said once, and the flow's end comes last.
    """
    state, told = executed(flow_of(task(lambda: 1, name="one")))

    assert state.is_successful()
    assert told.states("one-1") == ["running", "success"]
    assert told.ends == [(FlowRunState.SUCCESS, "All reference tasks succeeded.")]
    assert told.lines == [
        ("orchd.FlowRunner", "Beginning Flow run for 'f'", None),
        ("orchd.TaskRunner", "Task 'one': Starting task run...", "one-1"),
        ("orchd.TaskRunner", "Task 'one': Finished task run for task with final state: 'Success'", "one-1"),
        ("orchd.FlowRunner", "Flow run SUCCESS: all reference tasks succeeded", None),
    ]


def test_a_failure_fails_the_flow_and_what_is_below():
    """
    Below a failed task nothing runs: its trigger refuses.
    """
    ran = []
    with Flow("f") as flow:
        bad = task(lambda: 1 / 0, name="bad")()
        below = task(lambda x: ran.append(x), name="below")(bad)

    state, told = executed(flow)

    assert state.message == "Some reference tasks failed."
    assert state.result[bad].message == "Error during execution of task: ZeroDivisionError('division by zero')"
    assert state.result[below].message == 'Trigger was "all_successful" but some of the upstream tasks failed.'
    assert told.states("bad-1") == ["running", "failed"]
    assert told.states("below-1") == ["trigger_failed"]
    assert told.ends == [(FlowRunState.FAILED, "Some reference tasks failed.")]
    assert ran == []


def test_a_failure_shows_only_the_person_s_own_frames():
    """
    The traceback in the log begins in the task's code.
    """

    @task
    def bad():
        raise ValueError("v")

    _, told = executed(flow_of(bad))
    text = next(text for text in told.texts() if "Exception encountered" in text)

    assert "orchd/engine" not in text
    assert "ValueError: v" in text
    assert logging.ERROR in told.levels


def test_retries_come_after_everything_else():
    """
    While a task waits for its next try, every other task that can run runs.
    """
    order = []

    @task(max_retries=2, retry_delay=SOON)
    def flaky():
        order.append(orchd.context.task_run_count)
        if orchd.context.task_run_count < 3:
            raise ValueError("v")
        return 7

    with Flow("f") as flow:
        value = flaky()
        task(lambda: order.append("other"), name="other")()
        after = task(lambda x: x + 1, name="after")(value)

    state, told = executed(flow)

    assert order == [1, "other", 2, 3]
    assert state.result[after].result == 8
    assert told.states("flaky-1") == ["running", "retrying", "running", "retrying", "running", "success"]
    assert [move.attempt for move in told.moves if move.slug == "flaky-1"] == [1, 1, 2, 2, 3, 3]
    assert told.states("after-1") == ["running", "success"]
    assert any(text.startswith("Waiting for next available Task run at 20") for text in told.texts())


def test_retries_end():
    """
    After the last try the failure stands.
    """
    state, told = executed(flow_of(task(lambda: 1 / 0, name="bad", max_retries=1, retry_delay=SOON)))

    assert state.is_failed()
    assert told.states("bad-1") == ["running", "retrying", "running", "failed"]


def test_every_recorded_move_is_allowed():
    """
    The moves that the engine reports are moves of the table, starting from pending.
    """

    @task(max_retries=1, retry_delay=SOON, timeout=5)
    def flaky():
        raise ValueError("v")

    with Flow("f") as flow:
        task(lambda x: x, name="below")(flaky())

    _, told = executed(flow)
    stands = {}
    for move in told.moves:
        assert stands.get(move.slug, TaskRunState.PENDING) in TASK_RUN_MOVES[move.state]
        stands[move.slug] = move.state

    assert all(state.is_final for state in stands.values())


@pytest.mark.parametrize("swallowed", [Exception, BaseException])
def test_a_time_limit_cannot_be_swallowed(swallowed):
    """
    A task that catches everything is still ended by its time limit.
    """

    @task(timeout=1)
    def stubborn():
        try:
            time.monotonic()
            while True:
                pass
        except swallowed:
            return "went on"

    with Flow("f") as flow:
        stuck = stubborn()

    state, told = executed(flow)

    assert type(state.result[stuck]).__name__ == "TimedOut"
    assert state.result[stuck].message == "Task timed out during execution."
    assert told.states("stubborn-1") == ["running", "timed_out"]


def test_a_signal_chooses_the_state():
    """
    FAIL is no Exception, and its message is the state's.
    """

    @task
    def refuses():
        try:
            raise FAIL("not today")
        except Exception:
            return "swallowed"

    with Flow("f") as flow:
        refused = refuses()

    state, told = executed(flow)

    assert state.result[refused].message == "not today"
    assert isinstance(state.result[refused].result, FAIL)
    assert "FAIL signal raised: FAIL('not today')" in told.texts()


def test_whatever_a_task_raises_is_a_failure():
    """
    An exception that is none by its class, and one whose repr fails, fail the task and not the run.
    """

    class Mute(Exception):
        """
        An exception that cannot be shown.
        """

        def __repr__(self):
            raise RuntimeError("no words")

    def raises(exc):
        raise exc

    with Flow("f") as flow:
        cancelled = task(lambda: raises(asyncio.CancelledError()), name="cancelled")()
        mute = task(lambda: raises(Mute()), name="mute")()

    state, _ = executed(flow)

    assert state.result[cancelled].is_failed()
    assert "Mute(<its repr raised RuntimeError>)" in state.result[mute].message


@pytest.mark.parametrize("exc", [KeyboardInterrupt, SystemExit])
def test_a_wish_to_stop_goes_through(exc):
    """
    KeyboardInterrupt and SystemExit of a task end the run, and no end is recorded.
    """

    @task
    def stops():
        raise exc

    with pytest.raises(exc):
        executed(flow_of(stops))

    assert "task_name" not in orchd.context


def test_prints_are_lines_of_the_log():
    """
    With log_stdout each whole line that is not blank is one record of the task's.
    """

    @task(log_stdout=True)
    def talks():
        print("a", "b")
        print("two\nlines")
        print("")
        print("no end", end="")

    _, told = executed(flow_of(talks))
    said = [text for logger, text, slug in told.lines if slug == "talks-1" and logger == "orchd.TaskRunner"]

    assert said[1:-1] == ["a b", "two", "lines", "no end"]


def test_the_logger_of_the_context_is_the_task_s():
    """
    What a task says with its logger is recorded under its name, INFO and above.
    """

    @task
    def speaks():
        orchd.context.logger.debug("not shown")
        orchd.context.logger.warning("shown %s", 1)

    _, told = executed(flow_of(speaks))

    assert ("orchd.speaks", "shown 1", "speaks-1") in told.lines
    assert "not shown" not in told.texts()


def test_a_handler_of_the_person_s_own_hears_every_line():
    """
    Handlers that a flow file adds to the logger orchd are kept under the daemon.
    """
    heard = []

    class Ear(logging.Handler):
        """
        Remembers messages.
        """

        def emit(self, record):
            heard.append(record.getMessage())

    ear = Ear()
    logging.getLogger("orchd").addHandler(ear)
    try:
        _, told = executed(flow_of(task(lambda: 1, name="one")))
    finally:
        logging.getLogger("orchd").removeHandler(ear)

    assert heard == told.texts()


def test_the_context_has_the_classic_keys():
    """
    A task sees its flow run and itself in orchd.context, and nothing of it afterwards.
    """
    seen = {}
    with Flow("f") as flow:
        Parameter("p", default=3)()
        task(lambda: seen.update(orchd.context), name="look")()

    executed(flow, p=4)

    wanted = """
        checkpointing date flow_id flow_name logger map_index parameters scheduled_start_time task_full_name task_id
        task_name task_run_count task_run_id task_slug task_tags today today_nodash tomorrow tomorrow_nodash
        upstream_runs yesterday yesterday_nodash
    """.split()
    assert set(wanted) <= set(seen)
    assert seen["parameters"] == {"p": 4}
    assert seen["task_slug"] == "look-1"
    assert "task_name" not in orchd.context


def test_other_exceptions_than_retry_on_are_not_tried_again():
    """
    The failure stands at once, and the log says why.
    """
    _, told = executed(
        flow_of(task(lambda: 1 / 0, name="bad", max_retries=3, retry_delay=SOON, retry_on=(KeyError, OSError)))
    )

    assert told.states("bad-1") == ["running", "failed"]
    assert any("Skipping retry. Exception of type 'ZeroDivisionError' is not" in text for text in told.texts())


def test_what_a_terminal_cannot_say_is_escaped(capsys):
    """
    Half of a character, as invalid UTF-8 becomes it, breaks no log line.
    """

    @task(log_stdout=True)
    def talks():
        print("half \udcff")

    flow_of(talks).run()
    out, err = capsys.readouterr()

    assert "orchd.TaskRunner | half \\udcff\n" in out
    assert err == ""


def test_a_flow_in_a_task_has_its_own_context_and_time_limit():
    """
    A task may run a flow; afterwards its own context is back.
    """

    @task(timeout=60)
    def outer():
        inner = flow_of(task(lambda: orchd.context.flow_name, name="inner", timeout=30), name="within").run()
        return [state.result for state in inner.result.values()], orchd.context.flow_name

    with Flow("around") as flow:
        last = outer()

    assert executed(flow)[0].result[last].result == (["within"], "around")


def never(state, inputs, parameters):
    """
    A cache validator that breaks.
    """
    raise RuntimeError("validator")


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        ({"task_run_name": "{nokey}"}, "KeyError('nokey')"),
        ({"cache_for": timedelta(1), "cache_validator": never}, "RuntimeError('validator')"),
        (
            {"max_retries": 1, "retry_delay": 5, "run": lambda: 1 / 0},
            "TypeError(\"unsupported operand type(s) for +: 'datetime.datetime' and 'int'\")",
        ),
    ],
)
def test_what_breaks_beside_a_task_s_code_fails_only_that_task(spoil, cause):
    """
    A template, a cache validator or an attribute that was set wrongly fails its task; the others run.
    """
    with Flow("f") as flow:
        bad = task(lambda: 1, name="bad")()
        good = task(lambda: 2, name="good")()

    for attribute, value in spoil.items():
        setattr(bad, attribute, value)

    with context(caches={"f/bad-1": [Cached()]}):
        state, told = executed(flow)

    assert state.result[bad].message == f"Task 'bad': Unexpected error while running task: {cause}"
    assert state.result[good].is_successful()
    assert told.states("bad-1")[-1] == "failed"
