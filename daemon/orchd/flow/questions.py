"""
The questions that can be asked about a flow.
"""

from collections.abc import Iterable, Iterator, Mapping

from orchd.flow.parameter import Parameter
from orchd.flow.shape import FlowEdge, Shape
from orchd.flow.task import Task


class Questions(Shape):
    """
    A shape that can be asked about.
    """

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

    def parameters(self) -> set[Parameter]:
        """
        All parameters.
        """
        return {task for task in self.slugs if isinstance(task, Parameter)}

    def all_upstream_edges(self) -> dict[Task, set[FlowEdge]]:
        """
        The edges that lead to each task.
        """
        return {task: set(edges) for task, edges in self._into.items()}

    def all_downstream_edges(self) -> dict[Task, set[FlowEdge]]:
        """
        The edges that lead from each task.
        """
        return {task: set(edges) for task, edges in self._out_of.items()}

    def get_tasks(
        self,
        name: str | None = None,
        slug: str | None = None,
        tags: Iterable[str] | None = None,
        task_type: type[Task] | None = None,
    ) -> list[Task]:
        """
        The tasks that fit everything that is asked, in the order in which they were added.

        Args:
            slug: one that was chosen by the person; those that are made here are not looked at.

            tags: the task has all of them.
        """
        wanted = set(tags or ())
        return [
            task
            for task in self.slugs
            if (name is None or task.name == name)
            and (slug is None or task.slug == slug)
            and wanted <= task.tags
            and (task_type is None or isinstance(task, task_type))
        ]

    def sorted_tasks(self, root_tasks: Iterable[Task] | None = None) -> tuple[Task, ...]:
        """
        All tasks, each after those that it waits for.

        Args:
            root_tasks: only they and what is below them; None for all.

        Raises:
            ValueError: they wait for each other in a circle.
        """
        order = tuple(node.task for node in self.graph().nodes)
        if root_tasks is None:
            return order

        below = set(root_tasks)
        for task in order:
            if any(edge.upstream_task in below for edge in self._into[task]):
                below.add(task)

        return tuple(task for task in order if task in below)

    def __iter__(self) -> Iterator[Task]:
        return iter(self.sorted_tasks())

    def _known(self, edges: Mapping[Task, list[FlowEdge]], task: Task) -> list[FlowEdge]:
        if task not in self.slugs:
            raise ValueError(f"Task {task} was not found in Flow {self}")

        return edges[task]
