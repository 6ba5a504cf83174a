"""
Finding and killing what is left of a run whose monitor is dead.
"""

import contextlib
import os
import select
import signal
from collections.abc import Collection
from typing import Final

from orchd.processes import fence, linux
from orchd.processes.folder import RunFolder

#: Seconds waited for killed processes to be gone before they are looked for again.
_DEATH_S: Final = 1.0
#: A process that survives this many rounds hangs in the kernel; killing it again changes nothing.
_ROUNDS: Final = 10


def kill_holder(folder: RunFolder, pid: int) -> bool:
    """
    Kill the run that holds byte 1 of the lock in *folder*, if that is *pid*; tell whether it could be.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        # Probed again under the pidfd: the number may have gone to somebody else in between.
        if fence.probe(folder).run_pid != pid:
            return False
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(pidfd)
    return True


def kill_strays(run_id: str) -> int:
    """
    Kill every process that carries this ``ORCHD_RUN_ID`` in its environment, until none is left.

    Returns:
        How many processes were killed.
    """
    killed: set[int] = set()
    for _ in range(_ROUNDS):
        found = _kill_round(b"ORCHD_RUN_ID=" + run_id.encode())
        if not found:
            break
        killed |= found
    return len(killed)


def reap_adopted(own: Collection[int]) -> list[tuple[int, int]]:
    """
    Reap the dead processes that a killed spawner left to this process, which must be their subreaper.

    Args:
        own: pids that this process's own code waits for, such as its spawner's.

    Returns:
        Pid and exit code (minus the signal) of each.
    """
    reaped: list[tuple[int, int]] = []
    for child in linux.children_of_this_process():
        if child not in own:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(child, os.WNOHANG)
                if pid:
                    reaped.append((pid, os.waitstatus_to_exitcode(status)))
    return reaped


def _kill_round(mark: bytes) -> set[int]:
    killed: set[int] = set()
    with contextlib.ExitStack() as stack:
        waiting = select.poll()
        alive: set[int] = set()
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            if pid == os.getpid() or not _carries(pid, mark):
                continue
            with contextlib.suppress(OSError):
                fd = os.pidfd_open(pid)
                stack.callback(os.close, fd)
                # Looked at again under the pidfd: the number may have gone to somebody else in between.
                if _carries(pid, mark):
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
                    waiting.register(fd, select.POLLIN)
                    alive.add(fd)
                    killed.add(pid)
        while alive and (dead := waiting.poll(_DEATH_S * 1000)):
            for fd, _ in dead:
                waiting.unregister(fd)
                alive.discard(fd)
    return killed


def _carries(pid: int, mark: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return mark in file.read().split(b"\0")
    except OSError:
        return False
