"""
A task: code, how it is run, and how it is bound into a flow.
"""

import copy
import functools
import inspect
import logging
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, NoReturn, Protocol, Self

from orchd.engine.context import context
from orchd.engine.logs import get_logger
from orchd.engine.triggers import Trigger, all_successful
from orchd.flow import arguments as check
from orchd.flow.signatures import bound_arguments, signature_of
from orchd.graph.edges import Edge
from orchd.results.result import Location, Result


class Binder(Protocol):
    """
    A flow, as far as a task needs to know it to bind itself into it.
    """

    def set_dependencies(
        self,
        task: Any,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Add *task* and what it waits for.
        """

    def add_edge(self, upstream_task: Any, downstream_task: Any, key: str | None = None) -> Edge[Any]:
        """
        Add an edge, and the tasks at its ends.
        """

    def has_edges(self, task: Any) -> bool:
        """
        True when the flow has an edge to or from *task*.
        """


def _do_nothing(task: "Task") -> None:
    pass


class Task:
    """
    A piece of work. Subclasses write ``run``; a call in a flow's ``with`` block gives a bound copy.
    """

    #: True for tasks that orchd makes of constants and collections.
    auto_generated = False
    #: The work. Its arguments are those of the call in the flow.
    run: Callable[..., Any] = _do_nothing

    def __init__(
        self,
        name: str | None = None,
        slug: str | None = None,
        tags: Iterable[str] | None = None,
        max_retries: int | None = None,
        retry_delay: timedelta | None = None,
        retry_on: type[Exception] | Iterable[type[Exception]] | None = None,
        timeout: int | timedelta | None = None,
        trigger: Trigger | None = None,
        checkpoint: bool | None = None,
        log_stdout: bool = False,
        result: Result | None = None,
        target: Location | None = None,
    ) -> None:
        """
        Args:
            name: what logs call it; None for the class's name.

            slug: its id in a flow; None for one made from the name.

            max_retries: tries after the first failed one, each *retry_delay* later; both or neither.

            retry_on: the exceptions that are tried again; None for all.

            timeout: time limit of a try, in whole seconds.

            trigger: says whether it may run, from the states above it; None for all successful.

            checkpoint: False never stores its result; otherwise it is stored where *result* or the flow says so.

            log_stdout: True makes log lines of what it prints.

            result: how its result is stored.

            target: where its result is looked for before it runs, and stored after; needs a *result*, here or of the
                flow.
        """
        self.name: str = name or type(self).__name__
        self.slug = slug
        self.tags = check.tags(tags) | set(context.get("tags", ()))
        self.max_retries, self.retry_delay = check.retries(max_retries, retry_delay)
        self.retry_on = check.retry_on(retry_on, max_retries=self.max_retries)
        self.timeout = check.timeout(timeout)
        self.trigger: Trigger = trigger or all_successful
        self.checkpoint = checkpoint
        self.log_stdout = log_stdout
        self.result, self.target = check.storage(result, target)
        if (unused := context.get("_unused_tasks")) is not None:
            unused[self] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if (run := vars(cls).get("run")) is not None and not isinstance(run, property):
            signature_of(run, name=cls.__name__)

    @property
    def logger(self) -> logging.Logger:
        """
        The logger ``orchd.NAME``.
        """
        return get_logger(self.name)

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        """
        The signature of ``run``.
        """
        return signature_of(self.run, name=self.name)

    def copy(self, **task_args: Any) -> Self:
        """
        Return a copy that is bound to nothing, with the attributes *task_args* in place of its own.

        Raises:
            AttributeError: a task has no such attribute.
        """
        flow = context.get("flow")
        if flow is not None and flow.has_edges(self):
            warnings.warn(
                "You are making a copy of a task that has dependencies on or to other tasks in the active flow "
                "context. The copy will not retain those dependencies.",
                UserWarning,
                stacklevel=2,
            )

        new = copy.copy(self)
        if self.slug is not None and "slug" not in task_args:
            new.slug = f"{self.slug}-copy"

        new.tags = set(self.tags)
        for attribute, value in task_args.items():
            if not hasattr(new, attribute):
                raise AttributeError(f"{self} does not have {attribute} as an attribute")

            setattr(new, attribute, value)

        new.tags = new.tags | set(context.get("tags", ()))
        if (unused := context.get("_unused_tasks")) is not None:
            unused.pop(self, None)
            unused[new] = None

        return new

    def __call__(
        self,
        *args: Any,
        task_args: Mapping[str, Any] | None = None,
        upstream_tasks: Iterable[Any] | None = None,
        flow: Binder | None = None,
        **kwargs: Any,
    ) -> Self:
        """
        Return a copy that is bound into the flow with these arguments: values, tasks, or collections with tasks in
        them.

        Raises:
            ValueError: there is no flow.

            TypeError: the arguments do not fit ``run``.
        """
        new = self.copy(**(task_args or {}))
        return new.bind(*args, upstream_tasks=upstream_tasks, flow=flow, **kwargs)

    def bind(
        self, *args: Any, upstream_tasks: Iterable[Any] | None = None, flow: Binder | None = None, **kwargs: Any
    ) -> Self:
        """
        Bind this very task into the flow, and return it.

        Raises:
            ValueError: there is no flow.

            TypeError: the arguments do not fit ``run``.
        """
        arguments = bound_arguments(self._signature, args, kwargs)
        target: Binder | None = flow if flow is not None else context.get("flow")
        if target is None:
            raise ValueError(
                f"Could not infer an active Flow context while creating edge to {self}. This often means you called a "
                "task outside a `with Flow(...)` block. If you're trying to run this task outside of a Flow context, "
                f"you need to call `{self._run_hint()}.run(...)`"
            )

        target.set_dependencies(self, upstream_tasks=upstream_tasks, keyword_tasks=arguments)
        return self

    def set_upstream(self, task: Any, flow: Binder | None = None, key: str | None = None) -> Self:
        """
        Wait for *task*; with a *key*, its result is that argument.
        """
        self.set_dependencies(
            flow=flow, upstream_tasks=[task] if key is None else None, keyword_tasks={key: task} if key else None
        )
        return self

    def set_downstream(self, task: Any, flow: Binder | None = None, key: str | None = None) -> Self:
        """
        Let *task* wait for this one; with a *key*, the result of this one is that argument of it.
        """
        _active(flow).add_edge(self, task, key)
        return self

    def set_dependencies(
        self,
        flow: Binder | None = None,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
    ) -> Self:
        """
        Say what this task waits for, and what waits for it.
        """
        _active(flow).set_dependencies(
            self, upstream_tasks=upstream_tasks, downstream_tasks=downstream_tasks, keyword_tasks=keyword_tasks
        )
        return self

    def __iter__(self) -> NoReturn:
        raise TypeError("Task is not iterable. If your task returns multiple results, take them apart in another task.")

    def __repr__(self) -> str:
        return f"<Task: {self.name}>"

    def _run_hint(self) -> str:
        return f"{type(self).__name__}(...)"


class FunctionTask(Task):
    """
    A task whose code is a function; ``run`` is that function.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, **task_args: Any) -> None:
        if not callable(fn):
            raise TypeError("`fn` must be callable")

        self.run = fn
        super().__init__(name=name or getattr(fn, "__name__", type(self).__name__), **task_args)
        self._signature = signature_of(fn, name=self.name)
        functools.update_wrapper(self, fn, updated=())

    def _run_hint(self) -> str:
        return self.name


def _active(flow: Binder | None) -> Binder:
    found: Binder | None = flow if flow is not None else context.get("flow")
    if found is None:
        raise ValueError("No Flow was passed, and could not infer an active Flow context.")

    return found
