"""
Instants between their two forms: aware UTC ``datetime`` in code, integer microseconds at rest.
"""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """
    Return *instant* (aware, any zone) as UTC microseconds since 1970, exactly.
    """
    return (instant - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """
    Return the aware UTC instant of *us* microseconds since 1970.
    """
    return EPOCH + timedelta(microseconds=us)


def iso(instant: datetime) -> str:
    """
    Return *instant* as UTC ISO-8601 text that ends in ``Z``; fractions only where there are any.
    """
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def iso_us(us: int | None) -> str | None:
    """
    Return :func:`iso` of *us*; None stays None.
    """
    return None if us is None else iso(from_us(us))


def duration_s(started_at_us: int | None, ended_at_us: int | None) -> float | None:
    """
    Return the seconds between two stored instants, never below 0; None while one of them is not known.
    """
    if started_at_us is None or ended_at_us is None:
        return None

    return max(0, ended_at_us - started_at_us) / 1_000_000
