"""
Rules of RFC 5545 in words, of the kinds that people write most; any other is told as written.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from orchd.schedules.day_words import ALL_MONTHS, DaySet, day_words
from orchd.schedules.interval import DEFAULT_ANCHOR
from orchd.schedules.wording import WEEKDAYS, counted, listed, moment, ordinal, times

_KEYS: Final = frozenset("FREQ INTERVAL BYDAY BYMONTHDAY BYMONTH BYHOUR BYMINUTE BYSECOND COUNT UNTIL WKST".split())
_UNITS: Final = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY: Final = re.compile(r"(?:\+?([1-5])|(-1))?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
#: A wall time of the schedule's zone.
_TIME: Final = re.compile(r"\d{8}(?:T\d{6})?", re.ASCII)
#: More times of the day than these are told as written.
_MANY: Final = 12


class _Unusual(Exception):
    """
    A rule for which there are no words.
    """


@lru_cache(maxsize=4096)
def rrule_words(text: str, anchor: str | None) -> str:
    """
    Return a rule in words: ``at 17:00 on the last Friday of every month``.
    """
    try:
        return _words(text, anchor)
    except (_Unusual, ValueError):
        return f"by the rrule {' '.join(text.split())}" + ("" if anchor is None else f", counted from {anchor}")


def _words(text: str, anchor: str | None) -> str:
    start, parts = _parts(text, anchor)
    begin = start or datetime.fromisoformat(DEFAULT_ANCHOR)
    interval = int(parts.get("INTERVAL", "1"))
    if parts.get("FREQ") not in _UNITS or not _KEYS.issuperset(parts) or parts.get("WKST", "MO") != "MO":
        raise _Unusual

    words = f"at {listed(_times(parts, begin))} {_days(parts, begin, interval)}"
    if start is not None:
        words += f", starting {moment(start)}"
    elif interval > 1:
        words += f", counted from {moment(begin)}"
    if "COUNT" in parts:
        words += f", {counted(int(parts['COUNT']), 'time')} in all"
    if "UNTIL" in parts:
        words += f", not after {_time(parts['UNTIL'])}"
    return words


def _parts(text: str, anchor: str | None) -> tuple[datetime | None, Mapping[str, str]]:
    """
    Return the start that is written, and the keys of the one RRULE.
    """
    *others, rule = text.upper().split()
    starts = [each.rpartition(":")[2] for each in others if each.startswith("DTSTART")]
    if len(starts) != len(others) or len(starts) > 1:
        raise _Unusual

    start = None if anchor is None else datetime.fromisoformat(anchor).replace(microsecond=0)
    if starts:
        start = _wall(starts[0])
    if start is not None and start.tzinfo is not None:
        raise _Unusual

    return start, dict(part.split("=") for part in rule.removeprefix("RRULE:").strip(";").split(";"))


def _wall(text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise _Unusual

    return datetime.fromisoformat(text)


def _time(text: str) -> str:
    # A day alone counts whole.
    wall = _wall(text)
    return moment(wall) if "T" not in text else f"{wall:%Y-%m-%d %H:%M:%S}"


def _times(parts: Mapping[str, str], start: datetime) -> list[str]:
    hours = _numbers(parts, "BYHOUR") or (start.hour,)
    minutes = _numbers(parts, "BYMINUTE") or (start.minute,)
    seconds = _numbers(parts, "BYSECOND") or (start.second,)
    if len(seconds) > 1 or len(hours) * len(minutes) > _MANY:
        raise _Unusual

    return times(hours, minutes, seconds[0])


def _days(parts: Mapping[str, str], start: datetime, interval: int) -> str:
    freq = parts["FREQ"]
    of = _day_set(parts, start)
    if interval == 1:
        return day_words(of)

    each = f"every {ordinal(interval)} {_UNITS[freq]}"
    if freq == "DAILY" and of == DaySet():
        return each

    if freq == "MONTHLY" and of.months == ALL_MONTHS and not of.weekdays:
        return day_words(replace(of, each_month=each))

    if freq == "YEARLY" or (freq == "WEEKLY" and of.months == ALL_MONTHS):
        return f"{day_words(of)} of {each}"

    raise _Unusual


def _day_set(parts: Mapping[str, str], start: datetime) -> DaySet:
    """
    Return the days that *parts* name, or else take from *start*.
    """
    freq = parts["FREQ"]
    days, months = _numbers(parts, "BYMONTHDAY"), _numbers(parts, "BYMONTH")
    found = [_DAY.fullmatch(each) for each in parts["BYDAY"].split(",")] if "BYDAY" in parts else []
    in_month = freq == "MONTHLY" or (freq == "YEARLY" and months)
    if not all(found) or (days and freq == "WEEKLY") or not all(day == -1 or 0 < day <= 31 for day in days):
        raise _Unusual

    weekdays = {(each[1] or each[2], _WEEKDAYS.index(each[3])) for each in found if each}
    plain = sorted(day for number, day in weekdays if number is None)
    special = sorted((number, day) for number, day in weekdays if number is not None)
    if special and (plain or not in_month):
        raise _Unusual

    if not (days or weekdays):
        plain = [start.weekday()] if freq == "WEEKLY" else []
        months = months or ((start.month,) if freq == "YEARLY" else ())
        days = (start.day,) if freq in ("MONTHLY", "YEARLY") else ()
    return DaySet(
        days=tuple(day for day in days if day > 0),
        special_days=("the last day",) if -1 in days else (),
        weekdays=tuple(plain),
        special_weekdays=tuple(_special(number, day) for number, day in special),
        months=months or ALL_MONTHS,
    )


def _special(number: str, day: int) -> str:
    return f"the {'last' if number == '-1' else ordinal(int(number))} {WEEKDAYS[day]}"


def _numbers(parts: Mapping[str, str], key: str) -> tuple[int, ...]:
    return tuple(sorted({int(each) for each in parts[key].split(",")})) if key in parts else ()
