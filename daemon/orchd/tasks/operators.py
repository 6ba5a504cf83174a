"""
Operators as task classes, for flows that name them. ``a + b`` in a flow makes the same without them.
"""

import operator
from collections.abc import Callable
from typing import Any

from orchd.flow.helpers import defaults_from_attrs
from orchd.flow.task import Task


class _Nothing:
    """
    No default. A class, as it is the same one in every process.
    """


class GetItem(Task):
    """
    Gives ``task_result[key]``, or *default* where there is no such key.
    """

    def __init__(self, default: Any = _Nothing, **task_args: Any) -> None:
        self.default = default
        super().__init__(**task_args)

    @defaults_from_attrs("default")
    def run(self, task_result: Any, key: Any, default: Any = _Nothing) -> Any:
        """
        Return the element.

        Raises:
            KeyError: there is none, and no default.
        """
        try:
            return task_result[key]
        except KeyError:
            if default is _Nothing:
                raise

            return default


class GetAttr(Task):
    """
    Gives the attribute *attr*, ``"a.b"`` for one of one, or *default* where there is none.
    """

    def __init__(self, default: Any = _Nothing, **task_args: Any) -> None:
        self.default = default
        super().__init__(**task_args)

    @defaults_from_attrs("default")
    def run(self, task_result: Any, attr: str, default: Any = _Nothing) -> Any:
        """
        Return the attribute.

        Raises:
            AttributeError: there is none, and no default.
        """
        try:
            return operator.attrgetter(attr)(task_result)
        except AttributeError:
            if default is _Nothing:
                raise

            return default


class Not(Task):
    """
    Gives the opposite of *x*.
    """

    def run(self, x: Any) -> bool:
        """
        Return whether *x* is not true.
        """
        return not x


def _of_two(name: str, function: Callable[[Any, Any], Any]) -> type[Task]:
    def run(self: Task, x: Any, y: Any) -> Any:
        """
        Apply the operator.
        """
        return function(x, y)

    return type(name, (Task,), {"run": run, "__module__": __name__, "__doc__": f"The operator {name} of two results."})


Add = _of_two("Add", operator.add)
And = _of_two("And", lambda x, y: x and y)
Div = _of_two("Div", operator.truediv)
Equal = _of_two("Equal", operator.eq)
FloorDiv = _of_two("FloorDiv", operator.floordiv)
GreaterThan = _of_two("GreaterThan", operator.gt)
GreaterThanOrEqual = _of_two("GreaterThanOrEqual", operator.ge)
LessThan = _of_two("LessThan", operator.lt)
LessThanOrEqual = _of_two("LessThanOrEqual", operator.le)
Mod = _of_two("Mod", operator.mod)
Mul = _of_two("Mul", operator.mul)
NotEqual = _of_two("NotEqual", operator.ne)
Or = _of_two("Or", lambda x, y: x or y)
Pow = _of_two("Pow", operator.pow)
Sub = _of_two("Sub", operator.sub)
