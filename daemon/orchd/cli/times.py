"""
Instants and durations between the API's words, the person's words and the screen's.
"""

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from orchd.errors import UsageError

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_UNITS: Final = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def instant(text: str | None) -> datetime | None:
    """
    Return the instant that the API wrote as *text*.
    """
    return None if text is None else datetime.fromisoformat(text)


def on_screen(at: datetime, *, now: datetime) -> str:
    """
    Return *at* in the terminal's own zone, as short as can be: the time today, the day before it otherwise.
    """
    local, today = at.astimezone(), now.astimezone()
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")

    if local.year == today.year:
        return local.strftime("%b %d %H:%M:%S")

    return local.strftime("%Y-%m-%d %H:%M:%S")


def in_pipe(at: datetime) -> str:
    """
    Return *at* in the local zone with its offset, to the second: ``2026-11-23 18:21:00+01:00``.
    """
    return at.astimezone().isoformat(sep=" ", timespec="seconds")


def span(seconds: float) -> str:
    """
    Return a duration in its two largest units: ``0.42 s``, ``12 s``, ``3 min 5 s``, ``2 d 4 h``.
    """
    if seconds < 10:
        return f"{max(seconds, 0):.2f} s"

    whole = int(seconds)
    for (large, large_s), (small, small_s) in itertools.pairwise(_UNITS):
        if whole >= large_s:
            rest = whole % large_s // small_s
            return f"{whole // large_s} {large}" + (f" {rest} {small}" if rest else "")

    return f"{whole} s"


def relative(at: datetime, *, now: datetime) -> str:
    """
    Return how far *at* is from *now*: ``in 35 s``, ``2 min ago``, ``now``.
    """
    seconds = round((at - now).total_seconds())
    if seconds == 0:
        return "now"

    whole = span(float(abs(seconds))).replace(".00", "")
    return f"in {whole}" if seconds > 0 else f"{whole} ago"


def parse(text: str, *, now: datetime, past: bool) -> str:
    """
    Return what a person wrote for an instant in the API's words.

    Args:
        text: a date, a date and time (local when it names no zone), a time of today, or a span such as ``10m``.

        now: what a span is counted from.

        past: a span lies before *now*, else after it.

    Raises:
        UsageError: it is none of these.
    """
    try:
        return _instant(text, now=now, past=past).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError as error:
        raise UsageError(f"'{text}' is further away than a calendar goes; write a nearer time") from error
    except ValueError as error:
        raise UsageError(
            f"'{text}' is no time; write one such as 2026-11-24T06:30, 06:30, 2026-11-24T06:30:00Z or 10m"
        ) from error


def _instant(text: str, *, now: datetime, past: bool) -> datetime:
    if found := _SPAN.fullmatch(text):
        away = timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
        return now - away if past else now + away

    today = now.astimezone().date().isoformat()
    return datetime.fromisoformat(f"{today}T{text}" if ":" in text[:3] else text)
