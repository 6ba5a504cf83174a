"""
Schedules as the config says them, with what is decided and who paused them.
"""

from collections.abc import Callable

import msgspec
import pytest

from orchd.errors import NotFound
from orchd.model.specs import RuleKind, ScheduleSpec, When
from orchd.store import schedules, slots, upkeep
from orchd.store.database import Connection, Database
from store.making import add_schedule, schedule_spec, skipped


def test_a_new_schedule_owes_nothing_from_before(store: Database) -> None:
    """
    A schedule that was not there before is decided up to the instant at which it came.
    """
    with store.writing() as conn:
        row = add_schedule(conn, at_us=50)

    assert (row.decided_until_us, row.spec, row.paused, row.last_pause) == (50, schedule_spec(), None, None)


def test_an_unchanged_schedule_is_left_alone(store: Database) -> None:
    """
    A reload without an edit keeps version and decided_until.
    """
    with store.writing() as conn:
        before = add_schedule(conn, at_us=50)
        schedules.sync(conn, [schedule_spec()], at_us=80)

        assert schedules.load(conn) == [before]


def test_an_edit_is_a_new_version_from_now_on(store: Database) -> None:
    """
    An edited schedule keeps its identity and gets a new version, decided up to the edit.
    """
    with store.writing() as conn:
        before = add_schedule(conn, at_us=50)
        schedules.sync(conn, [schedule_spec(rule="5m")], at_us=80)
        (after,) = schedules.load(conn)

    assert (after.id, after.spec.rule, after.decided_until_us) == (before.id, "5m", 80)
    assert after.version_id != before.version_id


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"parameters": '{"x":1}'}, True),
        ({"after": ("c", "b")}, True),
        ({"after": ("b", "d")}, False),
        ({"when": When.FINISHED}, False),
    ],
)
def test_an_edit_of_a_schedule_that_waits_keeps_what_it_waits_with(
    store: Database, change: dict[str, object], kept: bool
) -> None:
    """
    Unless it waits for something else from then on.
    """
    spec = ScheduleSpec(name="w", flow="load", kind=RuleKind.AFTER, after=("b", "c"))
    with store.writing() as conn:
        schedules.sync(conn, [spec], at_us=10)
        schedules.sync(conn, [msgspec.structs.replace(spec, **change)], at_us=20)
        (row,) = schedules.load(conn)

    assert (10 if kept else 20) == row.decided_until_us


def test_a_removed_schedule_comes_back_without_debts(store: Database) -> None:
    """
    A schedule that is gone is not loaded, and owes nothing for that time when it is back.
    """
    with store.writing() as conn:
        before = add_schedule(conn, at_us=50)
        schedules.sync(conn, [], at_us=60)
        gone = schedules.load(conn)
        schedules.sync(conn, [schedule_spec()], at_us=90)
        (back,) = schedules.load(conn)

    assert gone == []
    assert (back.id, back.version_id, back.decided_until_us) == (before.id, before.version_id, 90)


def test_decided_until_moves_both_ways_but_not_over_purged_rows(store: Database) -> None:
    """
    A clock that went back may rewind a schedule, but never before a fire time whose row is gone.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        schedules.set_decided(conn, [(row.id, 500)])
        schedules.set_decided(conn, [(row.id, 100)])
        rewound = schedules.load(conn)[0].decided_until_us
        slots.insert_slots(conn, [skipped(row, 200, until_us=300), skipped(row, 250)])
        upkeep.purge(conn, before_us=400, failed_before_us=0, limit=10)
        schedules.set_decided(conn, [(row.id, 100)])

        assert (rewound, schedules.load(conn)[0].decided_until_us) == (100, 300)


def test_a_pause_is_kept_until_what_it_owes_is_decided(store: Database) -> None:
    """
    A pause says who and when; after it ended it is told as the last pause until it is cleared.
    """
    pause = schedules.PauseRow(who="anna", at_us=70, note="moving")
    with store.writing() as conn:
        row = add_schedule(conn)
        schedules.pause(conn, "nightly", who="anna", note="moving", at_us=70)
        schedules.pause(conn, "nightly", who="ben", note="too", at_us=75)
        paused = schedules.load(conn)[0]
        schedules.unpause(conn, "nightly", at_us=90)
        schedules.unpause(conn, "nightly", at_us=95)
        ended = schedules.load(conn)[0]
        schedules.clear_resumed(conn, [row.id])
        cleared = schedules.load(conn)[0]

    assert (paused.paused, paused.last_pause, paused.resumed_at_us) == (pause, None, None)
    assert (ended.paused, ended.last_pause, ended.resumed_at_us) == (None, pause, 90)
    assert cleared == row


def test_clearing_leaves_a_pause_that_goes_on(store: Database) -> None:
    """
    Only an ended pause is forgotten.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        schedules.pause(conn, "nightly", who="anna", note="", at_us=70)
        schedules.clear_resumed(conn, [row.id])

        assert schedules.load(conn)[0].paused is not None


def test_a_pause_outlives_an_edit_and_a_removal(store: Database) -> None:
    """
    Whoever paused a schedule still has it paused after a reload.
    """
    with store.writing() as conn:
        add_schedule(conn)
        schedules.pause(conn, "nightly", who="anna", note="", at_us=70)
        schedules.sync(conn, [], at_us=80)
        schedules.sync(conn, [schedule_spec(rule="7m")], at_us=90)

        assert schedules.load(conn)[0].paused is not None


@pytest.mark.parametrize(
    "act",
    [
        lambda conn: schedules.pause(conn, "nightly", who="anna", note="", at_us=1),
        lambda conn: schedules.unpause(conn, "nightly", at_us=1),
    ],
    ids=["pause", "unpause"],
)
def test_a_schedule_that_is_not_in_the_config_cannot_be_paused(
    store: Database, act: Callable[[Connection], None]
) -> None:
    """
    A removed schedule is as unknown as one that never was.
    """
    with store.writing() as conn:
        add_schedule(conn)
        schedules.sync(conn, [], at_us=5)
        with pytest.raises(NotFound, match="there is no schedule 'nightly'"):
            act(conn)
