"""
Filters of schedules: each says whether an instant, as its zone's wall shows it, counts.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Final

Filter = Callable[[datetime], bool]
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


def on_datetime(dt: datetime) -> Filter:
    """
    Only that instant.
    """
    return lambda instant: instant == dt


def between_datetimes(start: datetime, end: datetime) -> Filter:
    """
    Only from *start* to *end*, both inclusive.
    """
    return lambda instant: start <= instant <= end


def on_date(month: int, day: int) -> Filter:
    """
    Only that day of each year.
    """
    return lambda instant: (instant.month, instant.day) == (month, day)


def between_dates(start_month: int, start_day: int, end_month: int, end_day: int) -> Filter:
    """
    Only from one day of the year to another, both inclusive, over the year's end too; never when both lie in one month
    in the wrong order.
    """
    start, end = (start_month, start_day), (end_month, end_day)

    def fits(instant: datetime) -> bool:
        day = (instant.month, instant.day)
        if start_month <= end_month:
            return start <= day <= end

        return day >= start or day <= end

    return fits


def at_time(time: time) -> Filter:
    """
    Only that time of the day.
    """
    return lambda instant: instant.time() == time


def between_times(start: time, end: time) -> Filter:
    """
    Only from one time of the day to another, both inclusive, over midnight too.
    """

    def fits(instant: datetime) -> bool:
        now = instant.time()
        return start <= now <= end if start <= end else now >= start or now <= end

    return fits


def is_weekday(dt: datetime) -> bool:
    """
    Monday to Friday.
    """
    return dt.weekday() < _SATURDAY


def is_weekend(dt: datetime) -> bool:
    """
    Saturday and Sunday.
    """
    return dt.weekday() >= _SATURDAY


def is_month_end(dt: datetime) -> bool:
    """
    The last day of a month.
    """
    return (dt + _DAY).month != dt.month


def is_month_start(dt: datetime) -> bool:
    """
    The first day of a month.
    """
    return dt.day == 1


def is_day_of_week(day_of_week: int) -> Filter:
    """
    Only that day; 0 is Monday.
    """
    return lambda instant: instant.weekday() == day_of_week
