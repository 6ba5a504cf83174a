"""
Time limits of tasks: the code under one is interrupted wherever it is.
"""

import ctypes
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, TypeVar

from orchd.engine.context import context

T = TypeVar("T")

#: How long code in a thread has to end once it is interrupted; Python code needs no more than a moment.
GRACE_S: Final = 1.0


class TaskTimeoutSignal(BaseException):
    """
    The time is up. No ``Exception``, so that ``except Exception`` in task code does not swallow it.
    """

    def __init__(self, message: str = "Execution timed out.", *, goes_on: bool = False) -> None:
        super().__init__(message)
        #: True when the code could not be interrupted, and was left behind.
        self.goes_on = goes_on


def call_within(seconds: int, work: Callable[[], T]) -> T:
    """
    Return ``work()``.

    In the main thread a blocking system call is interrupted too. In another thread only Python code is; code that hangs
    in a call into C is left behind, and ends with the process at the latest.

    Raises:
        TaskTimeoutSignal: it took longer than *seconds*, even if it went on to return something.
    """
    if threading.current_thread() is threading.main_thread():
        return _by_alarm(seconds, work)

    return _by_thread(seconds, work)


def _by_alarm(seconds: int, work: Callable[[], T]) -> T:
    fired = False
    is_open = True

    def ring(signum: int, frame: FrameType | None) -> None:
        """
        Interrupt the work, as long as it goes on.
        """
        nonlocal fired
        if is_open:
            fired = True
            raise TaskTimeoutSignal

    # A task that itself runs a flow has two limits, one inside the other.
    before = signal.signal(signal.SIGALRM, ring)
    # Repeated, for code whose bare `except:` swallows the first one.
    outer, _ = signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        value = work()
        is_open = False
    finally:
        is_open = False
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, outer)

    if fired:
        raise TaskTimeoutSignal

    return value


def _by_thread(seconds: int, work: Callable[[], T]) -> T:
    """
    Let a thread of its own do the work, so that this one goes on even when the work hangs in a call into C.
    """
    values = context.swap({})
    ended = threading.Event()
    given: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        """
        Do the work with the context of the thread that waits for it.
        """
        context.swap(values)
        try:
            given.append(work())
        except BaseException as exc:
            raised.append(exc)
        finally:
            ended.set()

    worker = threading.Thread(target=run, name=threading.current_thread().name, daemon=True)
    worker.start()
    try:
        if not ended.wait(seconds):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(worker.ident or 0), ctypes.py_object(TaskTimeoutSignal)
            )
            raise TaskTimeoutSignal(goes_on=not ended.wait(GRACE_S))
    finally:
        # A copy, as work that goes on keeps its own.
        context.swap(dict(values))

    if raised:
        raise raised[0]

    return given[0]
