"""
What flow code is shown of flows and runs that the daemon knows.
"""

import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from orchd.client import every
from orchd.engine import kept, state
from orchd.engine.context import as_moment
from orchd.engine.faults import said
from orchd.engine.state import Cancelled, Cancelling, Failed, Pending, Running, Scheduled, State, Success, TimedOut
from orchd.results.formats import JSONSerializer
from orchd.results.local import LocalResult
from orchd.tasks.asking import Asking, Json

#: State of the daemon -> state as flow code knows them; any other is that of a task, by its classic name.
_STATES: Final[Mapping[str, type[State]]] = MappingProxyType(
    {
        "scheduled": Scheduled,
        "pending": Pending,
        "running": Running,
        "waiting": Running,
        "cancelling": Cancelling,
        "success": Success,
        "failed": Failed,
        "timed_out": TimedOut,
        "crashed": Failed,
        "cancelled": Cancelled,
    }
)


def state_of(run: Mapping[str, Any]) -> State:
    """
    Return the state of *run*, as the daemon tells of it, as flow code knows states.
    """
    return _STATES[run["state"]](message=run["message"] or None)


def flow_of_id(flow_id: str) -> str:
    """
    Return the name of the flow whose id ``flow.register()`` gave: the id is name and version, and a run is always one
    of the newest version.
    """
    name, _, version = flow_id.rpartition("@")
    return name if name and version.isdigit() else flow_id


@dataclass(frozen=True, kw_only=True)
class FlowView:
    """
    A flow that the daemon knows.
    """

    flow_id: str
    name: str
    #: None when it was not registered into one.
    project_name: str | None
    #: Names of its parameters.
    parameters: tuple[str, ...]
    flow_labels: frozenset[str]
    version: int

    @classmethod
    def from_flow_name(cls, flow_name: str, project_name: str = "", last_updated: bool = False) -> "FlowView":
        """
        Return the flow of that name.

        Args:
            project_name: in which it must be, if it is in one.

            last_updated: kept as it is: a name has one flow.

        Raises:
            ValueError: there is none.
        """
        found = every(Asking.here().get, "/flows")
        for flow in found:
            if flow["name"] == flow_name and (not project_name or flow["project"] in (None, project_name)):
                return cls(
                    flow_id=f"{flow['name']}@{flow['version']}",
                    name=flow["name"],
                    project_name=flow["project"],
                    parameters=tuple(parameter["name"] for parameter in flow["parameters"]),
                    flow_labels=frozenset(flow["labels"]),
                    version=flow["version"],
                )

        raise ValueError(f"No flow found matching {flow_name!r}; there are: {', '.join(f['name'] for f in found)}")

    @classmethod
    def from_flow_id(cls, flow_id: str) -> "FlowView":
        """
        Return the flow of that id, as ``flow.register()`` gave it.

        Raises:
            ValueError: there is none.
        """
        return cls.from_flow_name(flow_of_id(flow_id))


@dataclass(frozen=True, kw_only=True)
class TaskRunView:
    """
    A task run, as the daemon knew it when it was asked.
    """

    name: str
    task_slug: str
    #: -1 when the task is not mapped.
    map_index: int
    state: State
    flow_run_id: str
    #: Where its result is stored, if it is.
    location: str | None
    #: Of a mapped task.
    children: tuple["TaskRunView", ...] = ()

    @property
    def task_run_id(self) -> str:
        """
        What tells it from all other task runs.
        """
        return f"{self.flow_run_id}/{self.task_slug}[{self.map_index}]"

    def get_result(self) -> Any:
        """
        Return its stored result; for a mapped task those of all its children, in order.

        Raises:
            ValueError: it has not ended, has failed, or its result is not stored.
        """
        if not self.state.is_finished():
            raise ValueError(f"The task result cannot be loaded if it is not finished: {self.name} is {self.state}")

        if self.state.is_mapped():
            return [child.get_result() for child in self.children]

        if not self.state.is_successful():
            raise ValueError(f"Task '{self.name}' of run {self.flow_run_id} has no result: it is {self.state}")

        if self.location is None:
            raise ValueError(
                f"The result of task '{self.name}' of run {self.flow_run_id} is not stored: it is None, a secret, or "
                "the task says checkpoint=False"
            )

        return read_result(self.location)

    def iter_mapped(self) -> Iterator["TaskRunView"]:
        """
        Give the children of a mapped task, in order.
        """
        return iter(self.children)


@dataclass(frozen=True, kw_only=True)
class FlowRunView:
    """
    A run, as the daemon knew it when it was asked.
    """

    flow_run_id: str
    name: str
    flow_id: str
    state: State
    parameters: Mapping[str, Any]
    created_at: datetime
    _tasks: tuple[Json, ...] = field(repr=False)

    @classmethod
    def from_flow_run_id(cls, flow_run_id: str, **_more: Any) -> "FlowRunView":
        """
        Return the run of that id.

        Raises:
            OrchdError: there is none, or no daemon answers.
        """
        run = Asking.here().run(flow_run_id)
        return cls(
            flow_run_id=run["id"],
            name=run["name"],
            flow_id=run["flow"],
            state=state_of(run),
            parameters=run["parameters"],
            created_at=as_moment(run["created_at"]),
            _tasks=tuple(run["tasks"]),
        )

    def get_latest(self, **_more: Any) -> "FlowRunView":
        """
        Ask again.
        """
        return self.from_flow_run_id(self.flow_run_id)

    def get_logs(self) -> list[str]:
        """
        Return its lines.
        """
        asking = Asking.here()
        return [line["text"] for page in asking.log(self.flow_run_id) for line in page["lines"]]

    def get_flow_metadata(self) -> FlowView:
        """
        Return its flow.
        """
        return FlowView.from_flow_name(self.flow_id)

    def get_all_task_runs(self) -> list[TaskRunView]:
        """
        Return its task runs; children of mapped tasks are found in those.
        """
        return [self._view(task) for task in self._tasks if task["map_index"] < 0]

    def get_task_run(self, task_slug: str | None = None, map_index: int = -1, **_more: Any) -> TaskRunView:
        """
        Return one task run.

        Args:
            map_index: of a child of a mapped task.

        Raises:
            ValueError: there is none of that slug.
        """
        for task in self._tasks:
            if (task["slug"], task["map_index"]) == (task_slug, map_index):
                return self._view(task)

        slugs = ", ".join(sorted({task["slug"] for task in self._tasks}))
        index = "" if map_index < 0 else f"[{map_index}]"
        raise ValueError(f"run {self.name} has no task run '{task_slug}{index}'; there are: {slugs or 'none'}")

    def _view(self, task: Json) -> TaskRunView:
        below = sorted(
            (each for each in self._tasks if each["slug"] == task["slug"] and each["map_index"] >= 0),
            key=lambda each: int(each["map_index"]),
        )
        return TaskRunView(
            name=task["name"],
            task_slug=task["slug"],
            map_index=task["map_index"],
            state=_state_of_task(task),
            flow_run_id=self.flow_run_id,
            location=task["location"],
            children=tuple(map(self._view, below)) if task["map_index"] < 0 else (),
        )


def _state_of_task(task: Json) -> State:
    kind: type[State] = getattr(state, task["shown"], Failed)
    return kind(message=task["message"] or None)


def read_result(location: str) -> Any:
    """
    Return the value that a task run of another run stored at *location*: a file of this host with a pickle or JSON in
    it, or a parameter's value itself.

    Raises:
        ValueError: there is nothing that can be read.
    """
    try:
        if kept.is_kept(location):
            return kept.read(location)

        if not LocalResult().exists(location):
            return json.loads(location)

        try:
            return LocalResult().read(location).value
        except pickle.UnpicklingError:
            return LocalResult(serializer=JSONSerializer()).read(location).value
    except Exception as exc:
        raise ValueError(
            f"the result at {location} cannot be read here ({said(exc)}): only files of this host with a pickle or "
            "JSON can; read others with their own Result class"
        ) from exc
