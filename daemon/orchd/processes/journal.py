"""
``journal.jsonl``: the recorder that a run writes it with, and the tolerant reader of the daemon.
"""

import contextlib
import errno
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TextIO, cast

import msgspec

from orchd import clock
from orchd.model.records import FlowRecord, JournalRecord, LogRecord, SpanRecord, TaskRecord, WaitRecord
from orchd.model.states import FlowRunState, TaskRunState
from orchd.processes.folder import open_plain
from orchd.processes.spans import SpanStream
from orchd.results.secrets import hidden

#: Bytes of the journal's end in which the flow's last word is looked for, first the few; messages are cut to fit.
_TAILS: Final = (65536, 4 * 1024 * 1024)
_MAX_MESSAGE: Final = 8192
#: Most bytes of one span: a look of the daemon's reads a little more.
_MAX_SPAN: Final = 32768
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
#: Seconds between two looks at a full disk.
_FULL_PAUSE_S: Final = 0.2
#: Slug and map index of a task run.
TaskKey = tuple[str, int]
_RECORD: Final[msgspec.json.Decoder[JournalRecord]] = msgspec.json.Decoder(JournalRecord)


class Chunk(NamedTuple):
    """
    A part of a journal.
    """

    #: Each record with the offset of the byte after its line.
    records: list[tuple[JournalRecord, int]]
    #: Where to read on.
    offset: int
    #: Lines that did not parse and were passed over.
    bad: int


def read_records(path: Path, offset: int, max_bytes: int) -> Chunk:
    """
    Read whole lines from *offset* on; a last line without its newline is left for later.

    Args:
        path: a journal; one that is not there yet is empty.

        offset: of the first byte of a line.

        max_bytes: about how much is read; a longer line is still read whole.
    """
    data = _whole_lines(path, offset, max_bytes)
    records: list[tuple[JournalRecord, int]] = []
    bad = 0
    decode = _RECORD.decode
    for line in data.split(b"\n")[:-1]:
        offset += len(line) + 1
        try:
            records.append((decode(line), offset))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            bad += 1
    return Chunk(records, offset, bad)


def last_word(path: Path) -> FlowRecord | None:
    """
    Return the flow's last word; None when it never came, or the journal ends in the middle of a line.

    It is the last line of the run itself; children that user code forked may have logged after it.
    """
    for size in _TAILS:
        lines = _last_lines(path, size)
        if lines[-1]:
            return None
        for line in reversed(lines):
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                record = _RECORD.decode(line)
                if isinstance(record, FlowRecord):
                    return record
    return None


def _last_lines(path: Path, size: int) -> list[bytes]:
    try:
        with open(open_plain(path), "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size).split(b"\n")
    except OSError:
        return [b""]


def _whole_lines(path: Path, offset: int, max_bytes: int) -> bytes:
    try:
        fd = open_plain(path)
    except FileNotFoundError:
        return b""
    try:
        data = os.pread(fd, max_bytes, offset)
        while data and b"\n" not in data and (more := os.pread(fd, len(data), offset + len(data))):
            data += more
    finally:
        os.close(fd)
    return data[: data.rfind(b"\n") + 1]


class JournalRecorder:
    """
    Writes what the engine reports, one ``write`` for each record (see ``engine.recorder.Recorder``).

    The flow's last word is kept back until :meth:`close`, so that it is the last line whatever exit handlers log.
    """

    def __init__(self, fd: int, *, nudge: Callable[[], None] = lambda: None) -> None:
        """
        Write to *fd*, opened for append, and call *nudge* after each record.
        """
        self._fd = fd
        self._nudge = nudge
        self._pid = os.getpid()
        #: Taken again by what a move flushes.
        self._lock = threading.RLock()
        self._encode = msgspec.json.Encoder().encode
        self._running: set[tuple[str, int]] = set()
        #: Those of the running tasks that wait for a run, and for which; what was last written of it.
        self._waiting: dict[tuple[str, int], str] = {}
        self._awaited: tuple[str, ...] = ()
        self._wait_lock = threading.Lock()
        #: The running task to which the last mark gave the bytes that follow it.
        self._sole: TaskKey | None = None
        self._has_spans = self._is_elsewhere = False
        self._verdict: FlowRecord | None = None

    def task(
        self, *, slug: str, map_index: int, state: TaskRunState, attempt: int, message: str, location: str | None
    ) -> None:
        """
        Record that a task run moved, after everything that it printed.
        """
        key = (slug, map_index)
        with self._lock:
            self._running.discard(key)
            is_alone = not self._running and not self._is_elsewhere
            is_known = is_alone or self._has_spans
            stdout, stderr = (_size(sys.stdout, 1), _size(sys.stderr, 2)) if is_known else (-1, -1)
            self._sole = None
            if state is TaskRunState.RUNNING:
                self._running.add(key)
                self._sole = key if is_alone else None
            self._waiting.pop(key, None)
            self._write(
                TaskRecord(
                    at=clock.now_us(),
                    slug=slug,
                    state=state.value,
                    map_index=map_index,
                    attempt=attempt,
                    message=_shown(message)[:_MAX_MESSAGE],
                    location=location,
                    stdout=stdout,
                    stderr=stderr,
                    beside=not is_alone,
                )
            )
        self._tell_wait()

    def log(self, *, level: int, logger: str, text: str, slug: str | None, map_index: int) -> None:
        """
        Record a line of a logger, or of a print in a task with ``log_stdout=True``.
        """
        record = LogRecord(
            at=clock.now_us(), level=level, logger=logger, text=_shown(text), slug=slug, map_index=map_index
        )
        self._write(record)

    def wait(self, *, slug: str, map_index: int, child: str | None) -> None:
        """
        Record that the run only waits, once each of its running tasks does; and that it goes on, when one does.
        """
        if child is None:
            self._waiting.pop((slug, map_index), None)
        else:
            self._waiting[slug, map_index] = child
        self._tell_wait()

    def _tell_wait(self) -> None:
        with self._wait_lock:
            is_idle = bool(self._waiting) and self._running <= self._waiting.keys()
            awaited = tuple(sorted(set(self._waiting.values()))) if is_idle else ()
            if awaited != self._awaited:
                self._awaited = awaited
                self._write(WaitRecord(at=clock.now_us(), children=awaited))

    @contextlib.contextmanager
    def beside(self, whose: Callable[[], TaskKey | None], *, is_elsewhere: bool = False) -> Iterator[None]:
        """
        Record whose each line is that Python code prints in the block: a span, right behind the line itself.
        """
        before = sys.stdout, sys.stderr
        with contextlib.ExitStack() as held:
            ours = tuple(self._spanned(stream, fd, whose, held) for fd, stream in enumerate(before, start=1))
            sys.stdout, sys.stderr = ours
            self._has_spans, self._is_elsewhere = True, is_elsewhere
            try:
                yield
            finally:
                self._has_spans = self._is_elsewhere = False
                if (sys.stdout, sys.stderr) == ours:
                    sys.stdout, sys.stderr = before

    def _spanned(
        self, stream: TextIO, fd: int, whose: Callable[[], TaskKey | None], held: contextlib.ExitStack
    ) -> TextIO:
        if not isinstance(stream, io.TextIOWrapper) or stream.fileno() != fd:
            # User code has put something of its own in its place.
            return stream
        # Opened anew: the position after a write is where that write ended, whoever else writes to the file.
        out = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        held.callback(os.close, out)
        return cast(TextIO, SpanStream(stream, lambda text: self._print(stream, out, whose(), text)))

    def _print(self, behind: TextIO, out: int, owner: TaskKey | None, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        if os.getpid() != self._pid:
            os.write(out, data)
            return
        with self._lock:
            behind.flush()
            _write_through(out, data)
            if owner is None or owner == self._sole:
                return
            end = os.lseek(out, 0, os.SEEK_CUR)
            stream = "stdout" if behind.fileno() == 1 else "stderr"
            for start in range(end - len(data), end, _MAX_SPAN):
                upto = min(start + _MAX_SPAN, end)
                self._write(
                    SpanRecord(
                        at=clock.now_us(), stream=stream, start=start, end=upto, slug=owner[0], map_index=owner[1]
                    )
                )

    def flow(self, *, state: FlowRunState, message: str) -> None:
        """
        Keep the flow's last word; that it runs is known from its monitor.
        """
        if state.is_final:
            self._verdict = FlowRecord(at=clock.now_us(), state=state.value, message=_shown(message)[:_MAX_MESSAGE])

    def close(self) -> FlowRecord | None:
        """
        Write the flow's last word as the last line, and return it; None when it never came.
        """
        if self._verdict is not None:
            self._write(self._verdict)
        return self._verdict

    def _write(self, record: JournalRecord) -> None:
        data = self._encode(record) + b"\n"
        if os.getpid() != self._pid:
            # A fork that user code made. Its log lines are welcome; tasks and flow are told by the run alone.
            if isinstance(record, LogRecord):
                os.write(self._fd, data)
            return
        with self._lock:
            _write_through(self._fd, data)
        self._nudge()


def _write_through(fd: int, data: bytes) -> None:
    # A full disk holds the run up rather than losing what it says.
    while data:
        try:
            data = data[os.write(fd, data) :]
        except OSError as error:
            if error.errno not in _FULL:
                raise
            threading.Event().wait(_FULL_PAUSE_S)


def _size(stream: TextIO, fd: int) -> int:
    # User code may have closed or replaced either; then nobody knows whose the bytes are.
    try:
        stream.flush()
        return os.lseek(fd, 0, os.SEEK_END)
    except (OSError, ValueError, AttributeError):
        return -1


def _shown(text: str) -> str:
    # The secrets that this run was given are in no file of it.
    return hidden(text).encode("utf-8", "backslashreplace").decode("utf-8")
