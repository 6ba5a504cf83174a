"""
A worker process that was forked from the flow run's: makes one try after the other until its pipe is closed.
"""

import ctypes
import io
import os
import pickle
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import FrameType
from typing import Final, NoReturn, TextIO

from orchd.engine.context import context, current_task
from orchd.engine.executors.wire import Outbox, Print, Record, fork_dumps, told
from orchd.engine.logs import ROOT, RecorderHandler
from orchd.engine.tries import Shared, Try

#: First byte of what a worker sends: records of what happens, or the reply that ends a try.
RECORDS: Final = b"+"
REPLY: Final = b"="
_PR_SET_PDEATHSIG: Final = 1
_BUG: Final = 70
_INTERRUPTED: Final = threading.Event()


def main(pipe: Connection, shared: Shared, *, parent: int) -> NoReturn:
    """
    Be a worker of the flow run of process *parent*, in a fork of its own.

    Args:
        pipe: brings slug, state, index and upstream states of each try.

        shared: what the tries share; it came over with the fork.
    """
    code = _BUG
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == parent:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _interrupt)

            _serve(_Voice(pipe=pipe, pid=os.getpid()), shared)

        code = 0
    except (EOFError, KeyboardInterrupt, OSError):
        code = 0
    finally:
        # No exit handlers: they are the flow run's.
        os._exit(code)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    # Once: what the task does to clean up is not to be interrupted again.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)

    _INTERRUPTED.set()
    raise KeyboardInterrupt


@dataclass(slots=True, kw_only=True)
class _Voice:
    """
    The way back to the flow run's process.
    """

    pipe: Connection
    pid: int

    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, kind: bytes, data: bytes) -> None:
        """
        Send one message, unless this is a fork of the worker, whose words would get between the worker's.
        """
        if os.getpid() == self.pid:
            with self.lock:
                self.pipe.send_bytes(kind + data)

    def records(self, records: Sequence[Record]) -> None:
        """
        Send what happens.
        """
        self.send(RECORDS, pickle.dumps(records))


class _Printed(io.TextIOBase):
    """
    Stands in for a standard stream of the worker: whole lines, and what is flushed, go to the flow run's process.
    """

    encoding = "utf-8"

    def __init__(self, *, behind: TextIO, voice: _Voice, is_error: bool) -> None:
        super().__init__()
        self._behind = behind
        self._voice = voice
        self._is_error = is_error
        self._text = ""

    def write(self, text: str) -> int:
        """
        Take *text*; its last line waits until it is whole or flushed.
        """
        if os.getpid() != self._voice.pid:
            return self._behind.write(text)

        whole, newline, rest = (self._text + text).rpartition("\n")
        self._text = rest
        if newline:
            self._send(whole + newline)

        return len(text)

    def flush(self) -> None:
        """
        Send what there is of the last line.
        """
        text, self._text = self._text, ""
        if text:
            self._send(text)

        self._behind.flush()

    def _send(self, text: str) -> None:
        slug, index = current_task() or (None, -1)
        self._voice.records([Print(is_error=self._is_error, text=text, slug=slug, map_index=index)])

    def writable(self) -> bool:
        """
        True.
        """
        return True

    def fileno(self) -> int:
        """
        The descriptor behind, for programs that a task starts.
        """
        return self._behind.fileno()

    @property
    def buffer(self) -> object:
        """
        The binary stream behind, for bytes; they go straight to the descriptor.
        """
        return getattr(self._behind, "buffer", None)


def _serve(voice: _Voice, shared: Shared) -> None:
    outbox = Outbox(send=voice.records)
    ROOT.handlers[:] = [RecorderHandler(outbox)]
    ROOT.propagate = False
    streams = [_Printed(behind=sys.stdout, voice=voice, is_error=False)]
    streams.append(_Printed(behind=sys.stderr, voice=voice, is_error=True))
    sys.stdout, sys.stderr = streams
    context.swap({})
    while not _INTERRUPTED.is_set():
        slug, state, index, upstream = pickle.loads(voice.pipe.recv_bytes())
        one = Try(shared=shared, node=shared.nodes[slug], state=state, index=index)
        data = told(one, upstream, outbox, dumps=fork_dumps)
        # What is left of a line is still the task's.
        before = context.swap({"task_slug": slug, "map_index": index})
        for stream in streams:
            stream.flush()

        context.swap(before)
        voice.send(REPLY, data)
