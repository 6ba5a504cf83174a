"""
What task code raises to choose its own state. Signals are no ``Exception``, so that ``except Exception`` in task code
does not swallow them.
"""

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from orchd.engine.state import (
    Failed,
    Looped,
    Paused,
    Retrying,
    Skipped,
    State,
    Success,
    TriggerFailed,
    ValidationFailed,
)


class Signal(BaseException):
    """
    Root of all signals.
    """


class ENDRUN(Signal):
    """
    Ends the task run in *state* as it is: nothing is tried again.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        super().__init__()

    def __reduce__(self) -> tuple[Any, ...]:
        """
        Return how it is made anew from a pickle.
        """
        return type(self), (self.state,)


class StateSignal(Signal):
    """
    Ends the task run in ``.state``, whose result is this signal unless one is given.
    """

    state_class: ClassVar[type[State]] = State

    def __init__(self, message: str | None = None, *args: Any, **state_arguments: Any) -> None:
        super().__init__(*(() if message is None else (message,)))
        state_arguments.setdefault("result", self._default_result())
        self.state = self.state_class(message, *args, **state_arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        """
        Return how it is made anew from a pickle; it and its state hold each other.
        """
        is_own = self.state.result is self
        state = copy.copy(self.state)
        if is_own:
            state.result = None

        return _again, (type(self), self.args, state, is_own)

    def _default_result(self) -> object:
        return self


def _again(kind: type[StateSignal], args: tuple[Any, ...], state: State, is_own: bool) -> StateSignal:
    signal = kind.__new__(kind, *args)
    signal.state = state
    if is_own:
        state.result = signal

    return signal


class FAIL(StateSignal):
    """
    The task run has failed.
    """

    state_class = Failed


class LOOP(StateSignal):
    """
    The task shall be run again at once, and find ``result=`` as ``task_loop_result`` in its context.
    """

    state_class = Looped

    def _default_result(self) -> object:
        return repr(self)


class TRIGGERFAIL(FAIL):
    """
    A trigger refuses the task run.
    """

    state_class = TriggerFailed


class VALIDATIONFAIL(FAIL):
    """
    What the task made is not as it should be.
    """

    state_class = ValidationFailed


class SUCCESS(StateSignal):
    """
    The task run went well.
    """

    state_class = Success


class RETRY(StateSignal):
    """
    The task run shall begin again at ``start_time=``, however often it has done so.
    """

    state_class = Retrying


class SKIP(StateSignal):
    """
    The task run is left out.
    """

    state_class = Skipped


class PAUSE(StateSignal):
    """
    The task run waits until somebody lets it go on, or until ``start_time=``.
    """

    state_class = Paused


_SIGNAL_OF: Final[Mapping[type[State], type[StateSignal]]] = MappingProxyType(
    {kind.state_class: kind for kind in (FAIL, LOOP, TRIGGERFAIL, VALIDATIONFAIL, SUCCESS, RETRY, SKIP, PAUSE)}
)


def signal_from_state(state: State) -> type[StateSignal]:
    """
    Return the signal that gives a state of this class.

    Raises:
        ValueError: none does.
    """
    if (kind := _SIGNAL_OF.get(type(state))) is None:
        raise ValueError(f"No signal matches the provided state: {state}")

    return kind
