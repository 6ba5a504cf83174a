"""
Building flows: calls, arguments, dependencies, and the errors that say what is wrong.
"""

import re
import warnings
from collections import namedtuple
from datetime import timedelta

import pandas as pd
import pytest

from orchd import Flow, LocalResult, Parameter, Task, task
from orchd.flow.collections import constant_name
from support.recording import executed, flow_of

Pair = namedtuple("Pair", "a b")


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


def shown(build):
    """
    Return what ``show(build())`` gives when it runs in a flow.
    """
    with Flow("f") as flow:
        last = show(build())

    state, _ = executed(flow)
    return state.result[last].result


class Unruly:
    """
    A value that can be neither compared nor tested for truth.
    """

    def __eq__(self, other):
        raise RuntimeError("compared")

    def __bool__(self):
        raise RuntimeError("tested")

    __hash__ = None


@pytest.mark.parametrize(
    ("build", "value"),
    [
        (lambda: [one(), 2], [1, 2]),
        (lambda: (one(), 2), (1, 2)),
        (lambda: {one(), 2}, {1, 2}),
        (lambda: {"a": one(), "b": 2}, {"a": 1, "b": 2}),
        (lambda: {"a": [one(), {"b": one()}]}, {"a": [1, {"b": 1}]}),
        (lambda: [[one()], (one(), [one()])], [[1], (1, [1])]),
        (lambda: Pair(1, 2), Pair(1, 2)),
        (list, []),
        (lambda: None, None),
        (lambda: [one() if number % 2 else number for number in range(12)], [0, 1, 2, 1, 4, 1, 6, 1, 8, 1, 10, 1]),
        (lambda: Parameter("p", default={"q": 3}), {"q": 3}),
        (lambda: show(one), 1),
    ],
)
def test_arguments_may_hold_tasks(build, value):
    """
    Collections with tasks in them arrive with the tasks' values in their places.
    """
    assert shown(build) == value


@pytest.mark.parametrize("value", [Unruly(), pd.DataFrame({"a": [1, 2]}), [pd.DataFrame({"a": [1]})], len, object()])
def test_constants_are_never_looked_at(value):
    """
    A constant that can be neither compared nor tested for truth arrives as it is.
    """
    assert shown(lambda: value) is value


def test_unruly_constants_may_be_waited_for_too():
    """
    Anything can stand in upstream_tasks.
    """
    with Flow("f") as flow:
        last = show(Unruly(), upstream_tasks=[Unruly(), pd.DataFrame({"a": [1]}), 5])

    state, told = executed(flow)

    assert state.result[last].is_successful()
    assert sorted(flow.slugs.values()) == ["5-1", "Constant[DataFrame]-1", "Constant[Unruly]-1", "show-1"]
    assert {move.slug for move in told.moves} == {"show-1"}


@pytest.mark.parametrize(
    ("value", "name"),
    [(5, "5"), ("abc", "'abc'"), ("a long text", "Constant[str]"), ([1, 2, 3], "Constant[list]"), ({}, "{}")],
)
def test_constants_are_named_by_what_they_are(value, name):
    """
    A short value names itself, a long one its type.
    """
    assert constant_name(value) == name


def test_a_task_may_be_called_again_and_again():
    """
    Each call is a task run of its own, numbered.
    """
    with Flow("f") as flow:
        calls = [show(number) for number in range(3)]

    state, _ = executed(flow)

    assert [state.result[call].result for call in calls] == [0, 1, 2]
    assert [flow.slugs[call] for call in calls] == ["show-1", "show-2", "show-3"]


def test_a_flow_may_be_built_twice_of_the_same_tasks():
    """
    The task that was written is never bound itself.
    """
    first, second = flow_of(lambda: show(one())), flow_of(lambda: show(one()))

    assert list(first.slugs.values()) == list(second.slugs.values())
    assert executed(second)[0].is_successful()


@pytest.mark.parametrize("join", ["upstream_tasks", "set_upstream", "set_downstream", "chain", "add_edge"])
def test_a_task_waits_for_another_without_its_value(join):
    """
    Every way to say 'after' is an edge without a key.
    """
    order = []
    with Flow("f") as flow:
        first = task(lambda: order.append("first"), name="first")
        second = task(lambda: order.append("second"), name="second")
        if join == "upstream_tasks":
            second(upstream_tasks=[first])
        elif join == "set_upstream":
            second.set_upstream(first)
        elif join == "set_downstream":
            first.set_downstream(second)
        elif join == "chain":
            flow.chain(first, second)
        else:
            flow.add_edge(first, second)

    executed(flow)

    assert order == ["first", "second"]
    assert [edge.key for edge in flow.edges] == [None]


def test_a_constant_given_by_set_upstream_is_an_argument():
    """
    set_upstream with a key takes constants too, and a task given later takes their place.
    """
    with Flow("f") as flow:
        first = show.copy().set_upstream(5, key="x")
        second = show.copy().set_upstream(5, key="x").set_upstream(one(), key="x")

    state, _ = executed(flow)

    assert [state.result[each].result for each in (first, second)] == [5, 1]


def test_a_class_can_be_a_task():
    """
    A subclass of Task brings its own settings and its code in run.
    """

    class Add(Task):
        """
        Adds a fixed number.
        """

        def __init__(self, number, **task_args):
            self.number = number
            super().__init__(**task_args)

        def run(self, x, factor=1):
            """
            Add.
            """
            return (x + self.number) * factor

    with Flow("f") as flow:
        last = Add(5, name="add five")(x=one(), factor=10)

    state, _ = executed(flow)

    assert state.result[last].result == 60
    assert flow.slugs[last] == "add five-1"
    assert repr(last) == "<Task: add five>"


def test_keyword_arguments_are_spread():
    """
    Each of ``**kwargs`` is an edge of its own.
    """

    @task
    def collect(**values):
        return values

    with Flow("f") as flow:
        last = collect(a=one(), b=2)

    assert executed(flow)[0].result[last].result == {"a": 1, "b": 2}


def test_parameters_take_values_or_defaults():
    """
    A given value wins over the default, None included.
    """
    with Flow("f") as flow:
        last = show([Parameter("a", default=1), Parameter("b", default=2), Parameter("c")])

    state, _ = executed(flow, b=None, c=3)

    assert state.result[last].result == [1, None, 3]


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
        (lambda: Task(timeout=1.5), TypeError, "Only integer timeouts (representing seconds) are supported."),
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


def test_reference_tasks_decide():
    """
    A failed task that is no reference task leaves the flow a success.
    """
    with Flow("f") as flow:
        good = one()
        task(lambda: 1 / 0, name="bad")()
        flow.set_reference_tasks([good])

    assert executed(flow)[0].is_successful()


def test_attributes_may_be_changed_after_the_call():
    """
    Real flows set retries on the called task.
    """
    with Flow("f") as flow:
        bad = task(lambda: 1 / 0, name="bad")()
        bad.max_retries, bad.retry_delay = 1, timedelta(0)

    _, told = executed(flow)

    assert told.states("bad-1") == ["running", "retrying", "running", "failed"]


def test_a_task_can_be_called_as_the_function_it_is():
    """
    ``run`` is the function, and the task keeps its name and words.
    """
    assert show.run(5) == 5
    assert show.__doc__ is not None
    assert show.__name__ == "show"


def test_a_name_of_a_slug_that_is_taken_gets_the_next_number():
    """
    A slug that somebody has written is never given to another task.
    """
    with Flow("f") as flow:
        task(lambda: 1, name="x", slug="show-1").bind()
        last = show(1)

    assert flow.slugs[last] == "show-2"


def test_known_states_are_not_run_again():
    """
    flow.run(task_states=...) runs only what is not finished, and below it.
    """
    ran = []
    with Flow("f") as flow:
        first = task(lambda: ran.append(1) or 5, name="first")()
        last = show(first)

    again = flow.run(task_states={first: flow.run().result[first]})

    assert ran == [1]
    assert again.result[last].result == 5
