"""
Building flows: calls, arguments, dependencies, and the errors that say what is wrong.
"""

from collections import namedtuple
from datetime import timedelta

import pandas as pd
import pytest

from orchd import Flow, Parameter, Task, task
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
    A value that can be neither compared nor tested for truth nor shown.
    """

    def __repr__(self):
        raise RuntimeError("shown")

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
    [
        (5, "5"),
        ("abc", "'abc'"),
        ("a long text", "Constant[str]"),
        ([1, 2, 3], "Constant[list]"),
        ([1, 2], "[1, 2]"),
        ([[1]], "[[1]]"),
        ({}, "{}"),
        ({1: 2}, "{1: 2}"),
        ({1: Unruly()}, "Constant[dict]"),
        ([Unruly()], "Constant[list]"),
        ((Unruly(),), "Constant[tuple]"),
        (Unruly(), "Constant[Unruly]"),
    ],
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


def test_a_flow_answers_questions_about_itself():
    """
    Tasks, edges, roots and ends, in order where there is one.
    """
    with Flow("f") as flow:
        p = Parameter("p", default=1)
        first = show(p)
        last = show([first, 2])

    middle = next(task for task in flow if task.name == "List")
    assert flow.tasks == {p, first, middle, last}
    assert list(flow) == [p, first, middle, last] == list(flow.sorted_tasks())
    assert flow.root_tasks() == {p}
    assert flow.terminal_tasks() == flow.reference_tasks() == {last}
    assert flow.upstream_tasks(last) == {middle}
    assert flow.downstream_tasks(p) == {first}
    assert flow.parameters() == {p}
    assert flow.get_tasks("show") == [first, last]
    assert set(flow.get_tasks()) == flow.tasks
    assert len(flow.edges_from(first)) == 1
    again = Flow("g", tasks=[first], edges=flow.edges, reference_tasks=[p])
    assert again.reference_tasks() == {p}
    assert again.edges == flow.edges


def test_a_dependency_can_be_said_from_above():
    """
    set_dependencies takes what waits for a task too, and add_edge twice is one edge.
    """
    with Flow("f") as flow:
        first, second = one(), show(2)
        first.set_dependencies(downstream_tasks=[second])
        flow.add_edge(first, second)

    assert flow.upstream_tasks(second) == {first}
    assert len(flow.edges) == 1


def test_a_parameter_can_be_copied_under_another_name():
    """
    The copy keeps the default, and its slug is its name.
    """
    copied = Parameter("a", default=2).copy("b")

    assert (copied.name, copied.slug, copied.default) == ("b", "b", 2)


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
