"""
State handlers: functions of the person's own that see each change of a state, and may put another in its place.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from orchd.engine.context import context
from orchd.engine.faults import said
from orchd.engine.logs import get_logger
from orchd.engine.signals import ENDRUN, PAUSE, StateSignal
from orchd.engine.state import Failed, State

#: Takes what changed, the old state and the new one; returns another new one, or None.
StateHandler = Callable[[Any, State, State], State | None]

LOG: Final = get_logger("TaskRunner")


def handled(
    subject: object, handlers: Iterable[StateHandler], old: State, new: State, *, log: logging.Logger = LOG
) -> State:
    """
    Return the state that *handlers* make of *new*, each given what the one before it made.

    Raises:
        ENDRUN: one of them broke, or wishes it.

        PAUSE: one of them wishes it.
    """
    try:
        for handler in handlers:
            new = _taken(handler(subject, old, new), handler) or new
    except (PAUSE, ENDRUN):
        raise
    except StateSignal as signal:
        if context.get("raise_on_exception"):
            raise

        return signal.state
    except Exception as exc:
        if context.get("raise_on_exception"):
            raise

        message = f"Unexpected error while calling state handlers: {said(exc)}"
        log.error("%s", message)
        raise ENDRUN(Failed(message=message, result=exc)) from exc

    return new


def _taken(given: object, handler: StateHandler) -> State | None:
    if given and not isinstance(given, State):
        name = getattr(handler, "__name__", repr(handler))
        raise TypeError(
            f"state handler {name} returned {type(given).__name__}; return a state, or None to keep the new one"
        )

    return given if isinstance(given, State) else None


def on_failure_handler(callback: Callable[[Any, State], object]) -> StateHandler:
    """
    Return a handler that calls *callback* with each failed state, also with one that will be tried again.
    """
    return callback_factory(callback, check=State.is_failed)


def callback_factory(fn: Callable[[Any, State], object], check: Callable[[State], bool]) -> StateHandler:
    """
    Return a state handler that calls *fn* with what changed and its new state, when *check* is true of that.
    """

    def state_handler(subject: Any, old: State, new: State) -> State | None:
        """
        Call *fn* when *check* is true, and keep the new state.
        """
        if check(new):
            fn(subject, new)

        return new

    return state_handler


def checked_handlers(given: Iterable[StateHandler] | None) -> list[StateHandler]:
    """
    Return the handlers as a list.

    Raises:
        TypeError: it is one function alone, or there is something else among them.
    """
    if given is None:
        return []

    if not isinstance(given, Iterable):
        raise TypeError("state_handlers should be iterable.")

    handlers = list(given)
    if wrong := [each for each in handlers if not callable(each)]:
        raise TypeError(f"State handlers should be functions (received {wrong[0]!r}).")

    return handlers
