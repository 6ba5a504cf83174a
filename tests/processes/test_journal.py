"""
The journal: every record is whole in the file when its call returns, and the reader survives anything.
"""

import errno
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.model.records import FlowRecord, LogRecord, TaskRecord, WaitRecord
from orchd.model.states import FlowRunState, TaskRunState
from orchd.processes import journal
from orchd.processes.journal import JournalRecorder, last_word, read_records

MUCH = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Where the journal of a test is.
    """
    return tmp_path / "journal.jsonl"


def _recorder(path: Path) -> JournalRecorder:
    return JournalRecorder(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT))


def _log(recorder: JournalRecorder, text: str) -> None:
    recorder.log(level=20, logger="l", text=text, slug=None, map_index=-1)


def _task(recorder: JournalRecorder, slug: str, state: TaskRunState) -> None:
    recorder.task(slug=slug, map_index=-1, state=state, attempt=1, message="m", location=None)


def test_a_journal_that_is_not_there_is_empty(path: Path) -> None:
    """
    The daemon may look before the run has begun to write.
    """
    assert read_records(path, 0, MUCH) == ([], 0, 0)
    assert last_word(path) is None


def test_records_are_read_back_with_their_offsets(path: Path) -> None:
    """
    Each record is in the file when its call returns, and its end offset is where the next begins.
    """
    recorder = _recorder(path)
    _log(recorder, "one")
    first = path.stat().st_size
    _task(recorder, "t", TaskRunState.RUNNING)

    records, offset, bad = read_records(path, 0, MUCH)

    assert [type(record) for record, _ in records] == [LogRecord, TaskRecord]
    assert [end for _, end in records] == [first, offset] == [first, path.stat().st_size]
    assert bad == 0
    assert read_records(path, first, MUCH).records == records[1:]


def test_a_run_waits_when_each_of_its_running_tasks_does(path: Path) -> None:
    """
    Not before, and no longer: a task that goes on, or begins, ends the wait of the run.
    """
    recorder = _recorder(path)
    _task(recorder, "a", TaskRunState.RUNNING)
    _task(recorder, "b", TaskRunState.RUNNING)
    recorder.wait(slug="a", map_index=-1, child="child of a")
    recorder.wait(slug="b", map_index=-1, child="child of b")
    recorder.wait(slug="a", map_index=-1, child=None)
    _task(recorder, "a", TaskRunState.SUCCESS)
    _task(recorder, "c", TaskRunState.RUNNING)

    waits = [record.children for record, _ in read_records(path, 0, MUCH).records if isinstance(record, WaitRecord)]
    assert waits == [("child of a", "child of b"), (), ("child of b",), ()]


def test_an_unfinished_last_line_is_left_for_later(path: Path) -> None:
    """
    Half a line is neither a record nor bad, and the offset stays before it.
    """
    path.write_bytes(b'{"kind":"flow","at":1,"state":"success","message":"m"}\n{"kind":"fl')

    records, offset, bad = read_records(path, 0, MUCH)

    assert (len(records), bad) == (1, 0)
    assert path.read_bytes()[offset:] == b'{"kind":"fl'


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"\xff\xfe", b"\0\0", b'{"kind":"later","at":1}', b"[]", b'{"kind":"log"}']
)
def test_a_line_that_does_not_parse_is_counted_and_passed_over(path: Path, junk: bytes) -> None:
    """
    A bad line costs itself and nothing else.
    """
    good = b'{"kind":"flow","at":1,"state":"success","message":"m","later":[1]}\n'
    path.write_bytes(good + junk + b"\n" + good)

    records, offset, bad = read_records(path, 0, MUCH)

    assert (len(records), bad, offset) == (2, 1, path.stat().st_size)


@given(
    pieces=st.lists(st.sampled_from([b"x\n", b"\n", b'{"kind":"flow","at":1,"state":"s","message":"m"}\n', b"tail"]))
)
def test_reading_in_pieces_reads_the_same(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    """
    However few bytes are read at once, the same records come, once each, and the same lines are bad.
    """
    path = tmp_path_factory.mktemp("pieces") / "j"
    path.write_bytes(b"".join(pieces))
    whole = read_records(path, 0, MUCH)
    records, offset, bad = [], 0, 0
    while (chunk := read_records(path, offset, 3)).offset != offset:
        records += chunk.records
        bad += chunk.bad
        offset = chunk.offset

    assert (records, offset, bad) == tuple(whole)


def test_a_line_longer_than_the_bound_is_read_whole(path: Path) -> None:
    """
    A long record does not stop the reader for ever.
    """
    _log(_recorder(path), "x" * 100_000)

    assert len(read_records(path, 0, 1000).records) == 1


def test_text_that_is_no_utf8_is_kept_visible(path: Path) -> None:
    """
    A lone surrogate is written with a backslash, and the line stays valid.
    """
    _log(_recorder(path), "a\udc80b")

    ((record, _),) = read_records(path, 0, MUCH).records
    assert isinstance(record, LogRecord)
    assert record.text == "a\\udc80b"


def test_a_folder_in_the_place_of_a_journal_says_nothing(path: Path) -> None:
    """
    User code can do that.
    """
    path.mkdir()

    assert last_word(path) is None


def test_the_flow_has_the_last_word(path: Path) -> None:
    """
    The flow's end is written at close, after lines that exit handlers logged; without one nothing is.
    """
    recorder = _recorder(path)
    assert recorder.close() is None
    recorder.flow(state=FlowRunState.SUCCESS, message="done")
    _log(recorder, "bye")

    assert recorder.close() == last_word(path)
    assert isinstance(last_word(path), FlowRecord)


@pytest.mark.parametrize("after", [0, 1, 5000])
def test_the_flow_keeps_the_last_word_whatever_its_forks_log(path: Path, after: int) -> None:
    """
    A child that user code forked may log after it, also more than one look at the end holds.
    """
    recorder = _recorder(path)
    recorder.flow(state=FlowRunState.SUCCESS, message="done")
    word = recorder.close()
    for _ in range(after):
        _log(recorder, "from a fork")
    with path.open("ab") as file:
        file.write(b"junk\n")

    assert word == last_word(path)


def test_a_journal_that_ends_within_a_line_has_no_last_word(path: Path) -> None:
    """
    The run was killed while it wrote.
    """
    recorder = _recorder(path)
    recorder.flow(state=FlowRunState.SUCCESS, message="done")
    recorder.close()
    with path.open("ab") as file:
        file.write(b"x")

    assert last_word(path) is None


def test_a_long_message_still_fits_the_tail(path: Path) -> None:
    """
    The flow's last word is found however long its message was.
    """
    recorder = _recorder(path)
    recorder.flow(state=FlowRunState.FAILED, message="\0" * 1_000_000)
    recorder.close()

    assert isinstance(last_word(path), FlowRecord)


def test_printed_bytes_belong_to_the_one_running_task(path: Path) -> None:
    """
    A task that runs alone is recorded with offsets; one beside another without.
    """
    recorder = _recorder(path)
    for slug, state in [
        ("a", TaskRunState.RUNNING),
        ("b", TaskRunState.RUNNING),
        ("a", TaskRunState.SUCCESS),
        ("b", TaskRunState.SUCCESS),
        ("c", TaskRunState.RUNNING),
    ]:
        _task(recorder, slug, state)

    records = [record for record, _ in read_records(path, 0, MUCH).records if isinstance(record, TaskRecord)]
    assert [record.stderr == -1 for record in records][1:3] == [True, True]


def test_a_fork_of_the_run_adds_log_lines_only(path: Path) -> None:
    """
    A child that user code forked cannot tell of tasks or of the flow's end.
    """
    recorder = _recorder(path)
    recorder.flow(state=FlowRunState.SUCCESS, message="done")
    child = os.fork()
    if child == 0:
        _log(recorder, "from the child")
        _task(recorder, "t", TaskRunState.RUNNING)
        recorder.close()
        os._exit(0)
    os.waitpid(child, 0)

    assert [type(record) for record, _ in read_records(path, 0, MUCH).records] == [LogRecord]


def test_a_full_disk_holds_the_run_up_and_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A record is written in the pieces that fit, once there is room again.
    """
    recorder = _recorder(path)
    real, answers = os.write, [5, OSError(errno.ENOSPC, "full"), 7]

    def write(fd: int, data: bytes) -> int:
        answer = answers.pop(0) if answers else len(data)
        if isinstance(answer, OSError):
            raise answer
        return real(fd, data[:answer])

    monkeypatch.setattr(journal.os, "write", write)
    monkeypatch.setattr(journal, "_FULL_PAUSE_S", 0.0)
    _log(recorder, "whole")

    ((record, _),) = read_records(path, 0, MUCH).records
    assert isinstance(record, LogRecord)
    assert record.text == "whole"


def test_each_record_nudges(path: Path) -> None:
    """
    The nudge is called after the bytes are in the file.
    """
    sizes: list[int] = []
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    recorder = JournalRecorder(fd, nudge=lambda: sizes.append(path.stat().st_size))
    _log(recorder, "a")
    _log(recorder, "b")

    assert sizes == [end for _, end in read_records(path, 0, MUCH).records]
    assert msgspec.json.decode(path.read_bytes().splitlines()[0])["kind"] == "log"
