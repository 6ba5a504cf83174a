"""
Patience with runs that have no monitor, on a clock that is the test's.
"""

import pytest

from orchd import clock
from orchd.model.ids import FlowRunId
from orchd.scheduler.patience import Patience

RUN = FlowRunId("r")


class Clock:
    """
    Monotonic seconds.
    """

    now_s = 1000.0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """
    A clock that stands until the test moves it.
    """
    made = Clock()
    monkeypatch.setattr(clock, "monotonic", lambda: made.now_s)
    return made


def test_each_launch_waits_twice_as_long_as_the_one_before(time: Clock) -> None:
    """
    The first comes at once, and no pause is longer than 30 s.
    """
    patience = Patience()
    pauses = []
    last_s = time.now_s
    for _ in range(8):
        while not patience.launches(RUN):
            assert patience.may_launch(RUN)
            time.now_s += 0.5
        assert not patience.may_launch(RUN)
        pauses.append(time.now_s - last_s)
        last_s = time.now_s

    assert [0, 1, 2, 4, 8, 16, 30, 30] == pauses


def test_a_death_is_waited_for_a_second(time: Clock) -> None:
    """
    Then it is helped on, and again only after a while, for that takes time.
    """
    patience = Patience()
    worn_out = []
    for _ in range(70):
        worn_out.append(patience.is_worn_out(RUN))
        time.now_s += 0.5

    assert [2, 62] == [at for at, is_worn_out in enumerate(worn_out) if is_worn_out]


def test_an_answer_ends_the_waiting(time: Clock) -> None:
    """
    The next time it begins anew; what is not known is not waited for.
    """
    patience = Patience()
    patience.is_answered(RUN)
    patience.put_off(RUN)
    assert not patience.is_worn_out(RUN)
    assert patience.may_launch(RUN)
    patience.is_answered(RUN)
    time.now_s += 5

    assert not patience.may_launch(RUN)
    assert not patience.is_worn_out(RUN)


@pytest.mark.parametrize("way", ["forget", "begin_anew"])
def test_what_is_forgotten_begins_at_once(time: Clock, way: str) -> None:
    """
    One run, or all of them.
    """
    patience = Patience()
    assert patience.launches(RUN)
    assert not patience.launches(RUN)
    patience.forget(RUN) if way == "forget" else patience.begin_anew()

    assert patience.launches(RUN)
