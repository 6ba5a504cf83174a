"""
The errors and warnings that say what is wrong with a flow.
"""

import re
import warnings
from datetime import timedelta

import pytest

from orchd import Flow, LocalResult, Parameter, Task, apply_map, task
from orchd.engine.settings import set_temporary_config
from support.recording import executed, flow_of


@task
def one():
    """
    Give 1.
    """
    return 1


@task
def show(x):
    """
    Give back the argument.
    """
    return x


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"b": 1, "zz": 2}, "Flow.run received the following unexpected parameters: zz"),
        ({}, "Flow.run did not receive the following required parameters: a, b"),
    ],
)
def test_wrong_parameters_are_named(given, message):
    """
    Unknown and missing parameters are all named; under the daemon they make a failed run.
    """
    flow = flow_of(lambda: show([Parameter("b"), Parameter("a")]))
    state, told = executed(flow, **given)

    assert state.is_failed()
    assert told.ends[0][1] == message
    with pytest.raises(ValueError, match=message):
        flow.run(parameters=given)


def test_a_circle_is_refused():
    """
    Tasks that wait for each other give a failed run that says so, and validate raises.
    """
    with Flow("f") as flow:
        first, second = one(), show(1)
        first.set_upstream(second)
        second.set_upstream(first)

    with pytest.raises(ValueError, match="Cycle found; flows must be acyclic!"):
        flow.validate()

    state, told = executed(flow)
    assert state.message == "Unexpected error: ValueError('Cycle found; flows must be acyclic!')"
    assert told.ends[0][1] == state.message


def in_flow(build):
    """
    Return a function that does *build* in a flow's block.
    """
    return lambda: flow_of(build)


@pytest.mark.parametrize(
    ("act", "kind", "message"),
    [
        (lambda: Flow(""), ValueError, "A name must be provided for the flow."),
        (one, ValueError, "Could not infer an active Flow context while creating edge to <Task: one>."),
        (lambda: one.set_upstream(show), ValueError, "No Flow was passed, and could not infer an active Flow context."),
        (in_flow(lambda: show()), TypeError, "missing a required argument: 'x'"),
        (in_flow(lambda: show(1, 2)), TypeError, "too many positional arguments"),
        (in_flow(lambda: show(1, y=2)), TypeError, "got an unexpected keyword argument 'y'"),
        (in_flow(lambda: list(one())), TypeError, "Task is not iterable."),
        (
            in_flow(lambda: show([Parameter("x"), Parameter("x")])),
            ValueError,
            'A task with the slug "x" already exists in this flow.',
        ),
        (
            in_flow(lambda: Parameter("x").set_upstream(one)),
            ValueError,
            "Parameters must be root tasks and can not have upstream dependencies.",
        ),
        (in_flow(lambda: Parameter("x")(1)), TypeError, "Parameter 'x' takes no arguments in a flow"),
        (lambda: Flow("f").add_task(5), TypeError, "Tasks must be Task instances (received <class 'int'>)"),
        (lambda: Flow("f").set_reference_tasks([one]), ValueError, "reference tasks must be part of the flow."),
        (lambda: Flow("f").edges_to(one), ValueError, 'Task <Task: one> was not found in Flow <Flow: name="f">'),
        (lambda: task(5), TypeError, "`fn` must be callable"),
        (lambda: task(lambda *args: 1), ValueError, "Tasks with variable positional arguments (*args) are not"),
        (lambda: task(lambda flow: 1), ValueError, "Tasks cannot have the following argument names: flow."),
        (lambda: task(lambda x, /: 1), TypeError, "Found positional-only parameters in the function signature"),
        (lambda: task(max), ValueError, "This function can not be inspected"),
        (lambda: Task(tags="a"), TypeError, "Tags should be a set of tags, not a string."),
        (lambda: Task(max_retries=1), ValueError, "A datetime.timedelta `retry_delay` must be provided if max_retr"),
        (
            lambda: Task(retry_delay=timedelta(1)),
            ValueError,
            "A `max_retries` argument greater than 0 must be provided if specifying a retry delay.",
        ),
        (lambda: Task(retry_on=ValueError), ValueError, "A number of `max_retries` must be provided if `retry_on`"),
        (
            lambda: Task(max_retries=1, retry_delay=timedelta(1), retry_on="x"),
            TypeError,
            "Invalid `retry_on` value 'x'. Expected an exception type but got an instance of str",
        ),
        (
            lambda: Task(max_retries=1, retry_delay=timedelta(1), retry_on=[BaseException]),
            TypeError,
            "Invalid `retry_on` value <class 'BaseException'>. Expected an exception subclass.",
        ),
        (
            lambda: Task(max_retries=1, retry_delay=timedelta(1), retry_on=[1]),
            TypeError,
            "Invalid `retry_on` value 1. Expected an exception type but got an instance of int",
        ),
        (lambda: Task(timeout=1.5), TypeError, "Only integer timeouts (representing seconds) are supported."),
        (lambda: Task(timeout=-1), ValueError, "Task timeouts must not be negative (received -1)."),
        (lambda: Task(timeout=timedelta(-1)), ValueError, "Task timeouts must not be negative (received -86400)."),
        (
            lambda: Task(max_retries=1, retry_delay=5),
            TypeError,
            "`retry_delay` should be a datetime.timedelta (received 5), as in timedelta(seconds=30).",
        ),
        (
            lambda: Task(max_retries="1", retry_delay=timedelta(1)),
            TypeError,
            "`max_retries` should be a whole number (received '1').",
        ),
        (lambda: Task(cache_for=60), TypeError, "`cache_for` should be a datetime.timedelta (received 60)"),
        (lambda: Task(trigger="all_done"), TypeError, "`trigger` should be a function (received 'all_done')"),
        (
            lambda: Task(result="data"),
            TypeError,
            "`result` should be made by a call such as LocalResult(dir=...) (received 'data').",
        ),
        (lambda: Flow("f", result=LocalResult), TypeError, "`result` should be made by a call such as LocalResult("),
        (
            lambda: Flow("f", schedule="0 9 * * *"),
            TypeError,
            "`schedule` should be made by a call such as CronSchedule('0 9 * * *') (received '0 9 * * *').",
        ),
        (lambda: Flow("f", executor="threads"), TypeError, "`executor` should be made by a call such as LocalDask"),
        (lambda: Flow("f", state_handlers=["x"]), TypeError, "State handlers should be functions (received 'x')."),
        (lambda: Flow(5), TypeError, "The name of a flow should be text (received 5)."),
        (lambda: Task(name=5), TypeError, "The name of a task should be text (received 5)."),
        (lambda: Task(tags=[1]), TypeError, "Tags should be text (received 1)."),
        (
            in_flow(lambda: apply_map(lambda x: show(x, mapped=True), [1])),
            ValueError,
            "Cannot set `mapped=True` when running from inside a mapped context",
        ),
        (lambda: one.copy(foo=1), AttributeError, "<Task: one> does not have foo as an attribute"),
        (lambda: Flow("f").run(q=1), TypeError, "run() got an unexpected keyword argument 'q'"),
    ],
)
def test_mistakes_are_named(act, kind, message):
    """
    Each mistake in building a flow raises its classic sentence.
    """
    with pytest.raises(kind) as caught:
        act()

    assert message in str(caught.value)


def test_a_class_with_a_bad_run_is_refused_when_it_is_written():
    """
    The signature of run is checked with the class statement.
    """
    with pytest.raises(ValueError, match="Tasks with variable positional arguments"):

        class Bad(Task):
            """
            Has a signature that cannot be.
            """

            def run(self, *args):
                """
                Never runs.
                """


def test_running_inside_the_block_is_refused():
    """
    flow.run() in the flow's own block would run half a flow.
    """
    with Flow("f") as flow, pytest.raises(RuntimeError, match=r"Don't call `flow.run\(\)` from within"):
        flow.run()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (in_flow(lambda: Parameter("p")), "Tasks were created but not added to the flow: {<Parameter: p>}."),
        (lambda: Task(timeout=timedelta(seconds=2.5)), "Task timeouts do not support a sub-second resolution"),
        (
            lambda: Task(target="t", result=LocalResult(location="l")),
            "Both `result.location` and `target` were provided. The `target` value will be used.",
        ),
        (in_flow(lambda: show(one()).copy().bind(2)), "You are making a copy of a task that has dependencies"),
    ],
)
def test_doubtful_things_are_warned_about(act, message):
    """
    What is allowed but probably not meant gives its classic warning.
    """
    with pytest.warns(UserWarning, match=re.escape(message)):
        act()


def test_tasks_written_in_the_block_give_no_warning():
    """
    A task that is made and called in the block is not taken for a forgotten one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flow = flow_of(lambda: task(lambda: 1, name="a")())

    assert list(flow.slugs.values()) == ["a-1"]


def test_registering_inside_the_block_is_refused():
    """
    flow.register() in the flow's own block would register half a flow.
    """
    with pytest.raises(ValueError, match=r"Don't call `flow.register\(\)` from within"), Flow("f") as flow:
        flow.register()


def test_an_executor_that_is_not_there_is_named():
    """
    A setting that names another class fails the run with a sentence.
    """
    with set_temporary_config({"engine.executor.default_class": "a.Nobody"}):
        state = flow_of(one).run()

    assert "names 'Nobody'; write LocalExecutor, LocalDaskExecutor or DaskExecutor" in state.message
