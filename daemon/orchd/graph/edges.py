"""
Edges between the tasks of a flow.
"""

import keyword
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Edge(Generic[T]):
    """
    *upstream_task* comes before *downstream_task*; with a *key*, its result is that argument. Equal by all five fields.
    """

    __slots__ = ("_hash", "downstream_task", "flattened", "key", "mapped", "upstream_task")

    def __init__(
        self,
        upstream_task: T,
        downstream_task: T,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
    ) -> None:
        if upstream_task is downstream_task:
            raise ValueError("Edges can not connect a task to itself.")

        if key is not None and (not key.isidentifier() or keyword.iskeyword(key)):
            raise ValueError(f'Key must be a valid identifier (received "{key}")')

        self.upstream_task = upstream_task
        self.downstream_task = downstream_task
        self.key = key
        self.mapped = bool(mapped)
        self.flattened = bool(flattened)
        self._hash = hash((id(upstream_task), id(downstream_task), key, self.mapped, self.flattened))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Edge)
            and self.upstream_task is other.upstream_task
            and self.downstream_task is other.downstream_task
            and (self.key, self.mapped, self.flattened) == (other.key, other.mapped, other.flattened)
        )

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        """
        Return how it is made anew from a copy or a pickle, where its tasks are other objects with other hashes.
        """
        return type(self), (self.upstream_task, self.downstream_task, self.key, self.mapped, self.flattened)

    def __repr__(self) -> str:
        ends = f"{_name(self.upstream_task)} to {_name(self.downstream_task)}"
        return f"<Edge(key={self.key}, mapped={self.mapped}, flattened={self.flattened}): {ends}>"


def _name(task: object) -> str:
    return str(getattr(task, "name", task))
