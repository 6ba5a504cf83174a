"""
Constants and collections as tasks, so that whatever holds tasks can be an argument.

Constants may be anything: they are never compared, tested for truth or turned into JSON.
"""

from collections.abc import Iterable
from typing import Any

from orchd.engine.context import context
from orchd.flow.task import Binder, Task

#: Longest ``repr`` that a constant is named by.
_SHORT = 8
_PLAIN = (bool, int, float, str, bytes, list, tuple, set, dict, type(None))


class Constant(Task):
    """
    A value that stands for itself.
    """

    auto_generated = True

    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__(name=constant_name(value), checkpoint=False)
        # Nobody forgets to use a constant.
        context.get("_unused_tasks", {}).pop(self, None)

    def run(self) -> Any:
        """
        Return the value.
        """
        return self.value


class _Elements(Task):
    auto_generated = True

    def __init__(self) -> None:
        super().__init__(checkpoint=False)


class List(_Elements):
    """
    Puts its arguments ``arg_1``, ``arg_2`` ... into a list.
    """

    def run(self, **elements: Any) -> list[Any]:
        """
        Return them in the order of their numbers.
        """
        return [elements[name] for name in sorted(elements, key=_number)]


class Tuple(_Elements):
    """
    Puts its arguments into a tuple.
    """

    def run(self, **elements: Any) -> tuple[Any, ...]:
        """
        Return them in the order of their numbers.
        """
        return tuple(elements[name] for name in sorted(elements, key=_number))


class Set(_Elements):
    """
    Puts its arguments into a set.
    """

    def run(self, **elements: Any) -> set[Any]:
        """
        Return them without order.
        """
        return set(elements.values())


class Dict(_Elements):
    """
    Puts keys and values together.
    """

    def run(self, keys: list[Any], values: list[Any]) -> dict[Any, Any]:
        """
        Return the dict in the order of *keys*.
        """
        return dict(zip(keys, values, strict=True))


def holds_task(value: Any) -> bool:
    """
    True when *value* is a task, or a list, tuple, set or dict with a task among its (nested) values.
    """
    if isinstance(value, Task):
        return True

    if isinstance(value, dict):
        return any(map(holds_task, value.values()))

    return isinstance(value, list | tuple | set) and any(map(holds_task, value))


def as_task(value: Any, flow: Binder) -> Task:
    """
    Return *value* as a task; a collection that holds tasks is bound into *flow*.
    """
    if isinstance(value, Task):
        return value

    if not holds_task(value):
        return Constant(value)

    if isinstance(value, dict):
        return Dict().bind(keys=list(value), values=list(value.values()), flow=flow)

    kind = List if isinstance(value, list) else Tuple if isinstance(value, tuple) else Set
    return kind().bind(flow=flow, **_numbered(value))


def constant_name(value: Any) -> str:
    """
    Return what logs call a constant: its ``repr`` if it is short and cheap, else its type.
    """
    text = repr(value) if isinstance(value, _PLAIN) and not (isinstance(value, str) and len(value) > _SHORT) else ""
    return text if 0 < len(text) <= _SHORT else f"Constant[{type(value).__name__}]"


def _numbered(values: Iterable[Any]) -> dict[str, Any]:
    return {f"arg_{number}": value for number, value in enumerate(values, start=1)}


def _number(name: str) -> int:
    return int(name.removeprefix("arg_"))
