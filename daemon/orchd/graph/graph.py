"""
A flow's tasks in an order in which they can run.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from orchd.graph.edges import Edge

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node(Generic[T]):
    """
    One task in its place: what it waits for, and the arguments that are known beforehand.
    """

    task: T
    #: Unique in the graph, stable from run to run.
    slug: str
    upstream: tuple[Edge[T], ...]
    #: Argument -> value. Values may be anything at all, and are never compared.
    constants: Mapping[str, Any]
    #: True when it has a child for each element of what is above it.
    is_mapped: bool
    #: True when something above it is flattened on the way.
    is_flattened: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph(Generic[T]):
    """
    Nodes in an order in which each comes after everything that it waits for.
    """

    name: str
    nodes: tuple[Node[T], ...]
    #: Tasks whose states decide the flow's.
    references: frozenset[T]
    #: Tasks that nothing waits for; while one is not finished, the flow is not.
    terminals: frozenset[T]


def build_graph(
    *,
    name: str,
    slugs: Mapping[T, str],
    edges: Iterable[Edge[T]],
    constants: Mapping[T, Mapping[str, Any]],
    references: Iterable[T] | None = None,
) -> Graph[T]:
    """
    Put the tasks of a flow in order.

    Args:
        slugs: each task and its slug, in the order in which they were added; that order is kept where edges allow.

        references: None for the terminal tasks.

    Raises:
        ValueError: tasks wait for each other in a circle.
    """
    incoming: dict[T, list[Edge[T]]] = {task: [] for task in slugs}
    terminals = dict.fromkeys(slugs)
    for edge in edges:
        incoming[edge.downstream_task].append(edge)
        terminals.pop(edge.upstream_task, None)

    nodes = tuple(
        Node(
            task=task,
            slug=slugs[task],
            upstream=tuple(incoming[task]),
            constants=MappingProxyType(dict(constants.get(task, ()))),
            is_mapped=any(edge.mapped for edge in incoming[task]),
            is_flattened=any(edge.flattened for edge in incoming[task]),
        )
        for task in ordered(list(slugs), incoming)
    )
    final = frozenset(terminals)
    chosen = final if references is None else frozenset(references)
    return Graph(name=name, nodes=nodes, references=chosen, terminals=final)


def ordered(tasks: Sequence[T], incoming: Mapping[T, Sequence[Edge[T]]]) -> list[T]:
    """
    Return *tasks* so that each comes after its upstreams, and otherwise in the order given.

    Raises:
        ValueError: they wait for each other in a circle; :func:`find_circle` says in which.
    """
    order = _free(tasks, incoming)
    if len(order) < len(tasks):
        raise ValueError("Cycle found; flows must be acyclic!")

    return order


def find_circle(tasks: Iterable[T], edges: Iterable[Edge[T]]) -> list[T]:
    """
    Return tasks that wait for each other in a circle, the first one again at the end; empty when there are none.
    """
    incoming: dict[T, list[Edge[T]]] = {task: [] for task in tasks}
    for edge in edges:
        incoming[edge.downstream_task].append(edge)

    free = set(_free(list(incoming), incoming))
    bound = [task for task in incoming if task not in free]
    if not bound:
        return []

    # Each task that is left waits for another one that is left: going up must come back.
    path = [bound[0]]
    place = {bound[0]: 0}
    while True:
        above = next(edge.upstream_task for edge in incoming[path[-1]] if edge.upstream_task not in free)
        path.append(above)
        if above in place:
            return path[place[above] :][::-1]

        place[above] = len(path) - 1


def _free(tasks: Sequence[T], incoming: Mapping[T, Sequence[Edge[T]]]) -> list[T]:
    """
    Return the tasks that can be put in order: all of them, but for those in a circle and below one.
    """
    place = {task: index for index, task in enumerate(tasks)}
    waits_for = [len(incoming[task]) for task in tasks]
    downstream: list[list[int]] = [[] for _ in tasks]
    for index, task in enumerate(tasks):
        for edge in incoming[task]:
            downstream[place[edge.upstream_task]].append(index)

    ready = [index for index, count in enumerate(waits_for) if count == 0]
    order: list[T] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(tasks[index])
        for after in downstream[index]:
            waits_for[after] -= 1
            if waits_for[after] == 0:
                heapq.heappush(ready, after)

    return order
