"""
The ledger: a fire time is decided once, and a finish serves one slot.
"""

from functools import partial

import pytest

from orchd.errors import InternalError
from orchd.model.states import FINAL_FLOW_RUN_STATES, FlowRunState
from orchd.store import queries, slots
from orchd.store.database import Database
from store.making import add_run, add_schedule, skipped, slot

S = FlowRunState


def test_a_fire_time_is_decided_only_once(store: Database) -> None:
    """
    The loser of a race for a slot is the later insert: its row is not among those returned, and changes nothing.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        first = slots.insert_slots(conn, [slot(row, 5), slot(row, 6)])
    with store.writing() as conn:
        second = slots.insert_slots(conn, [skipped(row, 6), skipped(row, 7)])
    with store.reading() as conn:
        outcomes = [view.outcome for view in queries.slots(conn, "nightly")]

    assert first == {(row.id, 5), (row.id, 6)}
    assert second == {(row.id, 7)}
    assert outcomes == ["skipped", "started", "started"]


def test_many_slots_are_told_apart(store: Database) -> None:
    """
    Of a thousand slots of which every third is decided already, exactly the others are written.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        slots.insert_slots(conn, [slot(row, at) for at in range(0, 1000, 3)])
        written = slots.insert_slots(conn, [slot(row, at) for at in range(1000)])

    assert written == {(row.id, at) for at in range(1000) if at % 3}


def test_no_slots_are_written_for_none(store: Database) -> None:
    """
    An empty list is no error.
    """
    with store.writing() as conn:
        assert slots.insert_slots(conn, []) == frozenset()


@pytest.mark.parametrize("broken", [{"run_id": None}, {"outcome": "skipped"}])
def test_a_slot_has_a_run_just_when_it_started(store: Database, broken: dict[str, object]) -> None:
    """
    A started slot without a run, and a skipped one with a run, are refused by the database.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
    values = {name: slots.Outcome(value) if name == "outcome" else value for name, value in broken.items()}
    with pytest.raises(InternalError), store.writing() as conn:
        slots.insert_slots(conn, [slot(row, 5, **values)])


def test_a_slot_is_shown_with_its_sentence(store: Database) -> None:
    """
    The reason's fields come back, and make the sentence.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        slots.insert_slots(conn, [skipped(row, 1_000_000, until_us=5_000_000)])
        found = [queries.slot_at(conn, "nightly", at) for at in (999_999, 1_000_000, 4_999_999, 5_000_001)]

    shown = found[1]
    assert found == [None, shown, shown, None]
    assert shown is not None
    assert (shown.until, shown.fields, shown.run) == ("1970-01-01T00:00:05Z", {"waiting": 3}, None)
    assert shown.sentence == "skipped because 3 runs of this schedule were already waiting"


def test_a_finish_serves_one_slot_of_a_waiting_schedule(store: Database) -> None:
    """
    Finishes that were marked used are not given again to that schedule, but to another one they are.
    """
    with store.writing() as conn:
        waiting, other = add_schedule(conn, "science"), add_schedule(conn, "report")
        first = add_run(conn, state=S.SUCCESS, at_us=10)
        second = add_run(conn, state=S.CANCELLED, at_us=20)
        add_run(conn, state=S.RUNNING)
        add_run(conn, state=S.SUCCESS, flow="other")
        slots.mark_used(conn, waiting.id, [first.id], 10)
        slots.mark_used(conn, waiting.id, [first.id], 11)
        newest = partial(slots.newest_finishes, conn, flows=["load", "none"], states=FINAL_FLOW_RUN_STATES)
        unused, unused_by_other = newest(waiting.id, since_us=0), newest(other.id, since_us=0)

        assert newest(other.id, since_us=20) == []
        assert [finish.run_id for finish in newest(other.id, states=[S.SUCCESS], since_us=0)] == [first.id]
        slots.mark_all_used(conn, other.id, ["load", "none"], 10, 30)
        assert [finish.run_id for finish in newest(other.id, since_us=0)] == [first.id]
        slots.mark_all_used(conn, other.id, ["load", "none"], 0, 30)
        assert newest(other.id, since_us=0) == []

    assert [(finish.run_id, finish.state, finish.ended_at_us) for finish in unused] == [(second.id, S.CANCELLED, 20)]
    assert [finish.run_id for finish in unused_by_other] == [second.id]


def test_the_ledger_of_all_schedules_is_turned_by_key(store: Database) -> None:
    """
    Pages of any size have each slot once, the latest first, also where many have one fire time.
    """
    with store.writing() as conn:
        for name in ("a", "b", "c"):
            row = add_schedule(conn, name)
            slots.insert_slots(conn, [skipped(row, at) for at in (5, 6, 7)])
    with store.reading() as conn:
        whole = queries.ledger(conn, limit=100)
        turned: list[queries.SlotView] = []
        after = None
        while page := queries.ledger(conn, after=after, limit=2):
            turned += page
            last = page[-1]
            after = int(last.fire_time[-7:-1]), last.schedule

    assert [(slot.fire_time[-2], slot.schedule) for slot in whole] == [(at, name) for at in "765" for name in "abc"]
    assert turned == whole
