"""
States of task runs and flow runs, as flow files see them: classic names, each with a message and a result.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from orchd import clock
from orchd.engine.context import context as running
from orchd.engine.state_base import State as State
from orchd.engine.state_base import Values
from orchd.model.states import TaskRunState
from orchd.results.result import NoResult


class Pending(State, marks="pending"):
    """
    The run has not begun.
    """

    color = "#7ebdff"


class Scheduled(Pending, marks="scheduled"):
    """
    The run is to begin at *start_time* (aware UTC; None for now).
    """

    color = "#ffab00"

    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        start_time: datetime | None = None,
        context: Values | None = None,
        cached_inputs: Values | None = None,
    ) -> None:
        super().__init__(message=message, result=result, context=context, cached_inputs=cached_inputs)
        self.start_time: datetime | None = start_time if start_time is not None else clock.now()


class Resume(Scheduled):
    """
    A paused run may go on.
    """

    color = "#f58c0c"


class Paused(Scheduled):
    """
    The run waits for somebody to let it go on, or until *start_time*; None waits without end.
    """

    color = "#99a8e8"

    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        start_time: datetime | None = None,
        context: Values | None = None,
        cached_inputs: Values | None = None,
    ) -> None:
        super().__init__(message=message, result=result, context=context, cached_inputs=cached_inputs)
        self.start_time = start_time


class Retrying(Scheduled, marks="retrying"):
    """
    The run failed *run_count* times, and shall begin again at *start_time*.
    """

    color = "#f66a0a"

    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        start_time: datetime | None = None,
        context: Values | None = None,
        cached_inputs: Values | None = None,
        run_count: int | None = None,
    ) -> None:
        super().__init__(
            message=message, result=result, start_time=start_time, context=context, cached_inputs=cached_inputs
        )
        self.run_count: int = run_count if run_count is not None else running.get("task_run_count") or 1


class _MetaState(State, marks="meta_state"):
    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        state: State | None = None,
        context: Values | None = None,
        cached_inputs: Values | None = None,
    ) -> None:
        super().__init__(message=message, result=result, context=context, cached_inputs=cached_inputs)
        self.state = state

    def unwrapped(self) -> State | None:
        """
        Return the state that this one is about.
        """
        return self._state

    @property
    def state(self) -> State | None:
        """
        The state that this one is about; never one about another.
        """
        return self._state

    @state.setter
    def state(self, value: State | None) -> None:
        """
        Take *value*, or the state that it is about.
        """
        while isinstance(value, _MetaState):
            value = value.state

        self._state = value


class Submitted(_MetaState, marks="submitted"):
    """
    *state* was handed to whoever starts it.
    """

    color = "#ffdf5d"


class ClientFailed(_MetaState):
    """
    *state* could not be reported.
    """

    color = "#eb0000"


class Queued(_MetaState, marks="queued scheduled"):
    """
    *state* waits for a place until *start_time*.
    """

    color = "#ffea7f"

    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        state: State | None = None,
        start_time: datetime | None = None,
        context: Values | None = None,
        cached_inputs: Values | None = None,
    ) -> None:
        super().__init__(message=message, result=result, state=state, context=context, cached_inputs=cached_inputs)
        self.start_time = start_time if start_time is not None else clock.now()


class Running(State, marks="running"):
    """
    The run goes on.
    """

    color = "#3d67ff"


class Cancelling(Running):
    """
    The run is being ended.
    """

    color = "#E8E8E8"


class Finished(State, marks="finished"):
    """
    The run is over.
    """

    color = "#003ccb"


class Looped(Finished, marks="looped"):
    """
    The task asks to be run again at once; *loop_count* counts its runs from 1.
    """

    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        loop_count: int | None = None,
        context: Values | None = None,
        cached_inputs: Values | None = None,
    ) -> None:
        super().__init__(message=message, result=result, context=context, cached_inputs=cached_inputs)
        self.loop_count: int = loop_count if loop_count is not None else running.get("task_loop_count") or 1


class Success(Finished, marks="successful"):
    """
    The run went well.
    """

    color = "#28a745"


class Cached(Success, marks="cached"):
    """
    The run was not needed: its result was there. It may be used until *cached_result_expiration* (None: without end).
    """

    color = "#34d058"

    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        context: Values | None = None,
        cached_inputs: Values | None = None,
        cached_parameters: Values | None = None,
        cached_result_expiration: datetime | None = None,
        hashed_inputs: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message=message, result=result, context=context, cached_inputs=cached_inputs)
        self.cached_parameters = cached_parameters
        self.cached_result_expiration = cached_result_expiration
        self.hashed_inputs = hashed_inputs


class Mapped(Success, marks="mapped"):
    """
    The task was mapped; how it went is said by the states of its children.
    """

    color = "#003ccb"

    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        map_states: Sequence[State] | None = None,
        context: Values | None = None,
        cached_inputs: Values | None = None,
        n_map_states: int | None = None,
    ) -> None:
        super().__init__(message=message, result=result, context=context, cached_inputs=cached_inputs)
        self.map_states: list[State] = list(map_states or ())
        self._n_map_states = n_map_states

    @property
    def n_map_states(self) -> int:
        """
        How many children there are, or will be.
        """
        return len(self.map_states) if self._n_map_states is None else self._n_map_states


class Skipped(Success, marks="skipped"):
    """
    The run was left out.
    """

    color = "#62757f"


class Failed(Finished, marks="failed"):
    """
    The run did not go well.
    """

    color = "#eb0000"


class Cancelled(Finished):
    """
    The run was ended by somebody.
    """

    color = "#bdbdbd"


class TimedOut(Failed):
    """
    The run took longer than its time limit.
    """

    color = "#ff4e33"


class TriggerFailed(Failed):
    """
    The run did not begin: its trigger refused the states above it.
    """

    color = "#ff5131"


class ValidationFailed(Failed):
    """
    The run's result is not as it should be.
    """

    color = "#ff5131"


#: State class -> the state that recorders are told; subclasses that are not named count as their parent.
RECORDED: Final[Mapping[type[State], TaskRunState]] = MappingProxyType(
    {
        Running: TaskRunState.RUNNING,
        Retrying: TaskRunState.RETRYING,
        Paused: TaskRunState.PAUSED,
        Mapped: TaskRunState.MAPPED,
        # Neither failed nor cancelled: the flow counts it among those that did not fail.
        Finished: TaskRunState.SUCCESS,
        Success: TaskRunState.SUCCESS,
        Cached: TaskRunState.CACHED,
        Skipped: TaskRunState.SKIPPED,
        Failed: TaskRunState.FAILED,
        TriggerFailed: TaskRunState.TRIGGER_FAILED,
        TimedOut: TaskRunState.TIMED_OUT,
        Cancelled: TaskRunState.CANCELLED,
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
