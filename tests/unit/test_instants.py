"""
Instants keep every microsecond on their way to rest and back.
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.model.instants import EPOCH, from_us, iso, iso_us, to_us

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=ZONES))
def test_an_instant_comes_back_as_it_went(instant: datetime) -> None:
    """
    From any zone, of any year: the same instant, in UTC.
    """
    if not to_us(datetime.min.replace(tzinfo=UTC)) <= to_us(instant) <= to_us(datetime.max.replace(tzinfo=UTC)):
        return

    assert instant == from_us(to_us(instant))
    assert timedelta(0) == from_us(to_us(instant)).utcoffset()


@given(st.integers(to_us(datetime(1, 1, 1, tzinfo=UTC)), to_us(datetime(9999, 12, 31, tzinfo=UTC))))
def test_microseconds_come_back_as_they_went(us: int) -> None:
    """
    Through the instant, and through its text.
    """
    assert us == to_us(from_us(us))
    assert us == to_us(datetime.fromisoformat(iso(from_us(us))))


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_774_751_400_000_000, "2026-03-29T02:30:00Z"),
        (None, None),
    ],
)
def test_the_text_of_an_instant(us: int | None, text: str | None) -> None:
    """
    UTC with a Z, and fractions only where there are any.
    """
    assert text == iso_us(us)


def test_text_is_utc_whatever_the_zone() -> None:
    """
    A reader needs no zone of ours.
    """
    assert "1969-12-31T23:00:00Z" == iso(EPOCH.replace(tzinfo=timezone(timedelta(hours=1))))
