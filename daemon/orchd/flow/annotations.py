"""
Annotations of arguments: whether a task is mapped over them, and whether they are flattened.
"""

from dataclasses import dataclass
from typing import Any


class EdgeAnnotation:
    """
    Root of the annotations; *value* is the argument, or another annotation of it.
    """

    def __init__(self, value: object) -> None:
        self.value = value


class mapped(EdgeAnnotation):
    """
    The task has a child for each element.
    """


class unmapped(EdgeAnnotation):
    """
    Every child of the mapped task gets the whole of it.
    """


class flatten(EdgeAnnotation):
    """
    The elements of the elements, one level flatter.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """
    An argument without its annotations, and what they say.
    """

    value: Any
    is_mapped: bool
    is_flattened: bool


def unwrapped(value: object, *, is_mapped: bool) -> Annotated:
    """
    Return *value* without its annotations.

    Args:
        is_mapped: whether it is mapped where no annotation says so.
    """
    is_flattened = False
    while isinstance(value, EdgeAnnotation):
        is_mapped = isinstance(value, mapped) or (is_mapped and not isinstance(value, unmapped))
        is_flattened = is_flattened or isinstance(value, flatten)
        value = value.value

    return Annotated(value=value, is_mapped=is_mapped, is_flattened=is_flattened)
