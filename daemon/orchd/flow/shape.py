"""
The shape of a flow: its tasks, edges and constants, and the questions that can be asked about them.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from orchd.engine.context import context
from orchd.engine.settings import setting
from orchd.flow.annotations import EdgeAnnotation, unwrapped
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
            for block in (context.get("case"), context.get("resource")):
                if block is not None:
                    block.add_task(task)

        return task

    def add_edge(
        self,
        upstream_task: object,
        downstream_task: object,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
        validate: bool | None = None,
    ) -> FlowEdge:
        """
        Let *downstream_task* wait for *upstream_task*; with a *key*, the result of the one is that argument of the
        other. Both join the flow, but for a constant with a *key*: it is only kept as that argument.

        Args:
            mapped: True when *downstream_task* has a child for each element.

            flattened: True when the elements' elements are taken.

            validate: True checks at once what a run would find; None for as the setting `flows.eager_edge_validation`
                says.

        Raises:
            ValueError: the edge leads to itself or into a parameter, or *key* is no argument's name.
        """
        if mapped and context.get("mapped"):
            raise ValueError("Cannot set `mapped=True` when running from inside a mapped context")

        given = unwrapped(upstream_task, is_mapped=mapped)
        is_flattened = flattened or given.is_flattened
        downstream = self.add_task(as_task(downstream_task, self))
        if isinstance(downstream, Parameter):
            raise ValueError("Parameters must be root tasks and can not have upstream dependencies.")

        checked = setting("flows.eager_edge_validation") if validate is None else validate
        if checked and key is not None:
            self._check_key(downstream, key)

        if key is not None and not (given.is_mapped or is_flattened or holds_task(given.value)):
            edge = Edge[Task](Constant(given.value), downstream, key)
            self.constants.setdefault(downstream, {})[key] = given.value
            return edge

        edge = Edge(self.add_task(as_task(given.value, self)), downstream, key, given.is_mapped, is_flattened)
        if key is not None:
            self._free(downstream, key)

        self._add(edge)
        if checked:
            self.validate()

        return edge

    def chain(self, *tasks: Task) -> list[FlowEdge]:
        """
        Let each of *tasks* wait for the one before it.
        """
        return [self.add_edge(first, second) for first, second in itertools.pairwise(tasks)]

    def set_dependencies(
        self,
        task: object,
        upstream_tasks: Iterable[object] | None = None,
        downstream_tasks: Iterable[object] | None = None,
        keyword_tasks: Mapping[str, object] | None = None,
        mapped: bool = False,
        validate: bool | None = None,
    ) -> None:
        """
        Add *task*, and say what it waits for and what waits for it.

        Args:
            keyword_tasks: its arguments: values, tasks, or collections with tasks in them.

            mapped: True when *task* has a child for each element of what it waits for.
        """
        this = self.add_task(as_task(task, self))
        for other in upstream_tasks or ():
            self.add_edge(other, this, mapped=mapped, validate=validate)

        for other in downstream_tasks or ():
            self.add_edge(this, other, mapped=mapped, validate=validate)

        for key, value in (keyword_tasks or {}).items():
            if mapped or validate is not None or isinstance(value, EdgeAnnotation) or holds_task(value):
                self.add_edge(value, this, key, mapped=mapped, validate=validate)
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

    def reference_tasks(self) -> set[Task]:
        """
        The tasks whose states decide the flow's: those chosen, or those that nothing waits for. Tasks that make and
        clean up a resource are none by themselves.
        """
        if self._reference_tasks is not None:
            return set(self._reference_tasks)

        return {
            task
            for task, edges in self._out_of.items()
            if task.resource_role not in ("init", "cleanup")
            and all(edge.downstream_task.resource_role == "cleanup" for edge in edges)
        }

    def chosen_references(self) -> tuple[Task, ...]:
        """
        The reference tasks that were chosen; empty when none were.
        """
        return self._reference_tasks or ()

    def graph_edges(self) -> list[FlowEdge]:
        """
        All edges, in the order in which they were added.
        """
        return list(self._edges)

    def has_edges(self, task: Task) -> bool:
        """
        True when an edge leads to or from *task*.
        """
        return bool(self._into.get(task) or self._out_of.get(task))

    def terminal_tasks(self) -> set[Task]:
        """
        The tasks that nothing waits for.
        """
        return {task for task, edges in self._out_of.items() if not edges}

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
            references=self.reference_tasks(),
        )

    def validate(self) -> None:
        """
        Check that the flow can run.

        Raises:
            ValueError: tasks wait for each other in a circle.
        """
        self.graph()

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

    def _free(self, task: Task, key: str) -> None:
        """
        Let no constant stand beside the edge that brings the argument *key*.
        """
        self.constants.get(task, {}).pop(key, None)

    def _check_key(self, task: Task, key: str) -> None:
        if key in self.constants.get(task, {}) or any(edge.key == key for edge in self._into[task]):
            raise ValueError(
                f'Argument "{key}" for task {task} has already been assigned in this flow. If you are trying to call '
                "the task again with new arguments, call Task.copy() before adding the result to this flow."
            )

        task.inputs_signature().bind_partial(**{key: None})
