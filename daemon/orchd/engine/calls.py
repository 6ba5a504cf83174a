"""
Calls the code of a task, and turns however it ends into a state.
"""

import logging
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from orchd.engine.deadline import TaskTimeout, call_within
from orchd.engine.logs import say
from orchd.engine.prints import captured
from orchd.engine.signals import StateSignal
from orchd.engine.state import Failed, State, Success, TimedOut
from orchd.engine.work import Work

_PACKAGE: Final = str(Path(__file__).parent.parent)


def call_task(task: Work, inputs: dict[str, Any], *, log: logging.Logger) -> State:
    """
    Return the state in which ``task.run(**inputs)`` ends. Only KeyboardInterrupt and SystemExit go through.
    """
    try:
        if task.log_stdout:
            with captured(lambda line: say(log, line)):
                value = _called(task, inputs)
        else:
            value = _called(task, inputs)
    except StateSignal as signal:
        say(log, f"{type(signal).__name__} signal raised: {said(signal)}")
        return signal.state
    except TaskTimeout:
        return TimedOut(message="Task timed out during execution.")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as exc:
        # Task code may raise anything, also what is no Exception (asyncio.CancelledError): it failed.
        trace = own_traceback(exc.__traceback__)
        log.error(
            "Task '%s': Exception encountered during task execution!", task.name, exc_info=(type(exc), exc, trace)
        )
        return Failed(message=f"Error during execution of task: {said(exc)}", result=exc)

    return Success(result=value, message="Task run succeeded.")


def said(exc: BaseException) -> str:
    """
    Return ``repr(exc)``, and something that can be read when that itself fails.
    """
    try:
        return repr(exc)
    except Exception as inner:
        return f"{type(exc).__name__}(<its repr raised {type(inner).__name__}>)"


def own_traceback(trace: TracebackType | None) -> TracebackType | None:
    """
    Return *trace* from the first frame on that is not ours.
    """
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        trace = trace.tb_next

    return trace


def _called(task: Work, inputs: dict[str, Any]) -> Any:
    if not task.timeout:
        return task.run(**inputs)

    return call_within(task.timeout, lambda: task.run(**inputs))
