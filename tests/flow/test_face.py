"""
The public face of the package, and the helpers that stand on it.
"""

import importlib.metadata

import pytest

import orchd
from orchd import Flow, task


def test_every_public_name_is_there():
    """
    Each name that the package says to have is loaded when it is asked for, and listed by dir().
    """
    missing = [name for name in orchd.__all__ if not hasattr(orchd, name)]

    assert missing == []
    assert set(orchd.__all__) <= set(dir(orchd))


def test_the_version_is_that_of_the_package():
    """
    ``orchd.__version__`` is the installed version.
    """
    assert orchd.__version__ == importlib.metadata.version("orchd")


def test_an_unknown_name_is_no_attribute():
    """
    A name that is not there is refused as any module refuses it.
    """
    with pytest.raises(AttributeError, match="module 'orchd' has no attribute 'Nonsense'"):
        orchd.Nonsense  # noqa: B018


@task
def divide(x):
    """
    Divide by the argument.
    """
    return 1 / x


@pytest.mark.parametrize("executor", [orchd.LocalExecutor(), orchd.LocalDaskExecutor(num_workers=2)])
def test_errors_of_tasks_leave_the_flow_when_they_are_asked_to(executor):
    """
    In a block of raise_on_exception, what a task raises comes out of flow.run(), also of a mapped one and in threads.
    """
    with Flow("f", executor=executor) as flow:
        divide.map([1, 0])

    with orchd.raise_on_exception(), pytest.raises(ZeroDivisionError):
        flow.run()

    assert flow.run().is_failed()


def test_a_signal_leaves_the_flow_too():
    """
    In that block a signal of a task is raised as it is.
    """

    @task
    def fail():
        raise orchd.signals.FAIL("words")

    with Flow("f") as flow:
        fail()

    with orchd.raise_on_exception(), pytest.raises(orchd.signals.FAIL, match="words"):
        flow.run()


def circle():
    """
    Return edges of two tasks that wait for each other.
    """
    first, second = orchd.Task(name="first"), orchd.Task(name="second")
    return [orchd.Edge(first, second), orchd.Edge(second, first)]


def add_with_setting():
    """
    Close a circle where the setting says that edges are checked at once.
    """
    there, back = circle()
    flow = Flow("f", edges=[there])
    with orchd.set_temporary_config({"flows.eager_edge_validation": True}):
        flow.add_edge(back.upstream_task, back.downstream_task)


@pytest.mark.parametrize(
    "check",
    [
        lambda: Flow("f", edges=circle(), validate=True),
        lambda: Flow("f", edges=circle()).validate(),
        add_with_setting,
    ],
)
def test_circles_are_found_at_once_where_it_is_asked(check):
    """
    A circle is found when the flow is made, the edge is added or validate() is called, as it is asked.
    """
    with pytest.raises(ValueError, match="Cycle found; flows must be acyclic!"):
        check()
