"""
Operators as task classes.
"""

from types import SimpleNamespace

import pytest

from orchd import Flow
from orchd.tasks import operators
from support.recording import executed


@pytest.mark.parametrize(
    ("name", "x", "y", "result"),
    [
        ("Add", 2, 3, 5),
        ("And", 0, 3, 0),
        ("Div", 3, 2, 1.5),
        ("Equal", 2, 2, True),
        ("FloorDiv", 3, 2, 1),
        ("GreaterThan", 2, 2, False),
        ("GreaterThanOrEqual", 2, 2, True),
        ("LessThan", 2, 3, True),
        ("LessThanOrEqual", 3, 2, False),
        ("Mod", 5, 3, 2),
        ("Mul", 2, 3, 6),
        ("NotEqual", 2, 3, True),
        ("Or", 0, 3, 3),
        ("Pow", 2, 3, 8),
        ("Sub", 2, 3, -1),
    ],
)
def test_an_operator_of_two(name, x, y, result):
    """
    The class has the name of the operator, and its task too.
    """
    made = getattr(operators, name)()

    assert (made.name, made.run(x, y)) == (name, result)


def test_elements_and_attributes_of_a_result():
    """
    With a default they need not be there.
    """
    with Flow("f") as flow:
        item = operators.GetItem()({"a": 1}, "a")
        other = operators.GetItem(default=7)({"a": 1}, "b")
        gone = operators.GetItem()({"a": 1}, "b")
        attribute = operators.GetAttr()(SimpleNamespace(b=SimpleNamespace(c=3)), "b.c")
        absent = operators.GetAttr(default=None)(SimpleNamespace(), "b")
        missing = operators.GetAttr()(SimpleNamespace(), "b")
        opposite = operators.Not()(item)

    state, _ = executed(flow)
    results = [state.result[each].result for each in (item, other, attribute, absent, opposite)]

    assert results == [1, 7, 3, None, False]
    assert [type(state.result[each].result) for each in (gone, missing)] == [KeyError, AttributeError]
