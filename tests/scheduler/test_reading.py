"""
Reading a run's folder: whatever the moments of the looks, each line comes once, in order, with the task that began it.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchd.model.records import JournalRecord, LogRecord, SpanRecord, TaskRecord
from orchd.processes.folder import RunFolder
from orchd.scheduler import reading
from orchd.scheduler.output import MAX_LINE
from orchd.scheduler.reading import Line, Progress, Stream, look, owners_before
from scheduler.rig import write_journal

NOW_US = 1_000_000
#: Longest that is printed at once, in bytes: 40 of these are a line that a look still takes.
LONGEST = 6
OUTPUTS = ("stdout", "stderr")


@dataclass
class Printing:
    """
    A run that prints, and who is to get which line.
    """

    folder: RunFolder
    running: str | None = None
    task_no: int = 0
    #: Text and owner of each line, by stream.
    expected: dict[str, list[tuple[str, str | None]]] = field(
        default_factory=lambda: {"stdout": [], "stderr": [], "logger": []}
    )
    _open: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def print(self, stream: str, text: str) -> None:
        """
        Write *text* to *stream*; a line belongs to whoever printed its first byte.
        """
        self._write(stream, text, self.running)

    def print_beside(self, stream: str, text: str, slug: str) -> None:
        """
        Write *text*, which the task *slug* prints beside others, but not its span yet.
        """
        self._write(stream, text, slug)

    def tell_span(self, stream: str, text: str, slug: str) -> None:
        """
        Write the span of *text*, which is the last of the file.
        """
        if data := text.encode():
            end = self._size(stream)
            write_journal(self.folder, SpanRecord(at=1, stream=stream, start=end - len(data), end=end, slug=slug))

    def _write(self, stream: str, text: str, whose: str | None) -> None:
        with (self.folder.path / stream).open("ab") as file:
            file.write(text.encode())
        *ended, rest = text.split("\n")
        for part in ended:
            begun, owner = self._open.pop(stream, ("", whose))
            self.expected[stream].append((begun + part, owner))
        if rest:
            begun, owner = self._open.pop(stream, ("", whose))
            self._open[stream] = (begun + rest, owner)

    def _size(self, stream: str) -> int:
        return path.stat().st_size if (path := self.folder.path / stream).exists() else 0

    def begin_task(self) -> None:
        """
        Let the next task run.
        """
        self.end_task()
        self.task_no += 1
        self._record(f"t{self.task_no}", "running")
        self.running = f"t{self.task_no}"

    def begin_beside(self) -> None:
        """
        Let the next task run beside others: from here on bytes are nobody's, but for spans.
        """
        self.end_task()
        self.task_no += 1
        self._record(f"t{self.task_no}", "running", beside=True)
        self._record(f"t{self.task_no}", "success", beside=True)

    def end_task(self) -> None:
        """
        End the task that runs, if one does.
        """
        if self.running is not None:
            self._record(self.running, "success")
            self.running = None

    def log(self, text: str) -> None:
        """
        Write a line with a logger.
        """
        write_journal(self.folder, LogRecord(at=1, level=20, logger="x", text=text, slug=self.running))
        self.expected["logger"].append((text, self.running))

    def finish(self) -> None:
        """
        Die in the middle of a line.
        """
        for stream, line in self._open.items():
            self.expected[stream].append(line)

    def _record(self, slug: str, state: str, *, beside: bool = False) -> None:
        sizes = {name: self._size(name) for name in OUTPUTS}
        write_journal(self.folder, TaskRecord(at=1, slug=slug, state=state, beside=beside, **sizes))


def merged(lines: list[Line], stream: str) -> list[tuple[str, str | None]]:
    """
    Return text and owner of the lines of one stream.
    """
    return [(line.text, line.owner and line.owner[0]) for line in lines if line.stream == stream]


_WORDS = st.text("abc\n€", max_size=4).filter(lambda text: len(text.encode()) <= LONGEST)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("print"), st.sampled_from(OUTPUTS), _WORDS),
        st.tuples(st.just("span"), st.sampled_from(OUTPUTS), _WORDS, st.sampled_from("pq"), st.booleans()),
        st.tuples(st.just("log"), st.text("xy", max_size=3)),
        st.tuples(st.sampled_from(["begin_task", "end_task", "look", "restart"])),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(steps=_STEPS, read_bytes=st.integers(250, 500))
def test_the_lines_are_those_that_were_printed(steps: list[tuple[str, ...]], read_bytes: int) -> None:
    """
    Looking at any moment, in any portions, and beginning anew in the middle, gives every line once, with its task.
    """
    with tempfile.TemporaryDirectory() as name:
        _print_and_read(RunFolder(Path(name)), steps, read_bytes)


def _print_and_read(folder: RunFolder, steps: list[tuple[str, ...]], read_bytes: int) -> None:
    printing = Printing(folder)
    progress, lines, tasks = Progress(), list[Line](), list[str]()

    def take(*, is_end: bool) -> bool:
        nonlocal progress
        found = look(folder, progress, now_us=NOW_US, is_end=is_end)
        progress = found.progress
        lines.extend(found.lines)
        tasks.extend(f"{record.slug} {record.state}" for record in found.tasks)
        return found.has_more

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "READ_BYTES", read_bytes)
        for step, *values in steps:
            if step == "look":
                take(is_end=False)
            elif step == "span":
                *words, is_looked_at_between = values
                printing.begin_beside()
                printing.print_beside(*words)
                if is_looked_at_between:
                    take(is_end=False)
                printing.tell_span(*words)
            elif step == "restart":
                bare = Progress(
                    journal=progress.journal,
                    stdout=Stream(name="stdout", offset=progress.stdout.offset),
                    stderr=Stream(name="stderr", offset=progress.stderr.offset),
                )
                progress = owners_before(folder, bare)
            else:
                getattr(printing, step)(*values)
        printing.finish()
        while take(is_end=True):
            pass

    assert printing.expected == {stream: merged(lines, stream) for stream in printing.expected}
    assert [f"t{n} {state}" for n in range(1, printing.task_no + 1) for state in ("running", "success")][
        : len(tasks)
    ] == tasks


def journal(folder: RunFolder, *records: JournalRecord) -> None:
    """
    Make the folder, with *records*.
    """
    folder.path.mkdir(exist_ok=True)
    write_journal(folder, *records)


def test_what_a_task_printed_is_stored_before_its_end(tmp_path: Path) -> None:
    """
    The lines up to the size that the record names come first, those behind it later.
    """
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"mine\nnobody's\n")
    journal(
        folder,
        TaskRecord(at=1, slug="a", state="running", stdout=0, stderr=0),
        TaskRecord(at=2, slug="a", state="success", stdout=5, stderr=0),
    )

    found = look(folder, Progress(), now_us=NOW_US, is_end=False)

    assert [("mine", "a"), ("nobody's", None)] == merged(found.lines, "stdout")
    assert 2 == found.lines[0].at


def test_a_move_is_held_back_until_its_output_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A task that printed more than one look takes is not done before its last line.
    """
    monkeypatch.setattr(reading, "READ_BYTES", 400)
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"0123456789\n" * 100)
    journal(
        folder,
        TaskRecord(at=1, slug="a", state="running", stdout=0, stderr=0),
        TaskRecord(at=2, slug="a", state="success", stdout=1100, stderr=0),
    )

    first = look(folder, Progress(), now_us=NOW_US, is_end=True)
    progress, lines = first.progress, list(first.lines)
    while (found := look(folder, progress, now_us=NOW_US, is_end=True)).has_more:
        assert not found.tasks
        progress = found.progress
        lines += found.lines
    lines += found.lines

    assert ["running"] == [record.state for record in first.tasks]
    assert first.has_more
    assert ["success"] == [record.state for record in found.tasks]
    assert 100 == len(merged(lines, "stdout"))
    assert {("0123456789", "a")} == set(merged(lines, "stdout"))


def test_a_line_of_a_logger_may_be_longer_than_a_look(tmp_path: Path) -> None:
    """
    It comes in parts like a printed one, each with its task.
    """
    folder = RunFolder(tmp_path)
    journal(folder, LogRecord(at=1, level=20, logger="x", text="x" * (3 * MAX_LINE + 1), slug="a"))
    found = look(folder, Progress(), now_us=NOW_US, is_end=False)

    parts = merged(found.lines, "logger")
    assert 4 == len(parts)
    assert ("x", "a") == parts[-1]


def test_a_long_journal_is_read_before_the_output_is_given_to_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    While records are left to read, nobody knows whose the bytes are.
    """
    monkeypatch.setattr(reading, "READ_BYTES", 300)
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"mine\n")
    logs = [LogRecord(at=1, level=20, logger="x", text=str(number)) for number in range(40)]
    journal(folder, TaskRecord(at=1, slug="a", state="running", stdout=0, stderr=0), *logs)

    progress, lines = Progress(), list[Line]()
    while (found := look(folder, progress, now_us=NOW_US, is_end=False)).has_more:
        progress = found.progress
        assert not merged(found.lines, "stdout")
        lines += found.lines
    lines += found.lines

    assert [("mine", "a")] == merged(lines, "stdout")
    assert [str(number) for number in range(40)] == [text for text, _ in merged(lines, "logger")]


def test_marks_of_tasks_that_run_side_by_side_tell_nothing(tmp_path: Path) -> None:
    """
    A mark of -1 moves no output; such bytes belong to whoever had them.
    """
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"somebody's\n")
    journal(folder, TaskRecord(at=1, slug="a", state="running"), TaskRecord(at=1, slug="b", state="running"))

    found = look(folder, Progress(), now_us=NOW_US, is_end=False)

    assert [("somebody's", None)] == merged(found.lines, "stdout")


def test_bytes_beside_other_tasks_are_nobodys_but_for_spans(tmp_path: Path) -> None:
    """
    What a subprocess prints while two tasks run has no task; the lines of which a span tells have theirs.
    """
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"a alone\nunknown\nof b\nunknown again\nof a\n")
    journal(
        folder,
        TaskRecord(at=1, slug="a", state="running", stdout=0, stderr=0),
        TaskRecord(at=2, slug="b", state="running", stdout=8, stderr=0, beside=True),
        SpanRecord(at=3, stream="stdout", start=16, end=21, slug="b"),
        SpanRecord(at=4, stream="stdout", start=35, end=40, slug="a"),
    )

    found = look(folder, Progress(), now_us=NOW_US, is_end=False)

    assert merged(found.lines, "stdout") == [
        ("a alone", "a"),
        ("unknown", None),
        ("of b", "b"),
        ("unknown again", None),
        ("of a", "a"),
    ]


def test_bytes_beside_other_tasks_wait_one_look_for_their_span(tmp_path: Path) -> None:
    """
    A span is written right behind its line; what has none at the next look never gets one.
    """
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"of b\n")
    journal(folder, TaskRecord(at=1, slug="a", state="running", stdout=0, stderr=0, beside=True))

    first = look(folder, Progress(), now_us=NOW_US, is_end=False)
    journal(folder, SpanRecord(at=2, stream="stdout", start=0, end=5, slug="b"))
    with folder.stdout.open("ab") as file:
        file.write(b"nobody's\n")
    second = look(folder, first.progress, now_us=NOW_US, is_end=False)
    third = look(folder, second.progress, now_us=NOW_US, is_end=False)

    assert (first.lines, first.has_more) == ([], False)
    assert merged(second.lines, "stdout") == [("of b", "b")]
    assert merged(third.lines, "stdout") == [("nobody's", None)]


def test_a_span_beyond_the_file_holds_nothing_up(tmp_path: Path) -> None:
    """
    User code has cut its file short.
    """
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"")
    journal(
        folder,
        SpanRecord(at=1, stream="stdout", start=0, end=5, slug="a"),
        LogRecord(at=2, level=20, logger="x", text="after"),
    )

    assert ["after"] == [line.text for line in look(folder, Progress(), now_us=NOW_US, is_end=False).lines]


def test_a_mark_beyond_the_file_holds_nothing_up(tmp_path: Path) -> None:
    """
    User code that truncates its own output loses what it threw away, and nothing else.
    """
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"left\n")
    journal(folder, TaskRecord(at=1, slug="a", state="success", stdout=5000, stderr=0))

    found = look(folder, Progress(), now_us=NOW_US, is_end=False)

    assert ["success"] == [record.state for record in found.tasks]
    assert [("left", None)] == merged(found.lines, "stdout")
    assert not found.has_more


def test_a_folder_without_files_has_nothing(tmp_path: Path) -> None:
    """
    A run that has not begun to write is no error.
    """
    found = look(RunFolder(tmp_path / "none"), Progress(), now_us=NOW_US, is_end=True)

    assert ([], [], Progress(), False) == (found.lines, found.tasks, found.progress, found.has_more)


def test_bad_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    """
    What does not parse costs itself only; records of the other kinds are no lines.
    """
    folder = RunFolder(tmp_path)
    folder.journal.write_bytes(b"{]\n\xff\n")
    journal(
        folder, SpanRecord(stream="stdout", start=0, end=1, slug="a"), LogRecord(at=1, level=20, logger="x", text="ok")
    )

    found = look(folder, Progress(), now_us=NOW_US, is_end=False)

    assert (2, ["ok"]) == (found.bad_lines, [line.text for line in found.lines])


def test_no_line_is_of_the_future(tmp_path: Path) -> None:
    """
    A line gets the time at which its file was written, and no later one than now.
    """
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"line\n")

    found = look(folder, Progress(), now_us=5, is_end=False)

    assert [5] == [line.at for line in found.lines]


def test_a_journal_that_was_cut_short_does_not_hang_a_restart(tmp_path: Path) -> None:
    """
    A power loss may take away records that were read already.
    """
    folder = RunFolder(tmp_path)
    journal(
        folder,
        TaskRecord(at=1, slug="a", state="running", stdout=0, stderr=0),
        TaskRecord(at=1, slug="b", state="running"),
    )
    beyond = Progress(journal=folder.journal.stat().st_size + 100)

    assert ("a", -1) == owners_before(folder, beyond).stdout.owner


def test_a_restart_knows_who_began_the_open_line(tmp_path: Path) -> None:
    """
    A line that a task began and left open is its own, also when it is ended after a restart of the daemon.
    """
    folder = RunFolder(tmp_path)
    folder.stdout.write_bytes(b"begun")
    journal(
        folder,
        TaskRecord(at=1, slug="a", state="running", stdout=0, stderr=0),
        TaskRecord(at=2, slug="a", state="success", stdout=5, stderr=0),
    )
    read = look(folder, Progress(), now_us=NOW_US, is_end=False).progress
    folder.stdout.write_bytes(b"begun, ended\nnext\n")

    again = owners_before(folder, Progress(journal=read.journal))
    found = look(folder, again, now_us=NOW_US, is_end=False)

    assert [("begun, ended", "a"), ("next", None)] == merged(found.lines, "stdout")
