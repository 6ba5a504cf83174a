"""
Durations and sizes as people write them.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.config.durations import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1.5h", 5400),
        ("2 d", 172_800),
        ("1w", 604_800),
        ("50ms", 0.05),
        ("PT15M", 900),
        ("P1DT0.5S", 86400.5),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    """
    A number and a unit, or ISO 8601.
    """
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "90", "s", "-5s", "1h30m", "P", "PT", "1y", "٣s", "9e9s", "99999999w", "9" * 400 + "s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """
    The refusal says what to write.
    """
    with pytest.raises(ValueError, match="; write "):
        parse_duration(text)


@given(st.integers(0, 10**6), st.sampled_from(["s", "m", "h", "d", "w"]))
def test_a_unit_is_a_factor(number: int, unit: str) -> None:
    """
    n units are n times one unit, up to the longest duration.
    """
    one = parse_duration(f"1{unit}")
    if one * number <= timedelta(days=36_500):
        assert parse_duration(f"{number}{unit}") == one * number


@pytest.mark.parametrize(
    ("text", "size"), [("64MiB", 64 << 20), ("1GB", 10**9), ("512", 512), ("1.5KiB", 1536), ("7 B", 7)]
)
def test_a_size_is_read(text: str, size: int) -> None:
    """
    Powers of 1024 with an i, of 1000 without.
    """
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "7q", "-1", "1iB", "1 M"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """
    The refusal says what to write.
    """
    with pytest.raises(ValueError, match="; write "):
        parse_size(text)
