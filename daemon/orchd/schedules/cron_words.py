"""
Cron rules in words.

A rule that follows the clock (rule 2) and one that fires once for each wall time (rule 3) may have the same times, and
differ when the clocks change. So only the first is told as ``every 15 minutes`` or ``whenever the clock shows``, and
only the second as ``at 02:00``, ``at minutes 0 and 30 of`` or ``every hour from 08:00 to 17:00``.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from orchd.schedules import grammar
from orchd.schedules.day_words import SHORTEST_MONTH, DaySet, day_words
from orchd.schedules.grammar import Field
from orchd.schedules.wording import STEPS, WEEKDAYS, listed, neighbours, ordinal, step_of, times

#: So many times of the day are always listed, and so many when they are no row of hours.
_FEW, _MANY = 4, 12
_MINUTES, _HOURS, _DAYS, _WEEK = 60, 24, 31, 7
_NUMBERS: Final = tuple(map(str, range(_MINUTES)))


@lru_cache(maxsize=4096)
def cron_words(expr: str, seconds: tuple[int, ...], *, day_or: bool) -> str:
    """
    Return a cron rule in words: ``at 02:00 every day``.

    Raises:
        RuleError: *expr* cannot be read.
    """
    text = grammar.parse(expr)
    hours, minutes = text.hour.values, text.minute.values
    at = _whenever(hours, minutes) if text.follows_clock else _at(hours, minutes)
    if seconds != (0,):
        at += f", at {_numbered('second', seconds)} of the minute"
    days = day_words(
        DaySet(
            days=_unless_all(text.day, _DAYS),
            special_days=_specials(text.day, _DAYS),
            weekdays=tuple(sorted((day - 1) % _WEEK for day in _unless_all(text.weekday, _WEEK))),
            special_weekdays=_specials(text.weekday, _WEEK),
            months=text.month.values,
            joined=text.days_are_joined or not day_or,
        )
    )
    if days == "every day" and text.follows_clock and len(hours) == _HOURS:
        return at

    return f"{at}{',' if ' to ' in at or ' of ' in at else ''} {days}"


def _at(hours: Sequence[int], minutes: Sequence[int]) -> str:
    """
    Return the times of a rule that fires once for each wall time.
    """
    count = len(hours) * len(minutes)
    if count > _FEW and len(minutes) == 1 and step_of(hours) == 1:
        first, *_, last = times(hours, minutes)
        return f"every hour from {first} to {last}"

    if count <= _MANY:
        return f"at {listed(times(hours, minutes))}"

    return f"at {_numbered('minute', minutes)} of {_numbered('hour', hours)}"


def _whenever(hours: Sequence[int], minutes: Sequence[int]) -> str:
    """
    Return the times of a rule that follows the clock, where minutes or hours are more than one.
    """
    all_day = len(hours) == _HOURS
    step, first, last = step_of(minutes), f"{hours[0]:02}:{minutes[0]:02}", f"{hours[-1]:02}:{minutes[-1]:02}"
    if len(minutes) == 1:
        if all_day:
            return "every hour, on the hour" if minutes == (0,) else f"every hour at minute {minutes[0]}"

        if (apart := step_of(hours)) is not None:
            return f"every {apart} hours from {first} to {last}"

    if minutes[0] == 0 and step is not None and (step * len(minutes) == _MINUTES or len(hours) == 1):
        unit = "minute" if step == 1 else f"{step} minutes"
        if all_day:
            return f"every {unit}"

        in_a_row = len(hours) == 1 or step_of(hours) == 1
        return f"every {unit} from {first} to {last}" if in_a_row else f"every {unit} of {_numbered('hour', hours)}"

    if all_day:
        return f"every hour at {_numbered('minute', minutes)}"

    return f"whenever the clock shows {_numbered('minute', minutes)} of {_numbered('hour', hours)}"


def _numbered(unit: str, values: Sequence[int]) -> str:
    """
    Return ``minute 5``, ``minutes 0 and 30``, ``hours 8 to 17``, ``every 7th minute from 0 to 56``.
    """
    step = step_of(values)
    if step is not None and step > 1 and len(values) >= STEPS:
        return f"every {ordinal(step)} {unit} from {values[0]} to {values[-1]}"

    return f"{unit}{'' if len(values) == 1 else 's'} {listed(neighbours(values, _NUMBERS))}"


def _unless_all(field: Field, size: int) -> tuple[int, ...]:
    return () if len(field.values) == size else field.values


def _specials(field: Field, size: int) -> tuple[str, ...]:
    return () if len(field.values) == size else tuple(map(_special, field.specials))


def _special(special: str) -> str:
    """
    Return ``L``, ``LW``, ``15W``, ``5L`` or ``5#3`` in words.
    """
    if special == "L":
        return "the last day"

    if special == "LW":
        return "the last weekday"

    if special.endswith("W"):
        day = int(special[:-1])
        shorter = " (or the last day)" if day > SHORTEST_MONTH else ""
        return f"the weekday nearest to the {ordinal(day)}{shorter}"

    weekday = WEEKDAYS[(int(special[0]) - 1) % _WEEK]
    return f"the last {weekday}" if special.endswith("L") else f"the {ordinal(int(special[2]))} {weekday}"
