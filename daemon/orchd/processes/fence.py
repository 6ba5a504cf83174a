"""
The lock file of a run: byte 0 is its monitor's, byte 1 is the run's own.

POSIX record locks belong to a process, do not cross fork, and name their holder; but any close of the file by a process
drops all that the process holds. So monitor and run open it once, and the daemon under a mutex.
"""

import fcntl
import os
import struct
import threading
from dataclasses import dataclass
from typing import Final

from orchd import clock
from orchd.model.records import Void
from orchd.processes.folder import RunFolder

MONITOR_BYTE: Final = 0
RUN_BYTE: Final = 1

#: ``struct flock`` of 64-bit Linux: type, whence, start, length, pid.
_FLOCK: Final = struct.Struct("hhqqi4x")
_one_opening = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """
    Who holds the bytes; None for nobody.
    """

    monitor_pid: int | None
    run_pid: int | None


def open_lock(folder: RunFolder) -> int:
    """
    Open the lock file, once in the life of a monitor.

    Raises:
        FileNotFoundError: the daemon made no such folder.
    """
    return os.open(folder.lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)


def take(fd: int, byte: int, *, wait: bool) -> bool:
    """
    Lock *byte* for this process until it ends; False when somebody else holds it and *wait* is not asked for.
    """
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, byte)
    except (BlockingIOError, PermissionError):
        return False
    return True


def probe(folder: RunFolder) -> Probe:
    """
    Ask who holds the lock, taking nothing. A folder that is gone is held by nobody.
    """
    with _one_opening:
        try:
            fd = open_lock(folder)
        except FileNotFoundError:
            return Probe(monitor_pid=None, run_pid=None)
        try:
            return Probe(monitor_pid=_holder(fd, MONITOR_BYTE), run_pid=_holder(fd, RUN_BYTE))
        finally:
            os.close(fd)


def void(folder: RunFolder, reason: str) -> bool:
    """
    Decide for ever that this run shall not start.

    Returns:
        False when a monitor was quicker: the run has started or is just starting, and can only be cancelled.
    """
    with _one_opening:
        fd = open_lock(folder)
        try:
            if not take(fd, MONITOR_BYTE, wait=False):
                return False
            began = folder.began()
            if began is None:
                folder.begin(Void(at=clock.now_us(), reason=reason))
                return True
            return isinstance(began, Void)
        finally:
            os.close(fd)


def _holder(fd: int, byte: int) -> int | None:
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else int(pid)
