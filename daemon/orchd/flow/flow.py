"""
The flow: tasks and edges, collected in a ``with`` block.
"""

import os
import pickle
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from orchd.engine.context import context
from orchd.engine.executors.executor import Executor
from orchd.engine.flow_runner import TerminalHandler
from orchd.engine.handlers import StateHandler, checked_handlers, on_failure_handler
from orchd.engine.state import State
from orchd.errors import FlowError
from orchd.flow import arguments as check
from orchd.flow import keeping, registering
from orchd.flow.changes import Changes
from orchd.flow.drawing import Drawing, draw
from orchd.flow.running import Wishes, run_here
from orchd.flow.shape import FlowEdge
from orchd.flow.task import Task
from orchd.results.result import Result

_INSIDE = """Don't call `flow.{verb}()` from within a `Flow` context manager.

Do:

  with Flow(...) as flow:
      ...
  flow.{verb}(...)

Don't:

  with Flow(...) as flow:
      ...
      flow.{verb}(...)"""


class Flow(Changes):
    """
    A named set of tasks and of edges between them. Tasks that are called in its ``with`` block join it.

    Args:
        schedule: when it is to run.

        executor: what runs its tasks; None for one after the other.

        run_config: kept as it is; the daemon runs every flow in a process of its own on this host.

        storage: kept as it is; the daemon reads the flow's file.

        reference_tasks: the tasks whose states decide the flow's; None for those that nothing waits for.

        state_handlers: called with the flow, its old and its new state; may return another state.

        on_failure: called with the flow and its failed state.

        validate: True checks at once that no tasks wait for each other in a circle.

        result: how results are stored of tasks that do not say it.

        terminal_state_handler: called with the flow, its final state and the states of its reference tasks; may
            return another final state.
    """

    def __init__(
        self,
        name: str,
        schedule: Any = None,
        executor: Executor[Any] | None = None,
        run_config: Any = None,
        storage: Any = None,
        tasks: Iterable[Task] | None = None,
        edges: Iterable[FlowEdge] | None = None,
        reference_tasks: Iterable[Task] | None = None,
        state_handlers: Iterable[StateHandler] | None = None,
        on_failure: Callable[[Any, State], object] | None = None,
        validate: bool | None = None,
        result: Result | None = None,
        terminal_state_handler: TerminalHandler | None = None,
    ) -> None:
        if not name:
            raise ValueError("A name must be provided for the flow.")

        super().__init__(
            check.name(name, of="flow"), tasks=tasks or (), edges=edges or (), reference_tasks=reference_tasks
        )
        self.schedule = check.able(schedule, "next", "schedule", example="CronSchedule('0 9 * * *')")
        self.executor = check.able(executor, "submit", "executor", example="LocalDaskExecutor()")
        self.run_config = run_config
        self.storage = storage
        self.state_handlers = checked_handlers(state_handlers)
        if on_failure is not None:
            self.state_handlers.append(on_failure_handler(on_failure))

        self.terminal_state_handler = terminal_state_handler
        self.result = check.able(result, "write", "result", example="LocalResult(dir=...)")
        if validate:
            self.validate()

        #: Where this flow was written: file and line, for messages.
        self.defined_at = _caller()
        self._open: list[ExitStack] = []

    def __enter__(self) -> Self:
        stack = ExitStack()
        stack.enter_context(context(flow=self, _unused_tasks={}))
        self._open.append(stack)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        unused = [task for task in context["_unused_tasks"] if task not in self.slugs]
        self._open.pop().close()
        if unused and kind is None:
            names = ", ".join(map(repr, unused))
            warnings.warn(
                f"Tasks were created but not added to the flow: {{{names}}}. This can occur when `Task` classes, "
                "including `Parameters`, are instantiated inside a `with flow:` block but not added to the flow either "
                "explicitly or as the input to another task.",
                UserWarning,
                stacklevel=2,
            )

    def run(
        self, parameters: Mapping[str, Any] | None = None, run_on_schedule: bool | None = None, **kwargs: Any
    ) -> State | None:
        """
        Run the flow here and now.

        Args:
            parameters: values by name; those given as keywords of their own win.

            run_on_schedule: True waits for each time of the flow's schedule; None for as the setting says.

            kwargs: values of parameters; and ``task_states`` (states that are known beforehand; tasks whose state is
                finished are not run), ``state``, ``context``, ``task_contexts``, ``executor``,
                ``task_runner_state_handlers``, and ``resume=True``: go on from the last run that did not succeed, with
                its parameters and every result of it that is still good.

        Returns:
            The final state; ``.result[task].result`` is the value of a task. None while the file is being loaded:
            then nothing is run.

        Raises:
            ValueError: a parameter is unknown, or a required one is missing.

            TypeError: a keyword is none of these.

            RuntimeError: called in the flow's own ``with`` block.
        """
        if self._is_loading("run"):
            return None

        if self._open:
            raise RuntimeError(_INSIDE.format(verb="run"))

        if "return_tasks" in kwargs:
            raise ValueError(
                "The `return_tasks` keyword cannot be provided to `flow.run()`; all task states are always returned. "
                "If you want to receive a subset of task states, use a FlowRunner directly."
            )

        names = {parameter.name for parameter in self.parameters()}
        values = {**(parameters or {}), **{name: kwargs.pop(name) for name in names & kwargs.keys()}}
        known = {each.name for each in fields(Wishes)}
        for keyword in kwargs:
            if keyword not in known:
                raise TypeError(f"run() got an unexpected keyword argument '{keyword}'")

        wishes = Wishes(**{keyword: value for keyword, value in kwargs.items() if value is not None})
        return run_here(self, parameters=values, wishes=wishes, on_schedule=run_on_schedule)

    def register(
        self,
        project_name: str | None = None,
        build: bool = True,
        labels: Iterable[str] | None = None,
        set_schedule_active: bool = True,
        version_group_id: str | None = None,
        no_url: bool = False,
        idempotency_key: str | None = None,
        **storage: Any,
    ) -> str | None:
        """
        Have the daemon take up the file of this flow, print URL, ID, project and labels, and return the flow's id.

        A changed file is a new version, an unchanged one is none. Who may register which file: any below the daemon's
        ``[flows] paths``; others only the daemon's own user.

        Args:
            project_name: of a project that is there; `orchd create project` makes one.

            build: kept as it is, as are *version_group_id*, *idempotency_key* and *storage*.

            labels: shown with the flow.

            set_schedule_active: False pauses the schedule of the flow's code.

            no_url: True prints no URL.

        Returns:
            The id; None while the file is being loaded: then nothing is done.

        Raises:
            ValueError: no project is named, or there is none of that name; the flow has a schedule that leaves required
                parameters open; or called in the flow's own ``with`` block.

            OrchdError: no daemon answers, or it refuses the file.
        """
        if self._is_loading("register"):
            return None

        if self._open:
            raise ValueError(_INSIDE.format(verb="register"))

        return registering.register(
            self, project_name, labels=labels or (), set_schedule_active=set_schedule_active, no_url=no_url
        )

    def run_agent(self, *_: Any, **__: Any) -> None:
        """
        Say that the daemon is the agent.

        Raises:
            NotRunning: no daemon answers.
        """
        registering.say_who_is_the_agent()

    def visualize(
        self,
        flow_state: State | None = None,
        filename: str | os.PathLike[str] | None = None,
        format: str | None = None,
        horizontal: bool = False,
    ) -> Drawing:
        """
        Draw the flow into a file, and return the drawing, which a notebook shows.

        Args:
            flow_state: of a run of it: its tasks get the colours of their states, mapped ones a box for each child.

            filename: what to write; the ending is added if it is not there. None for a temporary file, whose name is
                logged; nothing is opened.

            format: ``svg``, ``png`` or ``pdf``; None for what *filename* ends with, else ``pdf``, and ``svg`` for a
                temporary file.

            horizontal: from left to right.

        Raises:
            ValueError: it is another format.
        """
        states = None if flow_state is None or not isinstance(flow_state.result, dict) else flow_state.result
        return draw(self.graph(), states=states, filename=filename, format=format, horizontal=horizontal)

    def serialize(self, build: bool = False) -> dict[str, Any]:
        """
        Return the flow without its code and the values in it.

        Args:
            build: asks its storage to keep it too.

        Raises:
            ValueError: there is nothing to build, or tasks wait for each other in a circle.
        """
        if build:
            raise ValueError("This flow has no storage to build")

        return keeping.serialized(self)

    def serialized_hash(self, build: bool = False) -> str:
        """
        Return a text of 64 characters that is the same in every process, as long as the shape of the flow is.
        """
        return keeping.fingerprint(self)

    def save(self, path: str | None = None) -> str:
        """
        Write the flow with its code to *path*, and return that path; None is ``~/.orchd/flows/NAME.flow``.
        """
        return keeping.save(self, path)

    @classmethod
    def load(cls, path: str) -> "Flow":
        """
        Return the flow that was saved at *path*, or under that name. Its code is run by this: load only what is yours.

        Raises:
            FlowError: there is something else in the file.
        """
        file = Path(path) if os.path.exists(path) else keeping.default_path(path)
        flow = pickle.loads(file.read_bytes())
        if not isinstance(flow, cls):
            raise FlowError(f"{file}: holds a {type(flow).__name__}, not a flow")

        return flow

    def __repr__(self) -> str:
        return f'<Flow: name="{self.name}">'

    def _is_loading(self, verb: str) -> bool:
        if not context.get("loading_flow"):
            return False

        warnings.warn(
            f"Attempting to call `flow.{verb}` during execution of flow file will lead to unexpected results.",
            UserWarning,
            stacklevel=3,
        )
        return True


def _caller() -> tuple[str, int]:
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_name == "__init__":
        frame = frame.f_back

    return frame.f_code.co_filename, frame.f_lineno
