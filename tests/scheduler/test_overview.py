"""
The board in words: what is held and why, what comes next, and who waits for the clock.
"""

from datetime import timedelta

import pytest

from orchd.errors import NotFound
from orchd.model.ids import run_name
from orchd.model.instants import to_us
from orchd.model.specs import Overlap, RuleKind
from orchd.scheduler.overview import Overview
from orchd.store import schedules
from scheduler.rig import START, Rig, every_minute, minute


def test_each_held_run_has_its_reason(rig: Rig) -> None:
    """
    Of this moment, and none for those that would start.
    """
    rig.limit(max_runs=0)
    rig.use(every_minute("a", overlap=Overlap.QUEUE))
    rig.tick(minute(1))
    rig.tick(minute(2))
    first, second = rig.board.live
    rig.limit(max_runs=1)
    holds = Overview(rig.board).holds(now=minute(2))

    assert {second: f"held because run {run_name(first)} of the same schedule is not final yet"} == holds


def test_the_soonest_of_all_come_first(rig: Rig) -> None:
    """
    In order of time, then name, and no more than asked for.
    """
    rig.use(every_minute("b"), every_minute("a", rule="*/2 * * * *"), every_minute("yearly", rule="0 0 1 1 *"))
    coming = Overview(rig.board).upcoming(None, n=4, after=START)

    assert ["b 10:01", "a 10:02", "b 10:02", "b 10:03"] == [
        f"{row['schedule']} {str(row['fire_time'])[11:16]}" for row in coming
    ]


def test_fire_times_within_a_second_come_in_order(rig: Rig) -> None:
    """
    As text half a second stands before the whole one; as time it comes after it.
    """
    rig.use(
        every_minute("half", kind=RuleKind.EVERY, rule="0.5s"), every_minute("whole", kind=RuleKind.EVERY, rule="1s")
    )
    coming = Overview(rig.board).upcoming(None, n=4, after=START)

    assert ["half :00.500000Z", "half :01Z", "whole :01Z", "half :01.500000Z"] == [
        f"{row['schedule']} {str(row['fire_time'])[16:]}" for row in coming
    ]


def test_each_schedule_comes_once_in_the_soonest(rig: Rig) -> None:
    """
    The nearest first, and how many more there are; none that is paused.
    """
    rig.use(every_minute("b"), every_minute("a"), every_minute("c", rule="0 0 1 1 *"), every_minute("paused"))
    with rig.database.writing() as conn:
        schedules.pause(conn, "paused", who="ann", note="", at_us=to_us(START))
    rig.take_over()
    rows, more = Overview(rig.board).soonest(n=2, after=START)

    assert (["a 10:01", "b 10:01"], 1) == ([f"{row['schedule']} {str(row['fire_time'])[11:16]}" for row in rows], more)


def test_a_schedule_that_is_not_there_is_not_found(rig: Rig) -> None:
    """
    The sentence says which there are.
    """
    with pytest.raises(NotFound, match="there is no schedule 'x'; there are none"):
        Overview(rig.board).upcoming("x", n=1, after=START)
    rig.use(every_minute("a"), every_minute("b"))
    with pytest.raises(NotFound, match="there are a, b"):
        Overview(rig.board).upcoming("x", n=1, after=START)


@pytest.mark.parametrize(
    ("ahead", "waits"), [(timedelta(minutes=5), True), (timedelta(0), False), (timedelta(hours=3), False)]
)
def test_a_cursor_in_the_future_waits_for_the_clock(rig: Rig, ahead: timedelta, waits: bool) -> None:
    """
    Up to three hours; a cursor farther away is set back by the next look.
    """
    rig.use(every_minute("a"))
    with rig.database.writing() as conn:
        schedules.set_decided(conn, [(rig.board.entries["a"].row.id, to_us(START + ahead))])
    rig.take_over()

    assert waits == bool(Overview(rig.board).clock_waits(START))
