"""
States of task runs and flow runs, as flow files see them: classic names, each with a message and a result.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Final

from orchd import clock
from orchd.engine.context import context as running
from orchd.model.states import TaskRunState
from orchd.results.result import NoResult, Result


class State:
    """
    Root of all states. Two states are equal when class, result and further attributes are; message and context are
    not looked at. Handlers may set attributes of their own.
    """

    color: ClassVar[str] = "#696969"

    def __init__(
        self,
        message: str | None = None,
        result: Any = NoResult,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Any] | None = None,
    ) -> None:
        self.message = message
        self._result = result if isinstance(result, Result) else Result(value=result)
        self.context = context if context is not None else {}
        self.cached_inputs = cached_inputs if cached_inputs is not None else {}
        if "task_tags" in running:
            self.context.setdefault("tags", list(running["task_tags"]))

    @property
    def result(self) -> Any:
        """
        The value; None when there is none.
        """
        return self._result.value

    @result.setter
    def result(self, value: Any) -> None:
        self._result = value if isinstance(value, Result) else Result(value=value)

    def is_pending(self) -> bool:
        """
        True before the run, and between its tries.
        """
        return isinstance(self, Pending)

    def is_scheduled(self) -> bool:
        """
        True when the run is to begin at ``start_time``.
        """
        return isinstance(self, Scheduled)

    def is_retrying(self) -> bool:
        """
        True when the run has failed and will be tried again.
        """
        return isinstance(self, Retrying)

    def is_running(self) -> bool:
        """
        True while the run goes on.
        """
        return isinstance(self, Running)

    def is_finished(self) -> bool:
        """
        True when the run is over.
        """
        return isinstance(self, Finished)

    def is_successful(self) -> bool:
        """
        True when the run is over and went well.
        """
        return isinstance(self, Success)

    def is_cached(self) -> bool:
        """
        True when the result was there already.
        """
        return isinstance(self, Cached)

    def is_failed(self) -> bool:
        """
        True when the run is over and did not go well.
        """
        return isinstance(self, Failed)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True

        if not isinstance(other, State) or type(self) is not type(other):
            return False

        return bool(_compared(self) == _compared(other))

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f'<{name}: "{self.message}">' if self.message else f"<{name}>"


def _compared(state: State) -> dict[str, Any]:
    kept = {name: value for name, value in vars(state).items() if name not in ("message", "context", "cached_inputs")}
    kept["_result"] = state.result
    return kept


class Pending(State):
    """
    The run has not begun.
    """

    color = "#7ebdff"


class Scheduled(Pending):
    """
    The run shall begin at *start_time* (aware UTC).
    """

    color = "#ffab00"

    def __init__(
        self,
        message: str | None = None,
        result: Any = NoResult,
        start_time: datetime | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message=message, result=result, context=context, cached_inputs=cached_inputs)
        self.start_time = start_time if start_time is not None else clock.now()


class Retrying(Scheduled):
    """
    The run failed *run_count* times, and shall begin again at *start_time*.
    """

    color = "#f66a0a"

    def __init__(
        self,
        message: str | None = None,
        result: Any = NoResult,
        start_time: datetime | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Any] | None = None,
        run_count: int | None = None,
    ) -> None:
        super().__init__(
            message=message, result=result, start_time=start_time, context=context, cached_inputs=cached_inputs
        )
        self.run_count: int = run_count if run_count is not None else running.get("task_run_count") or 1


class Running(State):
    """
    The run goes on.
    """

    color = "#3d67ff"


class Finished(State):
    """
    The run is over.
    """

    color = "#003ccb"


class Success(Finished):
    """
    The run went well.
    """

    color = "#28a745"


class Cached(Success):
    """
    The run was not needed: its result was there.
    """

    color = "#34d058"


class Failed(Finished):
    """
    The run did not go well.
    """

    color = "#eb0000"


class TriggerFailed(Failed):
    """
    The run did not begin: its trigger refused the states above it.
    """

    color = "#ff5131"


class TimedOut(Failed):
    """
    The run took longer than its time limit.
    """

    color = "#ff4e33"


#: State class -> the state that recorders are told; subclasses that are not named count as their parent.
RECORDED: Final[Mapping[type[State], TaskRunState]] = MappingProxyType(
    {
        Running: TaskRunState.RUNNING,
        Retrying: TaskRunState.RETRYING,
        Success: TaskRunState.SUCCESS,
        Cached: TaskRunState.CACHED,
        Failed: TaskRunState.FAILED,
        TriggerFailed: TaskRunState.TRIGGER_FAILED,
        TimedOut: TaskRunState.TIMED_OUT,
    }
)


def recorded(state: State) -> TaskRunState:
    """
    Return the word that recorders are told for *state*.
    """
    for kind in type(state).__mro__:
        if (word := RECORDED.get(kind)) is not None:
            return word

    return TaskRunState.PENDING
