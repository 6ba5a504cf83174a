"""
Calls the code of a task, and turns however it ends into a state.
"""

import logging
from functools import partial
from typing import Any

from orchd.engine.context import context
from orchd.engine.deadline import TaskTimeoutSignal, call_within
from orchd.engine.faults import own_traceback, said
from orchd.engine.logs import say
from orchd.engine.prints import captured
from orchd.engine.signals import ENDRUN, LOOP, StateSignal
from orchd.engine.state import Failed, State, Success, TimedOut
from orchd.engine.work import Work


def call_task(task: Work, inputs: dict[str, Any], *, name: str, log: logging.Logger) -> State:
    """
    Return the state in which ``task.run(**inputs)`` ends. Only KeyboardInterrupt, SystemExit and ENDRUN go through, and
    with ``raise_on_exception`` in the context everything.
    """
    try:
        value = _called(task, inputs, log)
    except LOOP as signal:
        return signal.state
    except StateSignal as signal:
        if context.get("raise_on_exception"):
            raise

        say(log, f"{type(signal).__name__} signal raised: {said(signal)}")
        return signal.state
    except TaskTimeoutSignal as exc:
        if context.get("raise_on_exception"):
            raise

        if exc.goes_on:
            log.warning("Task '%s': its code hangs in a call that cannot be interrupted, and is left behind.", name)

        return TimedOut(message="Task timed out during execution.", result=exc)
    except (KeyboardInterrupt, SystemExit, ENDRUN):
        raise
    except BaseException as exc:
        if context.get("raise_on_exception"):
            raise

        # Task code may raise anything, also what is no Exception (asyncio.CancelledError): it failed.
        trace = own_traceback(exc.__traceback__)
        log.error("Task '%s': Exception encountered during task execution!", name, exc_info=(type(exc), exc, trace))
        return Failed(message=f"Error during execution of task: {said(exc)}", result=exc)

    return Success(result=value, message="Task run succeeded.")


def _called(task: Work, inputs: dict[str, Any], log: logging.Logger) -> Any:
    work = partial(_printing, task, inputs, log) if task.log_stdout else partial(task.run, **inputs)
    return call_within(task.timeout, work) if task.timeout else work()


def _printing(task: Work, inputs: dict[str, Any], log: logging.Logger) -> Any:
    # Inside the time limit, as only this thread's prints are taken.
    with captured(lambda line: say(log, line)):
        return task.run(**inputs)
