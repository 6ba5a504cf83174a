"""
Constants and collections as tasks, so that whatever holds tasks can be an argument.

Constants may be anything: they are never compared, tested for truth or turned into JSON.
"""

from collections.abc import Iterable
from typing import Any

from orchd.engine.context import context
from orchd.engine.work import constant_name
from orchd.flow.annotations import EdgeAnnotation
from orchd.flow.binder import Binder
from orchd.flow.task import Task


class Constant(Task):
    """
    A value that stands for itself.
    """

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(name=constant_name(value), checkpoint=False)
        self.auto_generated = True
        # Nobody forgets to use a constant.
        context.get("_unused_tasks", {}).pop(self, None)

    def run(self) -> Any:
        """
        Return the value.
        """
        return self.value


class _Elements(Task):
    def __init__(self) -> None:
        super().__init__(checkpoint=False)
        self.auto_generated = True


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


def holds_task(value: object) -> bool:
    """
    True when *value* is a task, or a list, tuple, set or dict with a task among its (nested) values.
    """
    if isinstance(value, Task):
        return True

    if isinstance(value, EdgeAnnotation):
        return holds_task(value.value)

    if isinstance(value, dict):
        return any(map(holds_task, value.values()))

    return isinstance(value, list | tuple | set) and any(map(holds_task, value))


def as_task(value: Any, flow: Binder | None = None) -> Task:
    """
    Return *value* as a task; a collection that holds tasks is bound into *flow*.
    """
    if isinstance(value, Task):
        return value

    if isinstance(value, EdgeAnnotation):
        return as_task(value.value, flow)

    if not holds_task(value):
        return Constant(value)

    if isinstance(value, dict):
        return Dict().bind(keys=list(value), values=list(value.values()), flow=flow)

    if isinstance(value, set):
        # Tasks first, so that slugs do not depend on how a set is ordered today.
        return Set().bind(flow=flow, **_numbered(sorted(value, key=lambda each: not isinstance(each, Task))))

    kind = List if isinstance(value, list) else Tuple
    return kind().bind(flow=flow, **_numbered(value))


def _numbered(values: Iterable[object]) -> dict[str, Any]:
    return {f"arg_{number}": value for number, value in enumerate(values, start=1)}


def _number(name: str) -> int:
    return int(name.removeprefix("arg_"))
