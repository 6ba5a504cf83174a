"""
Log lines of flows, beyond what runs show: formats of a person's own, and words that do not fit.
"""

import logging
from contextlib import contextmanager

from orchd import Flow, context, get_logger, task
from support.recording import executed


@contextmanager
def heard(line):
    """
    Give the lines of the format *line* that are logged in the block.
    """
    lines = []

    class Listening(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Listening()
    handler.setFormatter(logging.Formatter(line))
    get_logger().addHandler(handler)
    try:
        yield lines
    finally:
        get_logger().removeHandler(handler)


@task
def speak():
    """
    Log one line by the logger of the context.
    """
    context.logger.info("hi")


def test_records_carry_the_keys_of_the_context():
    """
    A format of one's own may name the flow, its run, the task and its run.
    """
    with Flow("f", state_handlers=[lambda flow, old, new: None]) as flow:
        speak()

    with heard("%(flow_name)s/%(task_name)s/%(task_slug)s %(message)s") as lines, context(task_name="-", task_slug="-"):
        executed(flow)

    assert lines == [
        "f/-/- Beginning Flow run for 'f'",
        "f/speak/speak-1 Task 'speak': Starting task run...",
        "f/speak/speak-1 hi",
        "f/speak/speak-1 Task 'speak': Finished task run for task with final state: 'Success'",
        "f/-/- Flow run SUCCESS: all reference tasks succeeded",
    ]


def test_records_outside_of_runs_carry_nothing():
    """
    What is not there is no attribute.
    """
    record = logging.getLogger("elsewhere").makeRecord("elsewhere", logging.INFO, "f", 1, "m", (), None)

    assert not hasattr(record, "task_name")
    assert not hasattr(record, "flow_run_id")


def test_a_task_run_has_one_id_in_all_its_lines():
    """
    The id of a task run is the same in each of its records and in its context.
    """
    seen = []

    @task
    def own():
        context.logger.info("hi")
        seen.append(context.task_run_id)

    with Flow("f") as flow:
        own()

    with heard("%(message)s %(task_run_id)s") as lines, context(task_run_id="-"):
        executed(flow)

    assert f"hi {seen[0]}" in lines


def test_words_that_do_not_fit_do_not_fail_the_task(capsys):
    """
    A log call with a wrong format is reported on standard error, and the task goes on, as with every handler.
    """

    @task
    def wrong():
        context.logger.info("%d apples", "x")
        return 7

    with Flow("f") as flow:
        last = wrong()

    state, told = executed(flow)

    assert state.result[last].result == 7
    assert "%d apples" in capsys.readouterr().err
    assert not any("apples" in text for text in told.texts())
