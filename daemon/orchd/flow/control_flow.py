"""
Branches of a flow: case, switch, ifelse, merge.
"""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from orchd.engine.context import context
from orchd.engine.signals import SKIP
from orchd.engine.triggers import all_finished, not_all_skipped
from orchd.flow.annotations import EdgeAnnotation
from orchd.flow.binder import Binder, active
from orchd.flow.collections import Constant, as_task
from orchd.flow.parameter import Parameter
from orchd.flow.questions import Questions
from orchd.flow.task import FunctionTask, Task


class CompareValue(Task):
    """
    Goes well when what it is given equals *value*, and is skipped otherwise.
    """

    def __init__(self, value: object, **task_args: Any) -> None:
        self.value = value
        super().__init__(**{"name": f'CompareValue: "{value}"', **task_args})

    def run(self, value: object) -> None:
        """
        Compare.

        Raises:
            SKIP: it is another value.
        """
        if value != self.value:
            raise SKIP(f'Provided value "{value}" did not match "{self.value}"')


class case:
    """
    ``with case(task, value):`` runs the tasks of its block when the result of *task* equals *value*.
    """

    def __init__(self, task: object, value: object) -> None:
        if isinstance(value, Task):
            raise TypeError("`value` cannot be a task")

        self.task = task
        self.value = value
        self._tasks: list[Task] = []
        self._before: case | None = None

    def __enter__(self) -> Self:
        self._before = context.get("case")
        context["case"] = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is None:
            del context["case"]
        else:
            context["case"] = self._before

        if kind is None and self._tasks:
            self._bind()

    def add_task(self, task: Task) -> None:
        """
        Let *task* be one of the block; parameters and constants belong to no block.
        """
        if not isinstance(task, Parameter | Constant):
            self._tasks.append(task)

    def _bind(self) -> None:
        condition = CompareValue(self.value, name=f"case({self.value})").bind(self.task)
        flow: Questions = context["flow"]
        inside = set(self._tasks)
        for task in self._tasks:
            if not inside & flow.upstream_tasks(task):
                flow.add_edge(condition, task)


class Merge(Task):
    """
    Gives the first result that is there.
    """

    def __init__(self, **task_args: Any) -> None:
        if task_args.setdefault("skip_on_upstream_skip", False):
            raise ValueError("Merge tasks must have `skip_on_upstream_skip=False`.")

        super().__init__(**{"trigger": not_all_skipped, **task_args})

    def run(self, **task_results: Any) -> Any:
        """
        Return the first of the results, in the order of the tasks, that is neither None nor of a skipped task.
        """
        for name in sorted(task_results, key=lambda each: int(each.rpartition("_")[2])):
            value = task_results[name]
            if value is not None and not isinstance(value, SKIP):
                return value

        return None


def merge(*tasks: object, flow: Binder | None = None, mapped: bool = False, **task_args: Any) -> Task:
    """
    Return a task that gives the first result of *tasks*, branches of which all but one are skipped.

    Args:
        task_args: keywords of :class:`~orchd.flow.task.Task`.
    """
    numbered: dict[str, Any] = {f"task_{number}": task for number, task in enumerate(tasks, start=1)}
    return Merge(**task_args).bind(**numbered, flow=flow, mapped=mapped)


def switch(condition: object, cases: Mapping[Any, Any], mapped: bool = False) -> None:
    """
    Run the task of *cases* whose key equals the result of *condition*; the others are skipped.
    """
    flow = active(None)
    asked = as_task(condition, flow)
    for value, task in cases.items():
        compared = CompareValue(value, tags={"switch"}).bind(asked, mapped=mapped)
        flow.set_dependencies(task, upstream_tasks=[compared], mapped=mapped)


def ifelse(condition: object, true_task: object, false_task: object, mapped: bool = False) -> None:
    """
    Run *true_task* when the result of *condition* counts as true, else *false_task*; None for nothing.
    """
    truth = FunctionTask(lambda x: bool(x), name="as_bool").bind(condition, mapped=mapped)
    switch(
        truth,
        {value: task for value, task in ((True, true_task), (False, false_task)) if task is not None},
        mapped=mapped,
    )


class FilterTask(Task):
    """
    Keeps those of a list of results that *filter_func* is true of: by default what is neither None nor an exception.
    """

    def __init__(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        log_func: Callable[[Any], str] | None = None,
        **task_args: Any,
    ) -> None:
        """
        Args:
            log_func: words about what is left out, for the log.
        """
        self.filter_func = filter_func or _is_there
        self.log_func = log_func
        super().__init__(**{"trigger": all_finished, "skip_on_upstream_skip": False, **task_args})

    def run(self, task_results: Iterable[object]) -> list[Any]:
        """
        Return what is kept.
        """
        results = list(task_results)
        if self.log_func is not None:
            left_out = [value for value in results if not self.filter_func(value)]
            if left_out:
                self.logger.info(self.log_func(left_out))

        return [value for value in results if self.filter_func(value)]


def _is_there(value: object) -> bool:
    return value is not None and not isinstance(value, BaseException)


__all__ = ["CompareValue", "EdgeAnnotation", "FilterTask", "Merge", "case", "ifelse", "merge", "switch"]
