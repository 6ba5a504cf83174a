"""
Time limits of tasks: the code under one is interrupted wherever it is.
"""

import ctypes
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class TaskTimeoutSignal(BaseException):
    """
    The time is up. No ``Exception``, so that ``except Exception`` in task code does not swallow it.
    """

    def __init__(self) -> None:
        super().__init__("Execution timed out.")


def call_within(seconds: int, work: Callable[[], T]) -> T:
    """
    Return ``work()``.

    In the main thread a blocking system call is interrupted too; in another thread only Python code is.

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
    worker = threading.get_ident()
    guard = threading.Lock()
    is_open = True
    fired = False

    def ring() -> None:
        """
        Interrupt the work, as long as it goes on.
        """
        nonlocal fired
        with guard:
            if is_open:
                fired = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker), ctypes.py_object(TaskTimeoutSignal))

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        value = work()
    finally:
        timer.cancel()
        with guard:
            is_open = False

        # One that was set but not yet raised would hit whatever this thread does next.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker), None)

    if fired:
        raise TaskTimeoutSignal

    return value
