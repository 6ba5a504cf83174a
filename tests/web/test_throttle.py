"""
How often a wrong login may be tried.
"""

import pytest

from orchd import clock
from orchd.web.throttle import MAX_FAILURES, Throttle


@pytest.mark.parametrize(
    ("failed_s", "now_s", "is_shut"),
    [
        ([], 0.0, False),
        ([0.0] * (MAX_FAILURES - 1), 0.0, False),
        ([0.0] * MAX_FAILURES, 0.0, True),
        ([0.0] * MAX_FAILURES, 0.999, True),
        ([0.0] * MAX_FAILURES, 1.0, False),
        # The oldest has left the second, the others have not.
        ([0.0, 0.9, 0.9, 0.9, 0.9], 0.99, True),
        ([0.0, 0.9, 0.9, 0.9, 0.9], 1.0, False),
        # Never more than so many in any second, wherever it begins.
        ([0.5, 0.6, 1.2, 1.3, 1.4], 1.45, True),
        ([0.5, 0.6, 1.2, 1.3, 1.4], 1.55, False),
        ([float(second) for second in range(100)], 99.0, False),
    ],
)
def test_it_shuts_after_so_many_in_a_second(
    monkeypatch: pytest.MonkeyPatch, failed_s: list[float], now_s: float, is_shut: bool
) -> None:
    """
    Of the last second alone, which moves with the clock.
    """
    throttle = Throttle()
    for each_s in failed_s:
        monkeypatch.setattr(clock, "monotonic", lambda each_s=each_s: each_s)
        throttle.failed()
    monkeypatch.setattr(clock, "monotonic", lambda: now_s)

    assert throttle.is_shut() is is_shut
