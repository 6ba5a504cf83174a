"""
Parameters in flows: how they are called, shared and given.
"""

from datetime import UTC, datetime

import pytest

from orchd import DateTimeParameter, Flow, Parameter, context, task
from support.recording import executed


@task
def show(x):
    """
    Give back the argument.
    """
    return x


def test_a_called_parameter_is_the_parameter_itself():
    """
    A parameter may be called, also twice and in two flows, and used beside that: a flow has it once.
    """
    x = Parameter("x", default=1)
    with Flow("first") as first:
        x()
        last = show([x, x()])

    with Flow("second") as second:
        assert x() is x

    state, _ = executed(first, x=5)

    assert state.result[last].result == [5, 5]
    assert second.parameters() == first.parameters() == {x}


@pytest.mark.parametrize(
    ("parameter", "needs"),
    [
        (Parameter("p"), True),
        (Parameter("p", default=None), False),
        (Parameter("p", default=3), False),
        (Parameter("p", default=3, required=True), True),
        (Parameter("p", required=False), False),
        (DateTimeParameter("p"), True),
        (DateTimeParameter("p", default="2021-01-01"), True),
        (DateTimeParameter("p", required=False), False),
    ],
)
def test_a_parameter_is_required_without_a_default(parameter, needs):
    """
    None is a default too; an instant is required unless the flow says otherwise.
    """
    flow = Flow("f", tasks=[parameter])

    state, _ = executed(flow)

    assert state.is_failed() is needs
    assert ("did not receive the following required parameters: p" in state.message) is needs


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("2021-03-04", "2021-03-04T00:00:00+00:00"),
        ("2021-03-04T05:06:07+02:00", "2021-03-04T05:06:07+02:00"),
        (datetime(2021, 3, 4, tzinfo=UTC), "2021-03-04T00:00:00+00:00"),
        (None, None),
    ],
)
def test_an_instant_is_parsed(given, seen):
    """
    Text without an offset is UTC, and None stays None.
    """
    with Flow("f") as flow:
        last = task(lambda day: None if day is None else day.isoformat(), name="last")(DateTimeParameter("day"))

    state, _ = executed(flow, day=given)

    assert state.result[last].result == seen


def test_text_that_is_no_instant_fails_the_parameter():
    """
    The parameter fails, and what needs it does not run.
    """
    day = DateTimeParameter("day")
    with Flow("f") as flow:
        last = show(day)

    state, _ = executed(flow, day="soon")

    assert state.result[day].is_failed()
    assert type(state.result[last]).__name__ == "TriggerFailed"


def test_parameters_are_in_the_context():
    """
    A task finds the values of all parameters under ``parameters``, also of those that nothing uses.
    """
    read = task(lambda: dict(context.parameters), name="values")
    flow = Flow("f", tasks=[Parameter("a", default=1), Parameter("b")])
    with flow:
        values = read()

    state, _ = executed(flow, b=2)

    assert state.result[values].result == {"a": 1, "b": 2}
