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
from typing import Any, ClassVar, Self

from orchd.engine.cache_validators import Validator
from orchd.engine.context import context
from orchd.engine.handlers import StateHandler, checked_handlers, on_failure_handler
from orchd.engine.logs import get_logger
from orchd.engine.state import State
from orchd.engine.triggers import Trigger
from orchd.flow import arguments as check
from orchd.flow.annotations import EdgeAnnotation
from orchd.flow.binder import Binder, active
from orchd.flow.operators import Operators
from orchd.flow.signatures import bound_arguments, described_inputs, number_of_outputs, signature_of
from orchd.results.result import Location, Result


def _do_nothing(task: "Task") -> None:
    pass


class Task(Operators):
    """
    A piece of work. Subclasses write ``run``; a call in a flow's ``with`` block gives a bound copy.

    Args:
        name: what logs call it; None for the class's name.

        slug: its id in a flow; None for one made from the name.

        max_retries: tries after the first failed one, each *retry_delay* later; both or neither.

        retry_on: the exceptions that are tried again; None for all.

        timeout: time limit of a try, in whole seconds.

        trigger: says whether it may run, from the states above it; None for all successful.

        skip_on_upstream_skip: False lets the trigger decide also when a task above was skipped.

        cache_for: how long a result stands for further runs, as far as *cache_validator* agrees; tasks of one
            *cache_key* share theirs.

        checkpoint: False never stores its result; otherwise it is stored where *result* or the flow says so.

        state_handlers: called with the task, its old and its new state at each change; may return another state.

        on_failure: called with the task and each failed state, also with one that will be tried again.

        log_stdout: True makes log lines of what it prints.

        result: how its result is stored.

        target: where its result is looked for before it runs, and stored after; needs a *result*, here or of the
            flow.

        task_run_name: template or function of the name of each run.

        nout: how many values it returns, so that they can be taken apart; None for what ``-> tuple[...]`` says.
    """

    #: What it does for a resource: ``init``, ``setup`` or ``cleanup``; empty for all other tasks.
    resource_role: ClassVar[str] = ""
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
        skip_on_upstream_skip: bool = True,
        cache_for: timedelta | None = None,
        cache_validator: Validator | None = None,
        cache_key: str | None = None,
        checkpoint: bool | None = None,
        state_handlers: Iterable[StateHandler] | None = None,
        on_failure: Callable[[Any, State], object] | None = None,
        log_stdout: bool = False,
        result: Result | None = None,
        target: Location | None = None,
        task_run_name: Location | None = None,
        nout: int | None = None,
    ) -> None:
        check.attributes(self)
        self.name: str = check.name(name or type(self).__name__, of="task")
        self.slug = slug
        self.tags = check.tags(tags) | set(context.get("tags", ()))
        self.max_retries, self.retry_delay = check.retries(max_retries, retry_delay)
        self.retry_on = check.retry_on(retry_on, max_retries=self.max_retries)
        self.timeout = check.timeout(timeout)
        self.trigger: Trigger = check.trigger(trigger)
        self.skip_on_upstream_skip = skip_on_upstream_skip
        self.cache_for = check.duration("cache_for", cache_for)
        self.cache_validator = check.validator(cache_validator, cache_for)
        self.cache_key = cache_key
        self.checkpoint = checkpoint
        self.state_handlers = checked_handlers(state_handlers)
        if on_failure is not None:
            self.state_handlers.append(on_failure_handler(on_failure))

        self.log_stdout = log_stdout
        self.result, self.target = check.storage(result, target)
        self.task_run_name = task_run_name
        self.nout = nout if nout is not None else number_of_outputs(self.run, self._cached_signature)
        #: True for tasks that orchd makes of constants and collections.
        self.auto_generated = False
        if (unused := context.get("_unused_tasks")) is not None:
            unused[self] = None

    def __new__(cls, *args: object, **kwargs: Any) -> Self:
        """
        Warn when a task is given to the constructor in place of the call.
        """
        if any(isinstance(given, Task) for given in (*args, *kwargs.values())):
            kind = cls.__name__
            warnings.warn(
                f"A Task was passed as an argument to {kind}, you likely want to first initialize {kind} with any "
                f"static (non-Task) arguments, then call the initialized task with any dynamic (Task) arguments "
                f"instead. For example:\n\n  my_task = {kind}(...)  # static (non-Task) args go here\n"
                "  res = my_task(...)  # dynamic (Task) args go here",
                UserWarning,
                stacklevel=2,
            )

        return super().__new__(cls)

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
    def _cached_signature(self) -> inspect.Signature:
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
        new.state_handlers = list(self.state_handlers)
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
        *args: object,
        mapped: bool = False,
        task_args: Mapping[str, object] | None = None,
        upstream_tasks: Iterable[object] | None = None,
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
        return new.bind(*args, mapped=mapped, upstream_tasks=upstream_tasks, flow=flow, **kwargs)

    def map(
        self,
        *args: object,
        upstream_tasks: Iterable[object] | None = None,
        flow: Binder | None = None,
        task_args: Mapping[str, object] | None = None,
        **kwargs: Any,
    ) -> Self:
        """
        Return a copy that is bound into the flow with a child for each element of its arguments.

        Raises:
            TypeError: an argument has no elements.
        """
        for given in args:
            if not isinstance(given, EdgeAnnotation) and not hasattr(given, "__getitem__"):
                raise TypeError(f"Cannot map over unsubscriptable object of type {type(given)}: {repr(given)[:10]}...")

        new = self.copy(**{"nout": None, **(task_args or {})})
        return new.bind(*args, mapped=True, upstream_tasks=upstream_tasks, flow=flow, **kwargs)

    def bind(
        self,
        *args: object,
        mapped: bool = False,
        upstream_tasks: Iterable[object] | None = None,
        flow: Binder | None = None,
        **kwargs: Any,
    ) -> Self:
        """
        Bind this very task into the flow, and return it.

        Args:
            mapped: True for a child for each element of the arguments, as far as no annotation says otherwise.

        Raises:
            ValueError: there is no flow.

            TypeError: the arguments do not fit ``run``.
        """
        arguments = bound_arguments(self._cached_signature, args, kwargs)
        target: Binder | None = flow if flow is not None else context.get("flow")
        if target is None:
            raise ValueError(
                f"Could not infer an active Flow context while creating edge to {self}. This often means you called a "
                "task outside a `with Flow(...)` block. If you're trying to run this task outside of a Flow context, "
                f"you need to call `{self._run_hint()}.run(...)`"
            )

        target.set_dependencies(self, upstream_tasks=upstream_tasks, keyword_tasks=arguments, mapped=mapped)
        return self

    def set_upstream(
        self, task: object, flow: Binder | None = None, key: str | None = None, mapped: bool = False
    ) -> Self:
        """
        Wait for *task*; with a *key*, its result is that argument.
        """
        return self.set_dependencies(
            flow=flow,
            upstream_tasks=[task] if key is None else None,
            keyword_tasks={key: task} if key is not None else None,
            mapped=mapped,
        )

    def set_downstream(
        self, task: object, flow: Binder | None = None, key: str | None = None, mapped: bool = False
    ) -> Self:
        """
        Let *task* wait for this one; with a *key*, the result of this one is that argument of it.
        """
        active(flow).set_dependencies(
            task,
            upstream_tasks=[self] if key is None else None,
            keyword_tasks={key: self} if key is not None else None,
            mapped=mapped,
        )
        return self

    def set_dependencies(
        self,
        flow: Binder | None = None,
        upstream_tasks: Iterable[object] | None = None,
        downstream_tasks: Iterable[object] | None = None,
        keyword_tasks: Mapping[str, object] | None = None,
        mapped: bool = False,
        validate: bool | None = None,
    ) -> Self:
        """
        Say what this task waits for, and what waits for it.
        """
        active(flow).set_dependencies(
            self,
            upstream_tasks=upstream_tasks,
            downstream_tasks=downstream_tasks,
            keyword_tasks=keyword_tasks,
            mapped=mapped,
            validate=validate,
        )
        return self

    def __or__(self, other: object) -> Any:
        self.set_dependencies(downstream_tasks=[other])
        return other

    def inputs(self) -> dict[str, dict[str, Any]]:
        """
        Return type, default and need of each argument of ``run``.
        """
        return described_inputs(self._cached_signature)

    def inputs_signature(self) -> inspect.Signature:
        """
        Return the signature of ``run``.
        """
        return self._cached_signature

    def outputs(self) -> Any:
        """
        Return what ``run`` says that it returns.
        """
        annotation = self._cached_signature.return_annotation
        return Any if annotation is inspect.Signature.empty else annotation

    def _made(self, fn: Callable[..., Any], name: str, *args: object, **task_args: Any) -> Any:
        return FunctionTask(fn, name=name, **task_args).bind(*args)

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
        chosen: str = name or str(getattr(fn, "__name__", type(self).__name__))
        self._cached_signature = signature_of(fn, name=chosen)
        super().__init__(name=chosen, **task_args)
        functools.update_wrapper(self, fn, updated=())

    def _run_hint(self) -> str:
        return self.name
