"""
The few system calls of Linux that Python does not offer, and what ``/proc`` says of this process.
"""

import contextlib
import ctypes
import functools
import os
import resource
from collections.abc import Iterator
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_CHILD_SUBREAPER: Final = 36
#: Fields 50 and 51 of ``/proc/PID/stat``, counted from the state (field 3), which follows the name in brackets.
_ENV_START: Final = 47
_START_TIME: Final = 19
#: Fields 48 and 49.
_ARG_START: Final = 45

_libc: Final = ctypes.CDLL(None, use_errno=True)


def become_subreaper() -> None:
    """
    Make orphaned descendants of this process its children.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: int) -> None:
    """
    Have this process sent *signal_number* when its parent dies; a parent that is dead already is not noticed.
    """
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def set_process_name(name: str) -> None:
    """
    Set the name, at most 15 bytes, that ``ps`` and ``top`` show.
    """
    _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def set_command_line(text: str) -> None:
    """
    Have ``ps`` show *text* as the command line of this process, as much of it as fits into what it was started with.
    """
    address, size = command_line()
    data = "".join(char if char.isprintable() else "?" for char in text).encode("utf-8", "replace")[: size - 1]
    ctypes.memmove(address, data.ljust(size, b"\0"), size)


@functools.cache
def command_line() -> tuple[int, int]:
    """
    Return where the bytes of this program's command line are, and how many; the same in all of its forks.
    """
    start, end = (int(field) for field in _stat(os.getpid())[_ARG_START : _ARG_START + 2])
    return start, end - start


def children_of_this_process() -> list[int]:
    """
    Return the pids of the children, dead ones too. One that is born or reaped meanwhile may be missing.
    """
    pid = os.getpid()
    children: list[int] = []
    is_told = False
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                is_told = True
                children.extend(map(int, file.read().split()))
    except OSError:
        return []
    return children if is_told else list(_children_by_walk(pid))


def raise_file_limit() -> int:
    """
    Let this process have as many descriptors as it may; return how many it had, for those that it starts.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


def set_file_limit(soft: int) -> None:
    """
    Let this process have *soft* descriptors, and its children too; it may raise that again.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def start_time_of_this_process() -> int:
    """
    Return when this process started, in clock ticks since boot.
    """
    return int(_stat(os.getpid())[_START_TIME])


def boot_id() -> str:
    """
    Return the id of this boot of the machine.
    """
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def oom_kills() -> int | None:
    """
    Return how many processes the kernel has killed for want of memory since boot; None when it does not say.
    """
    with contextlib.suppress(OSError), open("/proc/vmstat", "rb") as file:
        for line in file:
            if line.startswith(b"oom_kill "):
                return int(line.split()[1])
    return None


class EnvironmentSlot:
    """
    The bytes of one value in this program's first environment: what ``/proc/PID/environ`` shows of it and its forks.
    """

    def __init__(self, name: str) -> None:
        """
        Find the value of *name*; a program that was started without it has a slot of no bytes.
        """
        start, end = (int(field) for field in _stat(os.getpid())[_ENV_START : _ENV_START + 2])
        block = b"\0" + (ctypes.string_at(start, end - start) if start else b"")
        mark = f"\0{name}=".encode()
        found = block.find(mark)
        self._address = start - 1 + found + len(mark)
        self._size = 0 if found < 0 else block.index(b"\0", found + len(mark)) - found - len(mark)

    def overwrite(self, value: str) -> bool:
        """
        Put *value* there, in this process alone; False when it does not fit.
        """
        data = value.encode()
        if len(data) > self._size:
            return False
        ctypes.memmove(self._address, data.ljust(self._size, b"\0"), self._size)
        return True


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _stat(pid: int) -> list[bytes]:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


def _children_by_walk(parent: int) -> Iterator[int]:
    # For kernels without CONFIG_PROC_CHILDREN.
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                if int(_stat(int(name))[1]) == parent:
                    yield int(name)
