"""
Resources that are set up before the tasks of a block, and cleaned up after them.
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ClassVar

from orchd.engine.context import context
from orchd.engine.signals import SKIP
from orchd.engine.state import State
from orchd.engine.triggers import UpstreamStates, all_finished
from orchd.flow.parameter import Parameter
from orchd.flow.questions import Questions
from orchd.flow.task import FunctionTask, Task


class ResourceInit(FunctionTask):
    """
    Makes the manager of a resource.
    """

    resource_role: ClassVar[str] = "init"


class ResourceSetup(Task):
    """
    Sets the resource up.
    """

    resource_role: ClassVar[str] = "setup"

    def run(self, mgr: Any) -> Any:
        """
        Return the resource.
        """
        return mgr.setup()


class ResourceCleanup(Task):
    """
    Cleans the resource up.
    """

    resource_role: ClassVar[str] = "cleanup"

    def run(self, mgr: Any, resource: object = None) -> None:
        """
        Clean up.
        """
        mgr.cleanup(resource)


def resource_is_there(upstream_states: UpstreamStates) -> bool:
    """
    Run when all tasks above are over, and the resource was made and set up.

    Raises:
        SKIP: it was not.
    """
    all_finished(upstream_states)
    for key, word in (("mgr", "init"), ("resource", "setup")):
        for edge, state in upstream_states.items():
            if edge.key == key:
                _check(state, word)

    return True


def _check(state: State, word: str) -> None:
    for ended, is_so in (("failed", state.is_failed()), ("skipped", state.is_skipped())):
        if is_so:
            raise SKIP(f"Resource manager {word} {ended}")


class ResourceBlock:
    """
    ``with`` block of a resource, whose ``as`` name stands for it.
    """

    def __init__(self, init: Task, setup: Task | None, cleanup: Task, flow: Questions) -> None:
        self._init, self._setup, self._cleanup, self._flow = init, setup, cleanup, flow
        self._tasks: list[Task] = []
        self._before: ResourceBlock | None = None

    def add_task(self, task: Task) -> None:
        """
        Let *task* be one of the block; parameters belong to none.
        """
        if not isinstance(task, Parameter) and not task.auto_generated:
            self._tasks.append(task)

    def __enter__(self) -> Task | None:
        self._before = context.get("resource")
        context["resource"] = self
        return self._setup

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is None:
            del context["resource"]
        else:
            context["resource"] = self._before

        inside = set(self._tasks)
        for task in self._tasks:
            above = self._flow.upstream_tasks(task)
            if self._setup is not None and not inside & above and self._setup not in above:
                self._flow.add_edge(self._setup, task)

            if not inside & self._flow.downstream_tasks(task):
                self._flow.add_edge(task, self._cleanup)


class ResourceManager:
    """
    Makes blocks of a resource: called in a flow, it gives one for ``with``.
    """

    def __init__(
        self,
        resource_class: Callable[..., Any],
        name: str | None = None,
        init_task_kwargs: Mapping[str, Any] | None = None,
        setup_task_kwargs: Mapping[str, Any] | None = None,
        cleanup_task_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.resource_class = resource_class
        self.name = name or getattr(resource_class, "__name__", "resource")
        self.init_task_kwargs = {"name": self.name, **(init_task_kwargs or {})}
        self.setup_task_kwargs = {"name": f"{self.name}.setup", "checkpoint": False, **(setup_task_kwargs or {})}
        self.cleanup_task_kwargs = {
            "name": f"{self.name}.cleanup",
            "checkpoint": False,
            "trigger": resource_is_there,
            "skip_on_upstream_skip": False,
            **(cleanup_task_kwargs or {}),
        }

    def __call__(self, *args: object, flow: Questions | None = None, **kwargs: Any) -> ResourceBlock:
        """
        Return the block of a resource whose class is given these arguments.

        Raises:
            ValueError: there is no flow.
        """
        target: Questions | None = flow if flow is not None else context.get("flow")
        if target is None:
            raise ValueError("Could not infer an active Flow context.")

        init = ResourceInit(self.resource_class, **self.init_task_kwargs).bind(*args, flow=target, **kwargs)
        setup = None
        if hasattr(self.resource_class, "setup"):
            setup = ResourceSetup(**self.setup_task_kwargs).bind(init, flow=target)

        with context(resource=None):
            cleanup = ResourceCleanup(**self.cleanup_task_kwargs)
            cleanup.bind(init, *(() if setup is None else (setup,)), flow=target)

        return ResourceBlock(init, setup, cleanup, target)


def resource_manager(
    resource_class: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    init_task_kwargs: Mapping[str, Any] | None = None,
    setup_task_kwargs: Mapping[str, Any] | None = None,
    cleanup_task_kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """
    Make a resource manager of a class with ``cleanup(resource)`` and perhaps ``setup()``; as a decorator, too.
    """

    def made(kind: Callable[..., Any]) -> ResourceManager:
        """
        Return the manager of resources of that class.
        """
        return ResourceManager(kind, name, init_task_kwargs, setup_task_kwargs, cleanup_task_kwargs)

    return made if resource_class is None else made(resource_class)
