"""
Instants and durations between a person's words and the API's.
"""

from datetime import UTC, datetime, timedelta

import pytest

from orchd.cli import times
from orchd.errors import UsageError

NOW = datetime(2026, 11, 23, 17, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.417, "0.42 s"), (-1, "0.00 s"), (12.9, "12 s"), (185, "3 min 5 s"), (3600, "1 h"), (187_200, "2 d 4 h")],
)
def test_a_span_has_its_two_largest_units(seconds: float, text: str) -> None:
    """
    Short ones with fractions, long ones without.
    """
    assert times.span(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(35, "in 35 s"), (-120, "2 min ago"), (0.2, "now"), (5, "in 5 s")])
def test_an_instant_is_told_from_now(seconds: float, text: str) -> None:
    """
    In the future, in the past, or now.
    """
    assert times.relative(NOW + timedelta(seconds=seconds), now=NOW) == text


@pytest.mark.parametrize(
    ("text", "past", "instant"),
    [
        ("10m", True, "2026-11-23T16:55:30Z"),
        ("10m", False, "2026-11-23T17:15:30Z"),
        ("1.5h", False, "2026-11-23T18:35:30Z"),
        ("2026-11-24T06:30:00+01:00", True, "2026-11-24T05:30:00Z"),
        ("2026-11-24 06:30Z", True, "2026-11-24T06:30:00Z"),
    ],
)
def test_a_person_may_write_a_time_in_several_ways(text: str, past: bool, instant: str) -> None:
    """
    A span from now, or an instant.
    """
    assert times.parse(text, now=NOW, past=past) == instant


def test_a_time_of_day_is_todays_in_the_local_zone() -> None:
    """
    06:30 is half past six here, today.
    """
    local = NOW.astimezone().replace(hour=6, minute=30, second=0)

    assert times.instant(times.parse("06:30", now=NOW, past=True)) == local


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01", "10y"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """
    The refusal shows what may be written.
    """
    with pytest.raises(UsageError, match=r"is no time; write one such as 2026-11-24T06:30"):
        times.parse(text, now=NOW, past=False)


@pytest.mark.parametrize("text", ["99999999d", f"{10**400}s", "0001-01-01T00:00+14:00"])
@pytest.mark.parametrize("past", [True, False])
def test_a_time_beyond_the_calendar_is_refused(text: str, past: bool) -> None:
    """
    A span or date that no datetime can hold is one sentence, too.
    """
    with pytest.raises(UsageError, match="further away than a calendar goes"):
        times.parse(text, now=NOW, past=past)


def test_the_screen_shows_as_little_of_an_instant_as_it_can() -> None:
    """
    Today the time, this year the day before it, else the whole date.
    """
    assert len(times.on_screen(NOW, now=NOW)) == len("17:05:30")
    assert times.on_screen(NOW - timedelta(days=5), now=NOW).startswith("Nov 1")
    assert times.on_screen(NOW - timedelta(days=500), now=NOW).startswith("2025-")
