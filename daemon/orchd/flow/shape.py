"""
The shape of a flow: its tasks, edges and constants, and the questions that can be asked about them.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orchd.flow.collections import Constant, as_task, holds_task
from orchd.flow.parameter import Parameter
from orchd.flow.task import Task
from orchd.graph.edges import Edge
from orchd.graph.graph import Graph, build_graph

FlowEdge = Edge[Task]


class Shape:
    """
    Tasks and edges between them, in the order in which they were added.
    """

    def __init__(
        self,
        name: str,
        *,
        tasks: Iterable[Task] = (),
        edges: Iterable[FlowEdge] = (),
        reference_tasks: Iterable[Task] | None = None,
    ) -> None:
        self.name = name
        #: Each task's id, stable from run to run.
        self.slugs: dict[Task, str] = {}
        #: Arguments that are known beforehand, by task and argument.
        self.constants: dict[Task, dict[str, Any]] = {}
        self._edges: dict[FlowEdge, None] = {}
        self._into: dict[Task, list[FlowEdge]] = {}
        self._out_of: dict[Task, list[FlowEdge]] = {}
        self._names: Counter[str] = Counter()
        self._used_slugs: set[str] = set()
        self._reference_tasks: tuple[Task, ...] | None = None
        for task in tasks:
            self.add_task(task)

        for edge in edges:
            self._add(edge)

        if reference_tasks is not None:
            self.set_reference_tasks(reference_tasks)

    def add_task(self, task: Task) -> Task:
        """
        Add *task* if it is not here yet, and return it.

        Raises:
            TypeError: it is no task.

            ValueError: its slug is taken.
        """
        if not isinstance(task, Task):
            raise TypeError(f"Tasks must be Task instances (received {type(task)})")

        if task not in self.slugs:
            slug = self._new_slug(task)
            self._used_slugs.add(slug)
            self.slugs[task] = slug
            self._into[task] = []
            self._out_of[task] = []

        return task

    def add_edge(self, upstream_task: Any, downstream_task: Any, key: str | None = None) -> FlowEdge:
        """
        Let *downstream_task* wait for *upstream_task*; with a *key*, the result of the one is that argument of the
        other. Both join the flow, but for a constant with a *key*: it is only kept as that argument.

        Raises:
            ValueError: the edge leads to itself or into a parameter, or *key* is no argument's name.
        """
        downstream = self.add_task(as_task(downstream_task, self))
        if isinstance(downstream, Parameter):
            raise ValueError("Parameters must be root tasks and can not have upstream dependencies.")

        if key is not None and not holds_task(upstream_task):
            edge = Edge[Task](Constant(upstream_task), downstream, key)
            self.constants.setdefault(downstream, {})[key] = upstream_task
            return edge

        self.constants.get(downstream, {}).pop(key or "", None)
        return self._add(Edge(self.add_task(as_task(upstream_task, self)), downstream, key))

    def chain(self, *tasks: Task) -> list[FlowEdge]:
        """
        Let each of *tasks* wait for the one before it.
        """
        return [self.add_edge(first, second) for first, second in itertools.pairwise(tasks)]

    def set_dependencies(
        self,
        task: Any,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Add *task*, and say what it waits for and what waits for it.

        Args:
            keyword_tasks: its arguments: values, tasks, or collections with tasks in them.
        """
        this = self.add_task(as_task(task, self))
        for other in upstream_tasks or ():
            self.add_edge(other, this)

        for other in downstream_tasks or ():
            self.add_edge(this, other)

        for key, value in (keyword_tasks or {}).items():
            if holds_task(value):
                self.add_edge(value, this, key)
            else:
                self.constants.setdefault(this, {})[key] = value

    def set_reference_tasks(self, tasks: Iterable[Task]) -> None:
        """
        Let the states of *tasks* decide the flow's; none of them for those that nothing waits for.
        """
        chosen = tuple(tasks)
        if any(task not in self.slugs for task in chosen):
            raise ValueError("reference tasks must be part of the flow.")

        self._reference_tasks = chosen or None

    @property
    def tasks(self) -> set[Task]:
        """
        All tasks.
        """
        return set(self.slugs)

    @property
    def edges(self) -> set[FlowEdge]:
        """
        All edges.
        """
        return set(self._edges)

    def has_edges(self, task: Task) -> bool:
        """
        True when an edge leads to or from *task*.
        """
        return bool(self._into.get(task) or self._out_of.get(task))

    def edges_to(self, task: Task) -> set[FlowEdge]:
        """
        The edges that lead to *task*.
        """
        return set(self._known(self._into, task))

    def edges_from(self, task: Task) -> set[FlowEdge]:
        """
        The edges that lead from *task*.
        """
        return set(self._known(self._out_of, task))

    def upstream_tasks(self, task: Task) -> set[Task]:
        """
        The tasks that *task* waits for.
        """
        return {edge.upstream_task for edge in self.edges_to(task)}

    def downstream_tasks(self, task: Task) -> set[Task]:
        """
        The tasks that wait for *task*.
        """
        return {edge.downstream_task for edge in self.edges_from(task)}

    def root_tasks(self) -> set[Task]:
        """
        The tasks that wait for nothing.
        """
        return {task for task, edges in self._into.items() if not edges}

    def terminal_tasks(self) -> set[Task]:
        """
        The tasks that nothing waits for.
        """
        return {task for task, edges in self._out_of.items() if not edges}

    def reference_tasks(self) -> set[Task]:
        """
        The tasks whose states decide the flow's.
        """
        return self.terminal_tasks() if self._reference_tasks is None else set(self._reference_tasks)

    def parameters(self) -> set[Parameter]:
        """
        All parameters.
        """
        return {task for task in self.slugs if isinstance(task, Parameter)}

    def get_tasks(self, name: str | None = None) -> list[Task]:
        """
        The tasks of that name, in the order in which they were added; all of them for None.
        """
        return [task for task in self.slugs if name is None or task.name == name]

    def sorted_tasks(self) -> tuple[Task, ...]:
        """
        All tasks, each after those that it waits for.

        Raises:
            ValueError: they wait for each other in a circle.
        """
        return tuple(node.task for node in self.graph().nodes)

    def graph(self) -> Graph[Task]:
        """
        The flow as the engine runs it.

        Raises:
            ValueError: tasks wait for each other in a circle.
        """
        return build_graph(
            name=self.name,
            slugs=self.slugs,
            edges=self._edges,
            constants=self.constants,
            references=self._reference_tasks,
        )

    def validate(self) -> None:
        """
        Check that the flow can run.

        Raises:
            ValueError: tasks wait for each other in a circle.
        """
        self.graph()

    def __iter__(self) -> Iterator[Task]:
        return iter(self.sorted_tasks())

    def _add(self, edge: FlowEdge) -> FlowEdge:
        for task in (edge.upstream_task, edge.downstream_task):
            self.add_task(task)

        if edge not in self._edges:
            self._edges[edge] = None
            self._into[edge.downstream_task].append(edge)
            self._out_of[edge.upstream_task].append(edge)

        return edge

    def _new_slug(self, task: Task) -> str:
        if task.slug is not None:
            if task.slug in self._used_slugs:
                raise ValueError(f'A task with the slug "{task.slug}" already exists in this flow.')

            return task.slug

        prefix = "-".join([task.name, *sorted(task.tags)])
        while True:
            self._names[prefix] += 1
            slug = f"{prefix}-{self._names[prefix]}"
            if slug not in self._used_slugs:
                return slug

    def _known(self, edges: Mapping[Task, list[FlowEdge]], task: Task) -> list[FlowEdge]:
        if task not in self.slugs:
            raise ValueError(f"Task {task} was not found in Flow {self}")

        return edges[task]
