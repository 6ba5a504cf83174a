"""
The only reader of the clocks. Everything that decides takes ``now=`` as an argument instead.
"""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """
    Return the wall clock as an aware UTC instant.
    """
    return datetime.now(UTC)


def now_us() -> int:
    """
    Return the wall clock in UTC microseconds since 1970, the form that the store and journals hold.
    """
    return time.time_ns() // 1000


def monotonic_us() -> int:
    """
    Return microseconds of ``CLOCK_MONOTONIC``, which systemd compares with its own.
    """
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def monotonic() -> float:
    """
    Return seconds on a clock that nobody can set; only differences of it mean something.
    """
    return time.monotonic()
