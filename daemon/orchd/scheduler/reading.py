"""
One look at a run's folder: journal and output from where the last look ended, in the order in which things happened.

Reads files and builds rows; knows no store. The order is that of the journal: its task records say how long the
output files were at each move, so what a task printed is stored before the task's end, and with the task's name.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchd.model.records import LogRecord, SpanRecord, TaskRecord, WaitRecord
from orchd.model.states import TaskRunState
from orchd.processes.folder import SHORTAGE, RunFolder, open_plain
from orchd.processes.journal import Chunk, read_records
from orchd.scheduler.output import MAX_LINE, cut_lines, cut_text

#: Bytes of one file taken at one look; a little over the longest line, so that each look gets on.
#: About 1,400 lines of 50 bytes, which SQLite takes in 3 ms.
READ_BYTES: Final = MAX_LINE + 4096

#: Level of printed lines in the numbers of ``logging``: INFO.
PRINTED_LEVEL: Final = 20

Owner = tuple[str, int] | None
#: (task slug, map index), or None for what no task printed.


class Line(Struct, frozen=True, kw_only=True):
    """
    One line for the store; *stream* is ``logger``, ``stdout`` or ``stderr``.
    """

    at: int
    level: int
    stream: str
    owner: Owner
    text: str


class Stream(Struct, frozen=True, kw_only=True):
    """
    How far one output file has been read, and whose bytes come next.
    """

    name: str
    offset: int = 0
    owner: Owner = None
    #: Whose line it is that began before *owner* came on and has not ended yet, if there is one.
    open_line: Owner = None
    has_open_line: bool = False
    #: Tasks run beside each other: a span may follow bytes that are here already.
    is_shared: bool = False
    #: Size of the file at the last look: the spans of what is before it are in the journal by now.
    seen: int = 0

    def switched(self, owner: Owner, mark: int) -> "Stream":
        """
        Let the bytes from *mark* on be those of *owner*; a line that is still open stays with who began it.

        Args:
            mark: size of the file at that moment; -1 when nobody knows.
        """
        return self if mark < 0 else replace(self.left_open(mark, self.owner), owner=owner)

    def left_open(self, mark: int, owner: Owner) -> "Stream":
        """
        Let what is unread before *mark* be a line that *owner* began, unless it is somebody's already.
        """
        if self.offset >= mark or self.has_open_line:
            return self

        return replace(self, has_open_line=True, open_line=owner)


class Progress(Struct, frozen=True, kw_only=True):
    """
    How far a run's folder has been read. Stored with the rows that were made of it.
    """

    journal: int = 0
    stdout: Stream = Stream(name="stdout")
    stderr: Stream = Stream(name="stderr")


@dataclass(slots=True, kw_only=True)
class Look:
    """
    What one look found.
    """

    progress: Progress
    tasks: list[TaskRecord] = field(default_factory=list)
    waits: list[WaitRecord] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    #: Journal lines that do not parse.
    bad_lines: int = 0
    #: There is more to read at once.
    has_more: bool = False
    #: What is no file any more that could be read, by its path.
    troubles: dict[Path, str] = field(default_factory=dict)


class _Tail:
    """
    A stream's unread bytes, handed out up to one mark after another.
    """

    def __init__(self, path: Path, stream: Stream) -> None:
        self.stream = stream
        self.trouble = ""
        try:
            with open(open_plain(path), "rb") as file:
                status = os.fstat(file.fileno())
                file.seek(stream.offset)
                self._unread = file.read(READ_BYTES)
        except OSError as error:
            self._unread = b""
            self._size, self.written_at = 0, 0
            self.trouble = _trouble(error)
        else:
            self._size, self.written_at = status.st_size, status.st_mtime_ns // 1000
        self._path = path
        self.has_more = self._size > stream.offset + len(self._unread)

    def reaches(self, mark: int) -> bool:
        """
        True when the bytes before *mark* are all here; a mark beyond the file's end can only be ignored.
        """
        if mark > self._size and not self.trouble:
            self._size = _size(self._path)

        return mark <= self.stream.offset + len(self._unread) or mark > self._size

    def take_rest(self, upto: int | None, now_us: int, *, is_end: bool, is_last: bool) -> list[Line]:
        """
        Hand out what is before *upto*, or all of which the owner is known, and remember how much there is.
        """
        if self.stream.is_shared and upto is None and not is_end:
            upto = self.stream.seen
        lines = self.take(upto=upto, at=min(now_us, self.written_at), is_end=is_last)
        seen = self._size if self.stream.is_shared else 0
        if seen != self.stream.seen:
            self.stream = replace(self.stream, seen=seen)
        return lines

    def take_span(self, span: SpanRecord, at: int) -> list[Line]:
        """
        Hand out the lines before *span* as those of whoever they are, and the lines in it as its task's.
        """
        lines = self.take(upto=span.start, at=at)
        base, owner = self.stream.owner, (span.slug, span.map_index)
        self.stream = replace(self.stream.left_open(span.start, base), owner=owner)
        lines += self.take(upto=span.end, at=at)
        self.stream = replace(self.stream.left_open(span.end, owner), owner=base)
        return lines

    def take(self, *, upto: int | None, at: int, is_end: bool = False) -> list[Line]:
        """
        Hand out the lines that end before *upto* (None for all), as printed at *at*.
        """
        stream = self.stream
        width = len(self._unread) if upto is None else max(0, min(upto - stream.offset, len(self._unread)))
        if not width:
            return []
        cut = cut_lines(self._unread[:width], is_end=is_end)
        lines = [Line(at=at, level=PRINTED_LEVEL, stream=stream.name, owner=stream.owner, text=t) for t in cut.lines]
        if lines and stream.has_open_line:
            lines[0] = replace(lines[0], owner=stream.open_line)
        if lines:
            stream = replace(stream, has_open_line=False, open_line=None)
        self._unread = self._unread[cut.taken :]
        self.stream = replace(stream, offset=stream.offset + cut.taken)
        return lines


def look(folder: RunFolder, progress: Progress, *, now_us: int, is_end: bool) -> Look:
    """
    Read on from *progress*, at most :data:`READ_BYTES` of each file. What user code made unreadable counts as empty.

    Args:
        folder: of the run.

        progress: where the last look ended.

        now_us: no line gets a later time than this.

        is_end: nobody writes any more, so that a last line without its newline is a line.

    Raises:
        OSError: the system is short of something.
    """
    # The output first: whoever printed these bytes had its running record in the journal before it printed.
    tails = (_Tail(folder.stdout, progress.stdout), _Tail(folder.stderr, progress.stderr))
    journal, trouble = _read_journal(folder, progress.journal, READ_BYTES)
    found = Look(progress=progress, bad_lines=journal.bad)
    troubles = {folder.journal: trouble, folder.stdout: tails[0].trouble, folder.stderr: tails[1].trouble}
    found.troubles = {path: trouble for path, trouble in troubles.items() if trouble}
    journal_end = journal.offset
    # Whose the bytes are is known only when the whole journal has been read, or up to the next mark.
    is_journal_left = progress.journal < journal.offset < _size(folder.journal)
    limits: tuple[int | None, int | None] = (0, 0) if is_journal_left else (None, None)
    begun = progress.journal
    for record, end in journal.records:
        if isinstance(record, TaskRecord):
            marks = (record.stdout, record.stderr)
            if not all(tail.reaches(mark) for tail, mark in zip(tails, marks, strict=True)):
                limits, journal_end = marks, begun
                break
            _move(found, tails, marks, record, now_us)
        elif isinstance(record, LogRecord):
            found.lines += _logged(record)
        elif isinstance(record, SpanRecord):
            tail = tails[record.stream == "stderr"]
            is_here = tail.reaches(record.end)
            found.lines += tail.take_span(record, min(record.at or now_us, now_us))
            if not is_here:
                limits, journal_end = (0, 0), begun
                break
        elif isinstance(record, WaitRecord):
            found.waits.append(record)
        begun = end
    found.has_more = journal_end < journal.offset or is_journal_left or any(tail.has_more for tail in tails)
    for tail, limit in zip(tails, limits, strict=True):
        found.lines += tail.take_rest(limit, now_us, is_end=is_end, is_last=is_end and not found.has_more)
    found.progress = Progress(journal=journal_end, stdout=tails[0].stream, stderr=tails[1].stream)
    return found


def _read_journal(folder: RunFolder, offset: int, max_bytes: int) -> tuple[Chunk, str]:
    try:
        return read_records(folder.journal, offset, max_bytes), ""
    except OSError as error:
        return Chunk([], offset, 0), _trouble(error)


def _trouble(error: OSError) -> str:
    """
    Say what has become of a file; nothing of one that is not there yet.
    """
    if error.errno in SHORTAGE:
        raise error
    return "" if isinstance(error, FileNotFoundError) else str(error.strerror)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _move(found: Look, tails: tuple[_Tail, _Tail], marks: tuple[int, int], record: TaskRecord, now_us: int) -> None:
    """
    Take the output up to a task's move, then the move, then let the bytes belong to whom it says.
    """
    for tail, mark in zip(tails, marks, strict=True):
        if mark >= 0:
            found.lines += tail.take(upto=mark, at=min(record.at, now_us))
            tail.stream = replace(tail.stream.switched(_owner(record), mark), is_shared=record.beside)
    found.tasks.append(record)


def _logged(record: LogRecord) -> list[Line]:
    owner = None if record.slug is None else (record.slug, record.map_index)
    return [
        Line(at=record.at, level=record.level, stream="logger", owner=owner, text=text)
        for text in cut_text(record.text)
    ]


def _owner(record: TaskRecord) -> Owner:
    is_its = record.state == TaskRunState.RUNNING and not record.beside
    return (record.slug, record.map_index) if is_its else None


def owners_before(folder: RunFolder, progress: Progress) -> Progress:
    """
    Find whose bytes come next, after a restart of the daemon: from the journal up to where it had been read.
    """
    offset = 0
    streams = [replace(progress.stdout, owner=None), replace(progress.stderr, owner=None)]
    while offset < progress.journal:
        page, _ = _read_journal(folder, offset, min(READ_BYTES, progress.journal - offset))
        if page.offset == offset:
            break
        for record, _ in page.records:
            if isinstance(record, TaskRecord):
                marks = (record.stdout, record.stderr)
                streams = [stream.switched(_owner(record), mark) for stream, mark in zip(streams, marks, strict=True)]
            elif isinstance(record, SpanRecord):
                number = int(record.stream == "stderr")
                before = streams[number].left_open(record.start, streams[number].owner)
                streams[number] = before.left_open(record.end, (record.slug, record.map_index))
        offset = page.offset

    return replace(progress, stdout=streams[0], stderr=streams[1])
