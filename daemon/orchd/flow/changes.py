"""
What can be done to a flow as a whole: copies, replacements, one flow put into another.
"""

import copy
from collections.abc import Iterable
from typing import Any, Self

from orchd.flow.collections import as_task
from orchd.flow.parameter import Parameter
from orchd.flow.questions import Questions
from orchd.flow.task import Task
from orchd.graph.edges import Edge


class Changes(Questions):
    """
    A flow's tasks and edges, with changes to all of them at once.
    """

    def copy(self) -> Self:
        """
        Return a flow of the same tasks and edges, that can be changed without changing this one.
        """
        new = copy.copy(self)
        new.slugs = dict(self.slugs)
        new.constants = {task: dict(values) for task, values in self.constants.items()}
        new._edges = dict(self._edges)
        new._into = {task: list(edges) for task, edges in self._into.items()}
        new._out_of = {task: list(edges) for task, edges in self._out_of.items()}
        new._names = self._names.copy()
        new._used_slugs = set(self._used_slugs)
        return new

    def replace(self, old: Task, new: Any, validate: bool | None = None) -> None:
        """
        Put *new*, a task or a value, in the place of the task *old*.

        Raises:
            ValueError: *old* is not part of the flow.
        """
        self._known(self._into, old)
        chosen = as_task(new, self)
        edges, constants, references = list(self._edges), self.constants.pop(old, None), self._reference_tasks
        self._used_slugs.discard(self.slugs.pop(old))
        self._edges.clear()
        for table in (self._into, self._out_of):
            table.pop(old)
            for task in table:
                table[task] = []

        self.add_task(chosen)
        if constants is not None and not chosen.auto_generated:
            self.constants[chosen] = constants

        def moved(task: Task) -> Task:
            """
            Return *task*, or the one in the place of *old*.
            """
            return chosen if task is old else task

        for edge in edges:
            self._add(
                Edge(moved(edge.upstream_task), moved(edge.downstream_task), edge.key, edge.mapped, edge.flattened)
            )

        if references is not None:
            self.set_reference_tasks(map(moved, references))

        if validate:
            self.validate()

    def update(
        self,
        flow: Questions,
        merge_parameters: bool = False,
        validate: bool | None = None,
        merge_reference_tasks: bool = False,
    ) -> None:
        """
        Take over all tasks and edges of *flow*.

        Args:
            merge_parameters: True for one parameter of each name: that of *flow*.

            merge_reference_tasks: True to let the reference tasks of both decide.

        Raises:
            ValueError: both have a task of the same slug.
        """
        own = {parameter.name: parameter for parameter in self.parameters()}
        references = self.reference_tasks() | flow.reference_tasks() if merge_reference_tasks else None
        for task in flow.slugs:
            if merge_parameters and isinstance(task, Parameter) and task.name in own:
                self.replace(own[task.name], task)
            else:
                self.add_task(task)

        for edge in flow._edges:
            self._add(edge)

        for task, values in flow.constants.items():
            self.constants.setdefault(task, {}).update(values)

        if references is not None:
            self.set_reference_tasks(references)

        if validate:
            self.validate()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Changes) or type(self) is not type(other):
            return False

        return _compared(self) == _compared(other)

    def __hash__(self) -> int:
        return id(self)


def _compared(flow: Questions) -> tuple[str, set[Task], set[Edge[Task]], Iterable[Task]]:
    return flow.name, flow.tasks, flow.edges, flow.reference_tasks()
