"""
Noticing that the wall clock was set, and remembering it.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.errors import StoreError
from orchd.model.instants import to_us
from orchd.scheduler.clock_watch import MIN_JUMP, ClockJump, ClockWatch
from orchd.scheduler.jumps import Jumps
from orchd.store import jumps
from orchd.store.jumps import JumpRow
from scheduler.rig import START, Rig

HOUR = timedelta(hours=1)


def test_the_first_look_has_nothing_to_compare_with() -> None:
    """
    A daemon that was just started knows of no jump.
    """
    assert ClockWatch().look(START, monotonic_s=5.0) is None


@pytest.mark.parametrize("jump", [HOUR, -HOUR, MIN_JUMP, -MIN_JUMP])
def test_a_clock_that_was_set_is_noticed(jump: timedelta) -> None:
    """
    Forward and back, with the time that it shows now, and only once.
    """
    watch = ClockWatch()
    watch.look(START, monotonic_s=5.0)
    now = START + timedelta(seconds=1) + jump

    assert ClockJump(at=now, seconds=jump.total_seconds()) == watch.look(now, monotonic_s=6.0)
    assert watch.look(now + timedelta(seconds=1), monotonic_s=7.0) is None


@given(st.lists(st.floats(-0.4, 0.4), max_size=20), st.floats(0, 1e6))
def test_slewing_is_no_jump(drifts: list[float], began_s: float) -> None:
    """
    A clock that runs a little wrong from look to look is not being set.
    """
    watch = ClockWatch()
    now, monotonic_s = START, began_s
    for drift in drifts:
        assert watch.look(now, monotonic_s=monotonic_s) is None
        monotonic_s += 1
        now += timedelta(seconds=1 + drift)


def test_jumps_are_known_after_a_restart(rig: Rig) -> None:
    """
    What was kept is shown again, oldest first.
    """
    seen = [ClockJump(at=START + HOUR, seconds=3600.0), ClockJump(at=START + 2 * HOUR, seconds=-1800.25)]
    before = Jumps(rig.database)
    for jump in seen:
        before.note(jump)
        before.keep()
    after = Jumps(rig.database)
    after.load()

    assert tuple(seen) == before.latest() == after.latest()


def test_a_jump_is_kept_when_the_store_is_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It is shown at once, and written down with a later tick.
    """
    kept = Jumps(rig.database)
    kept.note(ClockJump(at=START, seconds=5.0))

    def away(*_: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr("orchd.scheduler.jumps.jumps.put", away)
        with pytest.raises(StoreError):
            kept.keep()
    kept.keep()
    kept.keep()

    with rig.database.reading() as conn:
        assert [JumpRow(at_us=to_us(START), seconds=5.0)] == jumps.jumps(conn)


@pytest.mark.parametrize(
    ("seconds", "minutes", "is_near"),
    [
        (3600.0, -61.5, False),
        (3600.0, -60.5, True),
        (3600.0, -30, True),
        (3600.0, 0, True),
        (3600.0, 0.5, True),
        (3600.0, 1.5, False),
        (-3600.0, -1.5, False),
        (-3600.0, -0.5, True),
        (-3600.0, 30, True),
        (-3600.0, 61.5, False),
    ],
)
def test_a_jump_is_near_what_it_went_over(rig: Rig, seconds: float, minutes: float, is_near: bool) -> None:
    """
    From what the clock showed before to what it showed after, and a minute to each side.
    """
    at_us = to_us(START + timedelta(minutes=minutes))
    with rig.database.writing() as conn:
        jumps.put(conn, JumpRow(at_us=to_us(START), seconds=seconds))
        found = jumps.near(conn, first_us=at_us, last_us=at_us, within_us=60_000_000)

    assert is_near == bool(found)


def test_old_jumps_are_forgotten(rig: Rig) -> None:
    """
    With the runs of their time.
    """
    with rig.database.writing() as conn:
        jumps.put(conn, JumpRow(at_us=5, seconds=1.0))
        jumps.put(conn, JumpRow(at_us=6, seconds=1.0))
        jumps.forget(conn, before_us=6)

        assert [6] == [row.at_us for row in jumps.jumps(conn)]
