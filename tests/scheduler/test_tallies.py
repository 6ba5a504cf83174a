"""
What the daemon counts of its own work.
"""

from datetime import timedelta

from orchd.scheduler.tallies import BOUNDS_S, Tallies


def test_starts_are_counted_by_how_late_they_are() -> None:
    """
    In the first bound that they do not exceed; an early one (the clock was set) is not late.
    """
    tallies = Tallies()
    for late in (timedelta(seconds=-1), timedelta(milliseconds=10), timedelta(milliseconds=11), timedelta(days=1)):
        tallies.started(late_us=late // timedelta(microseconds=1))

    assert tallies.late[:2] == [2, 1]
    assert tallies.late[-1] == 1
    assert sum(tallies.late) == 4
    assert len(tallies.late) == len(BOUNDS_S) + 1
    assert round(tallies.late_sum_s, 3) == 86_400.021


def test_the_lag_is_that_of_the_last_ingest() -> None:
    """
    In seconds, and never below 0.
    """
    tallies = Tallies()
    tallies.stored(written_us=1_000_000, now_us=1_500_000)
    assert tallies.ingest_lag_s == 0.5
    tallies.stored(written_us=2_000_000, now_us=1_500_000)
    assert tallies.ingest_lag_s == 0
