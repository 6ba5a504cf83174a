"""
Rules of ``dateutil.rrule`` as the text of RFC 5545.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from orchd.engine.context import as_moment


def rrule_lines(given: Any) -> list[tuple[str, str | None, str]]:
    """
    Return an rrule or rruleset as text, with its DTSTART (ISO, or None when it is in the text) and its zone.

    After it come the rules by which a set leaves something out (``exrule``), each in the same way.
    """
    if not hasattr(given, "_rrule"):
        start = as_moment(given._dtstart)
        return [(_line(given, start), start.isoformat(), _zone(start))]

    starts = [as_moment(rule._dtstart) for rule in given._rrule]
    zone = _zone(starts[0] if starts else as_moment(given._rdate[0]))
    lines = []
    for rule, start in zip(given._rrule, starts, strict=True):
        lines += [f"DTSTART:{_wall(start, zone)}", _line(rule, start)]
    lines += _dates("RDATE", given._rdate, zone) + _dates("EXDATE", given._exdate, zone)
    left_out = [rrule_lines(rule)[0] for rule in given._exrule]
    return [("\n".join(lines), None, zone), *left_out]


def _line(rule: Any, start: Any) -> str:
    text = str(rule).splitlines()[-1]
    if rule._until is None:
        return text

    return re.sub(r"UNTIL=\w+", f"UNTIL={_wall(as_moment(rule._until), _zone(start))}", text)


def _dates(word: str, dates: Iterable[datetime], zone: str) -> list[str]:
    walls = ",".join(_wall(as_moment(date), zone) for date in dates)
    return [f"{word}:{walls}"] if walls else []


def _wall(moment: Any, zone: str) -> str:
    return str(moment.in_timezone(zone).format("YYYYMMDD[T]HHmmss"))


def _zone(moment: Any) -> str:
    return str(moment.timezone_name)
