"""
Waiting for something to become true, without sleeping blindly.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(ask: Callable[[], T], *, within_s: float = 20.0, every_s: float = 0.02, what: str = "") -> T:
    """
    Call *ask* until it returns something true, and return that; fail loudly after *within_s* seconds.
    """
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {within_s} s: {what or ask}")

        pause.wait(every_s)

    return answer
