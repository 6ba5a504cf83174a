"""
The alarm clock: never early, at most a second late of looking, and it decides nothing.
"""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from orchd import clock
from orchd.scheduler.wakeup import MAX_SLEEP, Wakeup

LIMIT_S = 10


class Rings:
    """
    Notes when the alarm rang.
    """

    def __init__(self) -> None:
        self.at: list[datetime] = []
        self._rang = threading.Semaphore(0)

    def ring(self) -> None:
        """
        Be rung.
        """
        self.at.append(clock.now())
        self._rang.release()

    def wait(self) -> datetime:
        """
        Return when it rang, at the next ring.
        """
        assert self._rang.acquire(timeout=LIMIT_S)
        return self.at[-1]


@pytest.fixture
def rings() -> Rings:
    """
    Notes of the alarm.
    """
    return Rings()


@pytest.fixture
def wakeup(rings: Rings) -> Iterator[Wakeup]:
    """
    An alarm that has rung once, as it does when it is started.
    """
    made = Wakeup(rings.ring)
    made.start()
    rings.wait()
    yield made
    made.stop()


def test_it_is_never_early(wakeup: Wakeup, rings: Rings) -> None:
    """
    A run that is due at an instant is not started before it.
    """
    for _ in range(10):
        wanted = clock.now() + timedelta(milliseconds=15)
        wakeup.at(wanted, now=clock.now())

        assert wanted <= rings.wait()


@pytest.mark.parametrize("wanted", [None, timedelta(days=30)])
def test_it_sleeps_at_most_a_second(wakeup: Wakeup, wanted: timedelta | None) -> None:
    """
    A clock that was set is noticed; asked of the scheduler, so that nobody has to wait for it.
    """
    now = clock.now()
    wakeup.at(None if wanted is None else now + wanted, now=now)
    job = wakeup._scheduler.get_job("wake")

    assert now + MAX_SLEEP == job.trigger.run_date


def test_what_has_come_already_rings_at_once(wakeup: Wakeup, rings: Rings) -> None:
    """
    However long ago it was.
    """
    wakeup.at(clock.now() - timedelta(hours=5), now=clock.now())

    assert rings.wait()


def test_the_last_word_counts(wakeup: Wakeup, rings: Rings) -> None:
    """
    An alarm that is set anew replaces the old one.
    """
    now = clock.now()
    wakeup.at(now + timedelta(milliseconds=500), now=now)
    wakeup.at(now + timedelta(milliseconds=10), now=now)
    rings.wait()

    assert 2 == len(rings.at)
    assert wakeup._scheduler.get_job("wake") is None


@pytest.mark.parametrize("step", [timedelta(days=-3650), timedelta(0), timedelta(days=3650)])
def test_upkeep_is_called_again_and_again(wakeup: Wakeup, monkeypatch: pytest.MonkeyPatch, step: timedelta) -> None:
    """
    Every so many seconds that really pass, once each, also after the wall clock was set by *step*.
    """
    calls: list[float] = []
    wall, passed = clock.now(), 0.0
    # From the first word on: on a busy machine a second may pass between two lines of this test.
    monkeypatch.setattr(clock, "monotonic", lambda: passed)
    wakeup.every(600, lambda: calls.append(passed))
    for passed in (1, 599, 601, 602, 1200, 1202, 1203, 5000, 5001):
        wakeup.at(None, now=wall + (step if passed > 601 else timedelta(0)) + timedelta(seconds=passed))

    assert [601, 1202, 5000] == calls


def test_a_stopped_alarm_cannot_be_set(rings: Rings) -> None:
    """
    Nor does it hurt to try, or to stop one that never began.
    """
    made = Wakeup(rings.ring)
    made.stop()
    made.start()
    rings.wait()
    made.stop()
    made.at(clock.now())

    assert 1 == len(rings.at)
