"""
Filters of schedules: each says whether an instant, as its zone's wall shows it, counts.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time

import msgspec

from orchd.flow.classic_schedules.conditions import Condition
from orchd.model.specs import ClauseSpec

Filter = Callable[[datetime], bool]


def on_datetime(dt: datetime) -> Filter:
    """
    Only that instant; one without a zone is UTC.
    """
    return _condition("on_datetime", _iso(dt))


def between_datetimes(start: datetime, end: datetime) -> Filter:
    """
    Only from *start* to *end*, both inclusive; one without a zone is UTC.
    """
    return _condition("between_datetimes", _iso(start), _iso(end))


def on_date(month: int, day: int) -> Filter:
    """
    Only that day of each year.
    """
    return _condition("on_date", month, day)


def between_dates(start_month: int, start_day: int, end_month: int, end_day: int) -> Filter:
    """
    Only from one day of the year to another, both inclusive, over the year's end too; never when both lie in one month
    in the wrong order.
    """
    return _condition("between_dates", start_month, start_day, end_month, end_day)


def at_time(time: time) -> Filter:
    """
    Only that time of the day.
    """
    return _condition("at_time", time.replace(tzinfo=None).isoformat())


def between_times(start: time, end: time) -> Filter:
    """
    Only from one time of the day to another, both inclusive, over midnight too.
    """
    return _condition("between_times", start.replace(tzinfo=None).isoformat(), end.replace(tzinfo=None).isoformat())


def is_weekday(dt: datetime) -> bool:
    """
    Monday to Friday.
    """
    return _condition("is_weekday")(dt)


def is_weekend(dt: datetime) -> bool:
    """
    Saturday and Sunday.
    """
    return _condition("is_weekend")(dt)


def is_month_end(dt: datetime) -> bool:
    """
    The last day of a month.
    """
    return _condition("is_month_end")(dt)


def is_month_start(dt: datetime) -> bool:
    """
    The first day of a month.
    """
    return _condition("is_month_start")(dt)


def is_day_of_week(day_of_week: int) -> Filter:
    """
    Only that day; 0 is Monday.
    """
    return _condition("is_day_of_week", day_of_week)


def _condition(name: str, *arguments: int | str) -> Condition:
    return Condition(ClauseSpec(name=name, arguments=msgspec.json.encode(arguments).decode()))


def _iso(given: datetime) -> str:
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).isoformat()
