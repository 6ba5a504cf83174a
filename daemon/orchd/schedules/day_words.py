"""
The days of a rule in words: ``every day``, ``on the 1st of every month``, ``from Monday to Friday``.
"""

from dataclasses import dataclass
from typing import Final

from orchd.schedules.wording import MONTHS, STEPS, WEEKDAYS, listed, months, neighbours, ordinal, step_of, weekdays

ALL_MONTHS: Final = tuple(range(1, len(MONTHS) + 1))
_DAYS: Final = tuple(f"the {ordinal(day)}" for day in range(32))
#: So many days has every month.
SHORTEST_MONTH: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySet:
    """
    The days on which a rule fires. No day of the month, or of the week, means each of them.
    """

    #: Days of the month, in order, and those that have words of their own: ``the last day``.
    days: tuple[int, ...] = ()
    special_days: tuple[str, ...] = ()
    #: Days of the week (0 is Monday), in order, and such as ``the last Friday``.
    weekdays: tuple[int, ...] = ()
    special_weekdays: tuple[str, ...] = ()
    months: tuple[int, ...] = ALL_MONTHS
    #: What *months* are called when they are all of them.
    each_month: str = "every month"
    #: Day of the month and of the week must both fit; else one of them is enough.
    joined: bool = True


def day_words(of: DaySet) -> str:
    """
    Return *of* in words.
    """
    month = months(of.months)
    any_day = not (of.days or of.special_days)
    any_weekday = not (of.weekdays or of.special_weekdays)
    if (any_day and any_weekday) or (not of.joined and (any_day or any_weekday)):
        return "every day" if month is None else f"every day in {month}"

    if any_day:
        return _on_weekdays(of, month)

    if any_weekday:
        return _on_days(of, month)

    if of.joined:
        return f"{_on_days(of, month)} if that is {listed(_single_weekdays(of), 'or')}"

    return f"{_on_days(of, month)}, and also {_on_weekdays(of, month)}"


def _on_days(of: DaySet, month: str | None) -> str:
    step = step_of(of.days)
    if step is not None and step > 1 and len(of.days) >= STEPS:
        days = [f"every {ordinal(step)} day from {_DAYS[of.days[0]]} to {_DAYS[of.days[-1]]}"]
    else:
        days = neighbours(of.days, _DAYS)
    lacks = month is None and not of.special_days and of.days[0] > SHORTEST_MONTH
    return f"on {listed([*days, *of.special_days])} of {month or of.each_month}{' that has it' if lacks else ''}"


def _on_weekdays(of: DaySet, month: str | None) -> str:
    found = []
    if of.weekdays:
        found.append(weekdays(of.weekdays) + (f" in {month}" if month else ""))
    if of.special_weekdays:
        found.append(f"on {listed(of.special_weekdays)} of {month or of.each_month}")
    return " and ".join(found)


def _single_weekdays(of: DaySet) -> list[str]:
    return [*(f"a {WEEKDAYS[day]}" for day in of.weekdays), *of.special_weekdays]
