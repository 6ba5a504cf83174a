"""
Operators on tasks: in a flow each of them is a task of its own.
"""

import operator
from collections.abc import Callable, Iterator
from typing import Any

from orchd.flow.annotations import EdgeAnnotation


def _task_result(task_result: Any, key: object) -> Any:
    return task_result[key]


class Operators:
    """
    What tasks inherit. A task that has no flow yet finds the active one when it is bound.
    """

    #: Number of values that the task returns; None when it cannot be taken apart.
    nout: int | None

    def _made(self, fn: Callable[..., Any], name: str, *args: object, **task_args: Any) -> Any:
        """
        Return a task of *fn* that is bound with *args*.
        """
        raise NotImplementedError

    def pipe(self, _other: Callable[..., Any], **kwargs: Any) -> Any:
        """
        Return ``_other(self, **kwargs)``, so that calls can be written one after the other.
        """
        return _other(self, **kwargs)

    def is_equal(self, other: object) -> Any:
        """
        Return a task that says whether both results are equal.
        """
        return self._made(lambda x, y: x == y, "Equal", self, other)

    def is_not_equal(self, other: object) -> Any:
        """
        Return a task that says whether both results differ.
        """
        return self._made(lambda x, y: x != y, "NotEqual", self, other)

    def not_(self) -> Any:
        """
        Return a task that says the opposite.
        """
        return self._made(lambda x: not x, "Not", self)

    def or_(self, other: object) -> Any:
        """
        Return a task that gives the first result, or the second where the first is not true.
        """
        return self._made(lambda x, y: x or y, "Or", self, other)

    def __getitem__(self, key: Any) -> Any:
        text = repr(key) if not hasattr(key, "name") else key.name
        own: Any = self
        return self._made(_task_result, f"{own.name}[{text}]", self, key, checkpoint=own.checkpoint, result=own.result)

    def __iter__(self) -> Iterator[Any]:
        if self.nout is None:
            raise TypeError(
                "Task is not iterable. If your task returns multiple results, pass `nout` to the task "
                "decorator/constructor, or provide a `Tuple` return-type annotation to your task."
            )

        return (self[index] for index in range(self.nout))

    def __len__(self) -> int:
        if self.nout is None:
            raise TypeError(f"object of type '{type(self).__name__}' has no len()")

        return self.nout

    def __bool__(self) -> bool:
        return True


def _operation(name: str, function: Callable[[Any, Any], Any], *, is_reflected: bool) -> Callable[[Any, Any], Any]:
    def work(x: object, y: object) -> object:
        """
        Apply the operator.
        """
        return function(x, y)

    def operate(self: Operators, other: object) -> Any:
        """
        Return a task of both.
        """
        if isinstance(other, EdgeAnnotation) and not is_reflected:
            return NotImplemented

        operands = (other, self) if is_reflected else (self, other)
        return self._made(work, name, *operands)

    return operate


#: Suffix of the method, name of the task, function, and whether it has a reflected form.
_TABLE = (
    ("add", "Add", operator.add, True),
    ("sub", "Sub", operator.sub, True),
    ("mul", "Mul", operator.mul, True),
    ("truediv", "Div", operator.truediv, True),
    ("floordiv", "FloorDiv", operator.floordiv, True),
    ("mod", "Mod", operator.mod, True),
    ("pow", "Pow", operator.pow, True),
    ("and", "And", lambda x, y: x and y, True),
    ("lt", "LessThan", operator.lt, False),
    ("le", "LessThanOrEqual", operator.le, False),
    ("gt", "GreaterThan", operator.gt, False),
    ("ge", "GreaterThanOrEqual", operator.ge, False),
)

for _suffix, _name, _function, _is_reflected in _TABLE:
    setattr(Operators, f"__{_suffix}__", _operation(_name, _function, is_reflected=False))
    if _is_reflected:
        setattr(Operators, f"__r{_suffix}__", _operation(_name, _function, is_reflected=True))
