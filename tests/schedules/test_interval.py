"""
Interval rules: what may be written, and the phase.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.schedules import Every, RuleError
from schedules.samples import PROPERTY, first, utc

LENGTHS = {
    "90s": timedelta(seconds=90),
    "0.05s": timedelta(milliseconds=50),
    "1.5s": timedelta(seconds=1.5),
    "15m": timedelta(minutes=15),
    "2h": timedelta(hours=2),
    "1h30m": timedelta(minutes=90),
    "0.5h": timedelta(minutes=30),
    "PT90S": timedelta(seconds=90),
    "pt1h0.5s": timedelta(hours=1, seconds=0.5),
    " 10m ": timedelta(minutes=10),
}


@pytest.mark.parametrize(("text", "length"), LENGTHS.items())
def test_elapsed_intervals_may_be_written_short_or_as_iso_8601(text, length):
    """
    Each spelling means that length of elapsed time.
    """
    rule = Every(text)

    assert (length, True) == (rule.spacing, rule.follows_clock)


@pytest.mark.parametrize(("text", "days"), {"1d": 1, "3d": 3, "1w": 7, "P1D": 1, "P2W": 14, "1w1d": 8}.items())
def test_days_and_weeks_keep_the_wall_clock(text, days):
    """
    Whole days and weeks are steps of the wall clock.
    """
    rule = Every(text, "Europe/Vienna", "2026-01-01T09:00")

    assert not rule.follows_clock
    assert utc("2026-01-01 08:00") + timedelta(days=days) == rule.next_after(utc("2026-01-01 08:00"))


REFUSED = {
    "": "every '' cannot be read; write 90s, 15m",
    "90": "cannot be read",
    "s": "cannot be read",
    "P": "cannot be read",
    "PT": "cannot be read",
    "1M1D": "cannot be read",
    "P1M": "months and years have no length: use cron",
    "1M": "m is minutes; write 1m for them, or for months use cron",
    "-5s": "cannot be read",
    "٣s": "cannot be read",
    "1.5d": "every '1.5d' mixes days, which keep the wall clock, with elapsed time; write 36h for elapsed time",
    "P1DT12H": "write 36h for elapsed time",
    "0s": "out of range; write something from 0.001s to 36525d",
    "0d": "out of range",
    "40000d": "out of range",
    "9" * 99 + "s": "out of range",
    "0.0000001s": "write at most six decimals of a second",
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.items())
def test_an_interval_that_cannot_be_meant_is_refused_with_the_way_out(text, sentence):
    """
    The error says which text and what to write instead.
    """
    with pytest.raises(RuleError) as refused:
        Every(text)

    assert sentence in str(refused.value)


def test_an_anchor_that_is_no_time_is_refused():
    """
    The error shows how an anchor is written.
    """
    with pytest.raises(RuleError, match=r"anchor 'noon' is no time; write it as '1970-01-05T00:00'"):
        Every("1d", "UTC", "noon")


@pytest.mark.parametrize(
    ("rule", "after", "fires"),
    [
        (Every("1w", "Europe/Vienna"), "2026-06-03", ["2026-06-07 22:00", "2026-06-14 22:00"]),
        (Every("15m", "Asia/Kathmandu"), "2026-06-03 00:01", ["2026-06-03 00:15"]),
        (Every("2h", "Europe/Vienna", "2026-01-01T00:30"), "2026-01-01", ["2026-01-01 01:30", "2026-01-01 03:30"]),
        (Every("2h", "Europe/Vienna", "2026-01-01T00:30"), "2025-12-31 20:00", ["2025-12-31 21:30"]),
        (Every("1d", "Europe/Vienna", "2026-01-01T08:00:00Z"), "2026-07-01 12:00", ["2026-07-02 07:00"]),
        (Every("1h", "Europe/Vienna", "2026-01-01T08:10:00+05:30"), "2026-07-01 12:00", ["2026-07-01 12:40"]),
        # 02:30 does not exist on 29 March 2026 in Vienna: the phase is that of 01:00Z, the end of the gap.
        (Every("36h", "Europe/Vienna", "2026-03-29T02:30"), "2026-03-29", ["2026-03-29 01:00", "2026-03-30 13:00"]),
        # 02:30 comes twice on 25 October 2026: the first counts.
        (Every("36h", "Europe/Vienna", "2026-10-25T02:30"), "2026-10-25", ["2026-10-25 00:30", "2026-10-26 12:30"]),
    ],
    ids=str,
)
def test_the_phase_comes_from_the_anchor(rule, after, fires):
    """
    Fire times lie on the anchor's grid, before it as well as after it.
    """
    assert [utc(fire) for fire in fires] == list(first(rule, utc(after), len(fires)))


@PROPERTY
@given(st.integers(1, 10**9), st.integers(-(10**15), 10**15))
def test_elapsed_time_is_exact_to_the_microsecond(milliseconds, microseconds):
    """
    The next fire is the next multiple of the period, however small or far.
    """
    anchor, period = utc("2026-01-01"), timedelta(milliseconds=milliseconds)
    after = anchor + timedelta(microseconds=microseconds)
    fire = Every(f"{milliseconds / 1000:.3f}s", "UTC", "2026-01-01T00:00").next_after(after)

    assert timedelta(0) == (fire - anchor) % period
    assert after < fire <= after + period
