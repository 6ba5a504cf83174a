"""
The spawner: a small single-threaded program with the engine's imports warm, that only forks.

It serves one request at a time, reaps its children, kills what it adopts, and ends when its daemon is gone.
"""

import contextlib
import io
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from orchd import clock
from orchd.processes import linux, monitor
from orchd.processes.crash import crash_at
from orchd.processes.describe_child import describe_to
from orchd.processes.folder import RunFolder
from orchd.processes.protocol import (
    MAX_MESSAGE,
    REQUESTS,
    Describe,
    Described,
    Ended,
    Launch,
    Launched,
    Refused,
    Reply,
)
from orchd.processes.verdict import describing_error
from orchd.processes.warm import warm_up

_GONE: Final = select.POLLHUP | select.POLLRDHUP | select.POLLERR
_BUG: Final = 70


@dataclass(slots=True, kw_only=True)
class _Child:
    """
    A child and what it is for: a launch, a description, or nothing when it was adopted.
    """

    pid: int
    request: Launch | Describe | None = None
    #: Monotonic seconds after which a describing child is killed.
    kill_at: float | None = None
    is_late: bool = False


class _Spawner:
    def __init__(self, connection: socket.socket, file_limit: int) -> None:
        self._connection = connection
        self._file_limit = file_limit
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN | select.POLLRDHUP)
        #: By pidfd.
        self._children: dict[int, _Child] = {}
        self._slot = linux.EnvironmentSlot("ORCHD_RUN_ID")

    def serve(self) -> None:
        """
        Serve until the daemon is gone; what it left in the queue is not served.
        """
        while True:
            for fd, events in self._poll.poll(self._timeout_ms()):
                if fd != self._connection.fileno():
                    self._bury(fd)
                elif events & _GONE:
                    self._end()
                    return
                else:
                    self._answer()
            self._kill_late()

    def _timeout_ms(self) -> float | None:
        times = [child.kill_at for child in self._children.values() if child.kill_at is not None]
        return max(0.0, min(times) - clock.monotonic()) * 1000 + 1 if times else None

    def _answer(self) -> None:
        request = REQUESTS.decode(self._connection.recv(MAX_MESSAGE))
        crash_at("spawner.received")
        match request:
            case Launch():
                try:
                    pid = self._fork(lambda: monitor.main(RunFolder(Path(request.folder)), self._slot), request)
                except OSError as error:
                    self._say(Refused(folder=request.folder, error=f"the system gave no process: {error.strerror}"))
                    return
                crash_at("spawner.forked")
                self._say(Launched(folder=request.folder, pid=pid))
            case Describe():
                try:
                    self._fork(lambda: _describe(request), request)
                except OSError as error:
                    text = f"the system gave no process: {error.strerror}"
                    self._say(Described(id=request.id, ok=False, error=text))

    def _fork(self, main: Callable[[], int], request: Launch | Describe) -> int:
        # A descriptor for the pidfd is set aside first: a child that cannot be watched must not be forked.
        reserved = os.dup(0)
        # Blocked before the fork, so that no signal finds a monitor that does not wait for it yet.
        signal.pthread_sigmask(signal.SIG_BLOCK, monitor.SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._be(main, reserved)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.close(reserved)
        kill_at = clock.monotonic() + request.time_limit_s if isinstance(request, Describe) else None
        self._watch(_Child(pid=pid, request=request, kill_at=kill_at))
        return pid

    def _be(self, main: Callable[[], int], reserved: int) -> NoReturn:
        code = _BUG
        try:
            self._connection.close()
            for fd in (reserved, *self._children):
                os.close(fd)
            # User code gets what the daemon was given: select() knows no descriptor beyond 1023.
            linux.set_file_limit(self._file_limit)
            code = main()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _watch(self, child: _Child) -> None:
        fd = os.pidfd_open(child.pid)
        self._children[fd] = child
        self._poll.register(fd, select.POLLIN)

    def _bury(self, fd: int) -> None:
        child = self._children.pop(fd)
        self._poll.unregister(fd)
        os.close(fd)
        status = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
        match child.request:
            case Launch(folder=folder):
                self._say(Ended(folder=folder, pid=child.pid, status=status))
            case Describe() as request:
                seen = None if child.is_late else status
                error = describing_error(Path(request.file), seen, request.time_limit_s)
                self._say(Described(id=request.id, ok=error is None, error=error))
            case None:
                pass
        self._kill_adopted()

    def _kill_adopted(self) -> None:
        # Orphans come to their subreaper when a process dies; each that matters here is or was below our child.
        known = {child.pid for child in self._children.values()}
        for pid in linux.children_of_this_process():
            if pid not in known:
                os.kill(pid, signal.SIGKILL)
                self._watch(_Child(pid=pid))

    def _kill_late(self) -> None:
        for child in self._children.values():
            if child.kill_at is not None and clock.monotonic() >= child.kill_at:
                child.kill_at, child.is_late = None, True
                os.kill(child.pid, signal.SIGKILL)

    def _end(self) -> None:
        for child in self._children.values():
            if not isinstance(child.request, Launch):
                os.kill(child.pid, signal.SIGKILL)

    def _say(self, reply: Reply) -> None:
        with contextlib.suppress(OSError):
            self._connection.send(msgspec.json.encode(reply))


def _describe(request: Describe) -> int:
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for fd in (1, 2):
        os.dup2(0, fd)
    describe_to(
        Path(request.file),
        Path(request.out),
        env_file=Path(request.env_file) if request.env_file else None,
        prefect_imports=request.prefect_imports,
    )
    return 0


def main(fd: int, file_limit: int) -> None:
    """
    Be the spawner whose daemon holds the other end of the socket *fd*.

    Its runs begin with *file_limit* descriptors; it needs one for each of them.
    """
    linux.set_process_name("orchd-spawner")
    linux.become_subreaper()
    # Looked for once, for all forks.
    linux.command_line()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    os.set_inheritable(fd, False)
    warm_up()
    _Spawner(socket.socket(fileno=fd), file_limit).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
