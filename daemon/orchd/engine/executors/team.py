"""
The flow run's side of its worker processes: forked from it, one try at a time each.
"""

import contextlib
import os
import pickle
import queue
import select
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from multiprocessing import Pipe
from typing import Final

from orchd.engine.executors import forked
from orchd.engine.executors.wire import Move, fork_dumps, heard, repeat
from orchd.engine.faults import said
from orchd.engine.state import State
from orchd.engine.tries import Shared, Try

#: Two forks at once would hold each other's pipes.
_FORKING: Final = threading.Lock()


class _WorkerGone(Exception):
    """
    The worker process has ended; the text says how.
    """


class _NoProcess(Exception):
    """
    The system gave no process for a worker.
    """


class Team:
    """
    *size* worker processes, which have all of the pass in memory: only states cross over to them.
    """

    def __init__(self, size: int, shared: Shared) -> None:
        self._shared = shared
        #: Workers that have nothing to do, and None for each that is gone and has not been replaced yet.
        self._idle: queue.SimpleQueue[_Worker | None] = queue.SimpleQueue()
        self._workers: set[_Worker] = set()
        self._is_dismissed = False
        for _ in range(size):
            self._idle.put(self._hire())

    def __enter__(self) -> "Team":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for worker in list(self._workers):
            worker.close(is_killed=kind is not None)

    def make(self, one: Try, upstream: Sequence[State]) -> State:
        """
        Have *one* made by the next worker that is free, and return its state.

        Raises:
            BaseException: what the try raised itself.
        """
        worker = self._idle.get()
        try:
            worker = worker or self._hire()
            return worker.make(one, upstream)
        except _NoProcess as refusal:
            return one.lost(str(refusal), has_begun=False)
        except _WorkerGone as gone:
            dead, worker = worker, None
            if dead is None or self._is_dismissed:
                raise KeyboardInterrupt from None

            self._workers.discard(dead)
            dead.close()
            return one.lost(str(gone), has_begun=dead.has_begun)
        finally:
            self._idle.put(worker)

    def dismiss(self) -> None:
        """
        Interrupt what the workers are doing, as Ctrl-C does.
        """
        self._is_dismissed = True
        for worker in list(self._workers):
            worker.interrupt()

    def _hire(self) -> "_Worker":
        with _FORKING:
            worker = _Worker(self._shared, self._workers)
            self._workers.add(worker)

        return worker


class _Worker:
    """
    One worker process and the pipe to it.
    """

    def __init__(self, shared: Shared, others: "set[_Worker]") -> None:
        self._pipe, theirs = Pipe()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()

        with warnings.catch_warnings():
            # The threads that there are wait, or are the person's own, who asked for processes.
            warnings.simplefilter("ignore", DeprecationWarning)
            parent = os.getpid()
            try:
                self.pid = os.fork()
            except OSError as exc:
                raise _NoProcess(f"the system gave no process for a worker: {exc.strerror}") from exc

        if self.pid == 0:
            for each in (self, *others):
                each._pipe.close()

            forked.main(theirs, shared, parent=parent)

        theirs.close()
        self._pidfd = os.pidfd_open(self.pid)
        # Whoever a dead worker forked may hold its end of the pipe: then only its pidfd tells.
        self._poll = select.poll()
        for fd in (self._pipe.fileno(), self._pidfd):
            self._poll.register(fd, select.POLLIN)

        self._status: int | None = None
        #: The try that it makes, or made last, runs.
        self.has_begun = False

    def make(self, one: Try, upstream: Sequence[State]) -> State:
        """
        Have the worker make *one*, and repeat here what it says.

        Raises:
            _WorkerGone: it has ended before it had an answer.
        """
        self.has_begun = False
        try:
            data = fork_dumps((one.node.slug, one.state, one.index, list(upstream)))
        except Exception as exc:
            return one.lost(
                f"what the task is given cannot be sent to a worker process: {said(exc)}; use threads", has_begun=False
            )

        try:
            self._pipe.send_bytes(data)
            return self._listen(one)
        except (EOFError, OSError):
            raise _WorkerGone(self._obituary()) from None

    def _listen(self, one: Try) -> State:
        recorder = one.shared.scope.recorder
        while True:
            if all(fd == self._pidfd for fd, _ in self._poll.poll()):
                raise EOFError

            data = self._pipe.recv_bytes()
            if data[:1] == forked.REPLY:
                return heard(one, data[1:], has_begun=self.has_begun)

            for record in pickle.loads(data[1:]):
                self.has_begun = self.has_begun or isinstance(record, Move)
                repeat(record, recorder)

    def interrupt(self) -> None:
        """
        Send it SIGTERM, which it takes as KeyboardInterrupt.
        """
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)

    def close(self, *, is_killed: bool = False) -> None:
        """
        Wait for its end, which comes when it has nothing more to do; at once if *is_killed*.
        """
        self._pipe.close()
        if is_killed:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

        self._reap()
        os.close(self._pidfd)

    def _obituary(self) -> str:
        status = self._reap()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended itself with exit code {status}"
        return f"the worker process (pid {self.pid}) {how}"

    def _reap(self) -> int:
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

        return self._status
