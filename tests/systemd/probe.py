"""
What flows like to do, tried one by one inside orchd.service's sandbox; prints as JSON what could not be done, and why.

Runs as a program of its own, with nothing but the standard library.
"""

import ctypes
import json
import mmap
import multiprocessing
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from multiprocessing import shared_memory
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def _write(folder: str) -> None:
    (Path(folder) / f"probe-{os.getpid()}").write_text("x")


def _call(returned: int) -> None:
    if returned < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _command(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def _setuid_program() -> None:
    assert "euid=0" in _command("/usr/local/bin/setuid-id"), "did not become root"


def _chmod(mode: int) -> None:
    path = Path("/tmp/chmod")
    path.touch()
    path.chmod(mode)


def _readable_by_all() -> None:
    path = Path("/tmp/umask")
    path.touch()
    assert path.stat().st_mode & 0o004, f"mode is {path.stat().st_mode:o}"


def _gpu() -> None:
    path = Path("/dev/dri/renderD128")
    path.stat()
    # Without a driver the kernel has no device class that DeviceAllow= could name.
    if " drm\n" in Path("/proc/devices").read_text():
        os.close(os.open(path, os.O_RDONLY))


def _shared_memory() -> None:
    block = shared_memory.SharedMemory(create=True, size=16)
    block.close()
    block.unlink()


def _threads_and_locks() -> None:
    multiprocessing.Lock()
    thread = threading.Thread(target=os.getpid)
    thread.start()
    thread.join()


PROBES: dict[str, Callable[[], object]] = {
    # what must work
    "write the state folder": lambda: _write("/var/lib/orchd"),
    "write /tmp": lambda: _write("/tmp"),
    "write /var/tmp": lambda: _write("/var/tmp"),
    "write /dev/shm": lambda: _write("/dev/shm"),
    "read a home": lambda: Path("/home/alice/data").read_text(),
    "run programs": lambda: _command("/bin/sh", "-c", "echo | sort"),
    "share memory": _shared_memory,
    "threads and locks": _threads_and_locks,
    "compile code at run time": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "be nice": lambda: os.nice(1),
    "choose a core": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    "see memory and cores": lambda: (Path("/proc/meminfo").read_text(), Path("/proc/cpuinfo").read_text()),
    "internet sockets": lambda: (socket.socket(socket.AF_INET).close(), socket.socket(socket.AF_INET6).close()),
    "look up names": lambda: socket.getaddrinfo("localhost", 80),
    "list interfaces": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(),
    "list own processes": lambda: Path(f"/proc/{os.getpid()}/environ").read_bytes(),
    "change its group to its own": lambda: os.setgid(os.getgid()),
    # what is lost, and given back by a drop-in
    "write results": lambda: _write("/srv/orchd/results"),
    "write /srv": lambda: _write("/srv"),
    "write a home": lambda: _write("/home/orchd-can"),
    "see the machine's /tmp": lambda: Path("/tmp/of-the-machine").read_text(),
    "user namespace": lambda: _command("unshare", "--user", "--map-root-user", "true"),
    "mount in a namespace": lambda: _command("unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"),
    "PID namespace": lambda: _command("unshare", "-Urpf", "--mount-proc", "true"),
    "setuid program": _setuid_program,
    "be traced": lambda: _call(_libc.ptrace(0, 0, 0, 0)),
    "see other users' processes": lambda: Path("/proc/1/cmdline").read_bytes(),
    "open a GPU": _gpu,
    "lend rights by mode": lambda: _chmod(0o2750),
    "change personality": lambda: _call(_libc.personality(0x0040000)),
    "results that all can read": _readable_by_all,
    # what nobody gets
    "realtime": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "raw packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "kernel settings": lambda: Path("/proc/sys/kernel/printk").write_text("4"),
}


def main() -> None:
    """
    Try all, each in a child of its own: some change the process, and a filter may kill it.
    """
    failed: dict[str, str] = {}
    for name, probe in PROBES.items():
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            try:
                probe()
            except BaseException as error:
                os.write(writer, repr(error).encode())
            os._exit(0)

        os.close(writer)
        told = os.read(reader, 4096).decode()
        os.close(reader)
        _, status = os.waitpid(child, 0)
        if told or status:
            failed[name] = told or f"wait status {status}"

    print(json.dumps(failed))


main()
