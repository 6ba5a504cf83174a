"""
The writer's picture: always what the store would say, in the order in which places are given.
"""

from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchd import config
from orchd.model.ids import FlowRunId
from orchd.model.instants import to_us
from orchd.model.specs import Overlap
from orchd.model.states import FLOW_RUN_MOVES, PLACED_FLOW_RUN_STATES, FlowRunState
from orchd.scheduler.board import Board
from orchd.store import schedules
from orchd.store.runs import RunRow
from scheduler.rig import START, Rig, every_minute, flow_spec, minute

S = FlowRunState


def row(number: int, *, state: FlowRunState = S.SCHEDULED, schedule: str | None = None, minutes: int = 0) -> RunRow:
    """
    Return the row of a run.
    """
    return RunRow(
        number=number, id=FlowRunId(f"id-{number}"), name=f"n-{number}", flow="load", flow_version_id=None,
        source_hash="", schedule_id=None, schedule=schedule, fire_time_us=None, wanted_at_us=to_us(minute(minutes)),
        attempt=1, parameters="{}", state=state, host=None, trigger="manual", created_by="", created_at_us=0,
        started_at_us=None, ended_at_us=None, upstream_runs={}, idempotency_key=None, parent_run_id=None,
        resumed_from=None, message="",
        exit_code=None, signal=None, peak_rss_kib=None, journal_offset=0, stdout_offset=0, stderr_offset=0,
        next_seq=0, stored_bytes=0,
    )  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from(FlowRunState)), max_size=60))
def test_whatever_happens_the_board_counts_right(steps: list[tuple[int, FlowRunState]]) -> None:
    """
    After any moves of the table, live runs, held runs, begun runs and places are those of their states.
    """
    board = Board(Path("/nowhere"), config.load(None, env={"HOME": "/nowhere"}))
    known: dict[int, FlowRunState] = {}
    for number, state in steps:
        if number in known and known[number] not in FLOW_RUN_MOVES.get(state, ()):
            continue
        if number not in known and state is not S.SCHEDULED:
            continue
        known[number] = state
        board.put_run(row(number, state=state, minutes=number // 2, schedule=None if number % 3 else "x"))

    live = {number: state for number, state in known.items() if not state.is_final}
    assert {f"id-{number}" for number in live} == set(board.live)
    held = [run.run_id for run in chain.from_iterable(board.held().values())]
    in_order = sorted(
        (number for number in live if live[number] is S.SCHEDULED),
        key=lambda number: (number // 2, "" if number % 3 else "x", f"id-{number}"),
    )
    assert [f"id-{number}" for number in in_order] == held
    assert sum(state in PLACED_FLOW_RUN_STATES for state in live.values()) == board.placed
    assert {f"id-{n}" for n in live if live[n] is not S.SCHEDULED} == {run.id for run in board.begun_runs()}


def test_runs_that_have_begun_are_given_oldest_first(tmp_path: Path) -> None:
    """
    By their numbers, in whatever order they moved last.
    """
    board = Board(tmp_path, config.load(None, env={"HOME": str(tmp_path)}))
    for number in (3, 1, 2):
        board.put_run(row(number, state=S.PENDING, schedule="x"))
    board.put_run(row(1, state=S.RUNNING, schedule="x"))

    assert {"x": ["id-1", "id-2", "id-3"]} == board.taken().begun


def test_the_offsets_of_the_store_are_where_reading_goes_on(rig: Rig) -> None:
    """
    A board that is filled at the start knows how far each folder was read.
    """
    bare = row(1, state=S.RUNNING)
    values = {field: getattr(bare, field) for field in bare.__struct_fields__}
    run = rig.board.put_run(RunRow(**values | {"journal_offset": 5, "stdout_offset": 6, "stderr_offset": 7}))

    assert run is not None
    assert (5, 6, 7) == (run.progress.journal, run.progress.stdout.offset, run.progress.stderr.offset)
    assert ("stdout", "stderr") == (run.progress.stdout.name, run.progress.stderr.name)


def test_a_schedule_that_comes_back_finds_its_run(rig: Rig) -> None:
    """
    Taken out of the config and put in again, it does not start beside what went on meanwhile.
    """
    rig.use(every_minute("a"))
    rig.tick(minute(1))
    rig.use()
    assert {} == rig.board.entries

    rig.use(every_minute("a"), at=minute(1))
    rig.tick(minute(2))

    assert ["10:01 on_time", "10:02 overlap"] == rig.slots("a")


def test_a_schedule_keeps_its_runs_when_it_is_edited(rig: Rig) -> None:
    """
    An edit does not let it start beside itself.
    """
    rig.use(every_minute("a"))
    rig.tick(minute(1))
    rig.use(every_minute("a", overlap=Overlap.QUEUE), at=minute(1))

    assert rig.launched == list(rig.board.entries["a"].runs)


def test_a_paused_schedule_wakes_nobody(rig: Rig) -> None:
    """
    The alarm is set to the next fire time of those that are not paused.
    """
    rig.use(every_minute("a"), every_minute("b", rule="*/5 * * * *"))
    assert minute(1) == rig.board.next_wake(START)

    with rig.database.writing() as conn:
        schedules.pause(conn, "a", who="ann", note="", at_us=to_us(START))
    rig.take_over()

    assert minute(5) == rig.board.next_wake(START)


def test_a_run_that_is_wanted_later_wakes_the_daemon(rig: Rig) -> None:
    """
    The alarm is set to the next such instant, not to one that has come.
    """
    assert rig.board.next_wake(START) is None
    rig.board.put_run(row(1, minutes=-1))
    rig.board.put_run(row(2, minutes=7))

    assert minute(7) == rig.board.next_wake(START)
    assert rig.board.next_wake(minute(7) + timedelta(microseconds=1)) is None


def test_a_flow_is_known_by_its_last_description(rig: Rig) -> None:
    """
    One that was never loaded is not known.
    """
    rig.use()

    assert (flow_spec("load"), None) == (rig.board.flow_spec("load"), rig.board.flow_spec("lost"))


def test_reading_goes_on_while_runs_get_places(rig: Rig) -> None:
    """
    Whoever reads the held runs from another thread sees no half of a change.
    """
    for number in range(4):
        rig.board.put_run(row(number))
    (reading,) = rig.board.held().values()
    first = next(reading).run_id
    rig.board.put_run(row(1, state=S.CANCELLED))

    assert ["id-0", "id-2", "id-3"] == [first, *(run.run_id for run in reading)]


@pytest.mark.parametrize(("schedule", "overlap"), [("a", Overlap.ALLOW), ("gone", Overlap.QUEUE)])
def test_a_held_run_brings_the_overlap_of_its_schedule(rig: Rig, schedule: str, overlap: Overlap) -> None:
    """
    Of one that is in the config no more, the runs go one after the other.
    """
    rig.use(every_minute("a", overlap=Overlap.ALLOW))
    rig.board.put_run(row(1, schedule=schedule))
    (held,) = rig.held()

    assert (schedule, overlap) == (held.schedule, held.overlap)


def test_a_run_that_a_person_started_has_no_schedule(rig: Rig) -> None:
    """
    It waits for no other run.
    """
    rig.board.put_run(row(1))
    (held,) = rig.held()

    assert held.schedule is None
