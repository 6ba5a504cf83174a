"""
From a run's folder into the store: every row once, with the offsets that say so.
"""

import msgspec
import pytest
from structlog.testing import capture_logs

from orchd.errors import StoreError
from orchd.model.ids import FlowRunId
from orchd.model.instants import to_us
from orchd.model.records import LogRecord, TaskRecord
from orchd.model.states import FLOW_RUN_MOVES, FlowRunState
from orchd.scheduler.board import LiveRun
from orchd.scheduler.ingest import End, begin, way_to
from orchd.store import queries, runs
from scheduler.rig import Rig, finished, minute, started, write_journal

S = FlowRunState
OVER = End.of(finished(at=minute(1), exit_code=0, peak_rss_kib=4096))


def ingest(rig: Rig, run: LiveRun, end: End | None = None) -> int:
    """
    Look until there is no more, and return how many looks it took.
    """
    looks = 1
    while rig.ingest.step(run, end):
        looks += 1
    return looks


def write_some(run: LiveRun) -> None:
    """
    Have *run* print and log a little in a task.
    """
    run.folder.stdout.write_bytes(b"one\ntwo\n")
    write_journal(
        run.folder,
        TaskRecord(at=1, slug="t", state="running", stdout=0, stderr=0),
        LogRecord(at=2, level=20, logger="x", text="log", slug="t"),
        TaskRecord(at=3, slug="t", state="success", stdout=8, stderr=0),
    )


def test_what_a_run_writes_is_stored_with_its_task(rig: Rig) -> None:
    """
    Lines of logger and output, and the task's moves.
    """
    run = rig.run()
    write_some(run)
    ingest(rig, run)

    assert ["t: log", "t: one", "t: two"] == rig.lines(run)
    assert [("t", "success")] == [(task.slug, task.state) for task in rig.detail(run).tasks]


@pytest.mark.parametrize("state", [S.TIMED_OUT, S.CANCELLED, S.CRASHED])
def test_the_log_of_a_run_that_was_ended_says_how(rig: Rig, state: FlowRunState) -> None:
    """
    In its last line, at level ERROR and whatever was printed before it; it is no output, which has a limit.
    """
    rig.ingest.max_output = 4
    run = rig.run()
    run.folder.stdout.write_bytes(b"one\ntwo\n")
    ingest(rig, run, End(state=state, message="it had to be", at=to_us(minute(1))))
    with rig.database.reading() as conn:
        (last,) = queries.log_page_before(conn, run.row.number, limit=1).lines

    assert (40, "logger", f"[orchd] the run is {state.shown}: it had to be") == (last.level, last.stream, last.text)


@pytest.mark.parametrize("state", [S.SUCCESS, S.FAILED])
def test_an_end_that_the_flow_told_itself_has_no_line(rig: Rig, state: FlowRunState) -> None:
    """
    Its own log has it.
    """
    run = rig.run()
    ingest(rig, run, End(state=state, message="done", at=to_us(minute(1))))

    assert [] == rig.lines(run)


def test_a_failed_run_names_the_task_that_failed_first(rig: Rig) -> None:
    """
    After the classic message, with the first line of what the task said.
    """
    run = rig.run()
    write_journal(
        run.folder,
        TaskRecord(at=1, slug="late", state="running"),
        TaskRecord(at=1, slug="boom", map_index=3, state="running"),
        TaskRecord(at=2, slug="boom", map_index=3, state="failed", message="ValueError: bad\nand more"),
        TaskRecord(at=3, slug="late", state="failed", message="KeyError: 1"),
    )
    ingest(rig, run, End(state=S.FAILED, message="Some reference tasks failed.", at=to_us(minute(1))))

    assert "Some reference tasks failed. boom[3]: ValueError: bad" == rig.detail(run).message


def test_looking_twice_changes_nothing(rig: Rig) -> None:
    """
    Not even the time of day.
    """
    run = rig.run()
    write_some(run)
    ingest(rig, run)
    before = (rig.lines(run), rig.detail(run), run.next_seq, run.progress)
    ingest(rig, run)

    assert before == (rig.lines(run), rig.detail(run), run.next_seq, run.progress)


def test_a_daemon_that_begins_anew_goes_on_where_the_store_says(rig: Rig) -> None:
    """
    Offsets and rows are one transaction: nothing is stored twice or left out.
    """
    run = rig.run()
    write_some(run)
    ingest(rig, run)
    rig.board.live.clear()
    rig.board._begun.clear()
    rig.take_over()
    again = rig.board.live[run.id]
    with again.folder.stdout.open("ab") as file:
        file.write(b"three\n")
    ingest(rig, again)

    assert ["t: log", "t: one", "t: two", "-: three"] == rig.lines(run)


def test_what_cannot_be_written_is_taken_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A store that is away loses nothing.
    """
    run = rig.run()
    write_some(run)

    def away(*_: object, **__: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr("orchd.scheduler.ingest.runs.set_offsets", away)
        with pytest.raises(StoreError):
            ingest(rig, run)
    assert [] == rig.lines(run)

    ingest(rig, run)

    assert ["t: log", "t: one", "t: two"] == rig.lines(run)


def test_the_end_comes_with_the_last_of_the_output(rig: Rig) -> None:
    """
    A reader who sees a final run sees all of its lines; an unfinished last line is one.
    """
    run = rig.run()
    run.folder.stdout.write_bytes(b"line\n" * 40_000 + b"torn")
    looks = 0
    while True:
        looks += 1
        has_more = rig.ingest.step(run, OVER)
        assert ("success" == rig.detail(run).state) == (40_001 == len(rig.lines(run)))
        if not has_more:
            break

    assert looks > 2
    assert "-: torn" == rig.lines(run)[-1]
    assert [run.row.name] == rig.ended
    assert run.id not in rig.board.live


def test_a_finished_run_knows_how_it_ended(rig: Rig) -> None:
    """
    State, time, message, exit code and memory come from its monitor.
    """
    run = rig.run()
    ingest(rig, run, OVER)
    detail = rig.detail(run)

    assert ("success", "2026-06-01T10:01:00Z", "done") == (detail.state, detail.ended_at, detail.message)
    assert (0, None, 4096) == (detail.exit_code, detail.signal, detail.peak_rss_kib)


@pytest.mark.parametrize(
    ("state", "of_tasks"),
    [("cancelled", "cancelled"), ("timed_out", "timed_out"), ("crashed", "crashed"), ("failed", "crashed")],
)
def test_open_tasks_move_with_their_run(rig: Rig, state: str, of_tasks: str) -> None:
    """
    In the same transaction, with the run's message; those that are done stay as they are.
    """
    run = rig.run()
    write_journal(
        run.folder,
        TaskRecord(at=1, slug="done", state="running"),
        TaskRecord(at=2, slug="done", state="success"),
        TaskRecord(at=3, slug="open", state="running"),
    )
    ingest(rig, run, End.of(finished(state, message="why")))
    detail = rig.detail(run)

    assert state == detail.state
    assert {"done": ("success", ""), "open": (of_tasks, "why")} == {
        task.slug: (task.state, task.message) for task in detail.tasks
    }


def test_moves_and_lines_that_cannot_be_meant_are_passed_over(rig: Rig) -> None:
    """
    They are counted in the daemon's log, and cost nothing else.
    """
    run = rig.run()
    run.folder.journal.write_bytes(b"nonsense\n")
    write_journal(
        run.folder,
        TaskRecord(at=1, slug="t", state="running"),
        TaskRecord(at=2, slug="t", state="success"),
        TaskRecord(at=3, slug="t", state="running"),
    )
    with capture_logs() as logs:
        ingest(rig, run)

    assert [("journal_lines_passed_over", 1), ("task_moves_refused", 1)] == [
        (entry["event"], entry.get("lines") or entry.get("moves")) for entry in logs
    ]
    assert ["success"] == [task.state for task in rig.detail(run).tasks]


@pytest.mark.parametrize("portions", [1, 3])
def test_output_beyond_the_limit_is_not_stored(rig: Rig, portions: int) -> None:
    """
    One marked line says so, once, and the run's end is stored all the same.
    """
    rig.ingest.max_output = 25
    run = rig.run()
    for portion in range(portions):
        with run.folder.stdout.open("ab") as file:
            file.writelines(b"0123456789\n" for _ in range(6 // portions))
        ingest(rig, run, None if portion < portions - 1 else OVER)
    lines = rig.lines(run)

    assert ["-: 0123456789", "-: 0123456789"] == lines[:-1]
    assert "[orchd] output beyond 25 bytes is not stored" in lines[-1]
    assert "success" == rig.detail(run).state


def test_the_limit_counts_bytes(rig: Rig) -> None:
    """
    A snowman is three of them.
    """
    rig.ingest.max_output = 25
    run = rig.run()
    run.folder.stdout.write_text("\u2603\u2603\u2603\u2603\n" * 3)
    ingest(rig, run)

    assert ["-: \u2603\u2603\u2603\u2603"] * 2 == rig.lines(run)[:-1]


@pytest.mark.parametrize("state", [S.RUNNING, S.WAITING, S.CANCELLING, S.PENDING])
@pytest.mark.parametrize("end", [S.SUCCESS, S.FAILED, S.TIMED_OUT, S.CRASHED, S.CANCELLED])
def test_the_way_to_an_end_is_allowed(state: FlowRunState, end: FlowRunState) -> None:
    """
    Each move of it stands in the table, wherever the table has a way at all.
    """
    way = way_to(state, end)
    allowed = [source in FLOW_RUN_MOVES[to] for source, to in zip((state, *way), way, strict=False)]
    has_none = {(S.PENDING, S.SUCCESS), (S.PENDING, S.FAILED), (S.PENDING, S.TIMED_OUT)}

    assert end is way[-1]
    assert ((state, end) in has_none) != all(allowed)


def test_a_run_begins_when_its_monitor_has_begun(rig: Rig) -> None:
    """
    The time is that of the monitor's record.
    """
    run = rig.run(state=S.PENDING)
    with rig.database.writing() as conn:
        begin(conn, run, at_us=started(minute(2)).at)
        row = runs.get(conn, FlowRunId(run.id))

    assert (S.RUNNING, to_us(minute(2))) == (row.state, row.started_at_us)


def test_a_running_run_that_was_cancelled_goes_through_cancelling(rig: Rig) -> None:
    """
    The events tell the whole way.
    """
    run = rig.run()
    ingest(rig, run, End.of(finished("cancelled", message="by ann")))

    assert ["running", "cancelling", "cancelled"] == [event.to for event in rig.detail(run).events][-3:]
    assert msgspec.json.encode(rig.detail(run))
