"""
Which days a cron text means, against a plain look at each day, and against cronsim.
"""

from calendar import monthrange
from contextlib import nullcontext
from datetime import date, timedelta
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given
from hypothesis import strategies as st

from orchd.schedules import Cron, RuleError
from orchd.schedules.fires import walk
from schedules.samples import PROPERTY, first, utc


def _last(day: date) -> int:
    return monthrange(day.year, day.month)[1]


@cache
def _nearest_weekday(year: int, month: int, wanted: int) -> int:
    days = range(1, monthrange(year, month)[1] + 1)
    weekdays = [day for day in days if date(year, month, day).weekday() < 5]
    return min(weekdays, key=lambda day: abs(day - min(wanted, days[-1])))


def _day_fits(item: str, day: date) -> bool:
    if item == "L":
        return day.day == _last(day)

    if item.endswith("W"):
        return day.day == _nearest_weekday(day.year, day.month, 31 if item == "LW" else int(item[:-1]))

    return item == "*" or (day.day % 2 == 1 if item == "*/2" else day.day == int(item))


def _weekday_fits(item: str, day: date) -> bool:
    number = day.isoweekday() % 7
    if item.endswith("L"):
        return number == int(item[0]) and day.day > _last(day) - 7

    if "#" in item:
        return number == int(item[0]) and (day.day - 1) // 7 + 1 == int(item[2])

    return item == "*" or (number % 2 == 0 if item == "*/2" else number == int(item))


DAYS = st.one_of(
    st.sampled_from(["*", "*/2", "L", "LW"]), st.integers(1, 31).map(str), st.integers(1, 31).map("{}W".format)
)
WEEKDAYS = st.one_of(
    st.sampled_from(["*", "*/2"]),
    st.integers(0, 6).map(str),
    st.integers(0, 6).map("{}L".format),
    st.tuples(st.integers(0, 6), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}"),
)


@PROPERTY
@given(st.lists(DAYS, min_size=1, max_size=3), st.lists(WEEKDAYS, min_size=1, max_size=3), st.integers(1990, 2080))
def test_days_are_those_that_a_plain_look_at_each_day_finds(days, weekdays, year):
    """
    L, LW, 15W, 5L, 5#3, lists of them, and Debian's OR and AND, over a whole year.
    """
    expr = f"0 0 {','.join(days)} * {','.join(weekdays)}"
    begin = utc(f"{year - 1}-12-31 12:00")
    expected = []
    for number in range(1, 366):
        day = (begin + timedelta(days=number)).date()
        fits = any(_day_fits(item, day) for item in days), any(_weekday_fits(item, day) for item in weekdays)
        is_and = days[0].startswith("*") or weekdays[0].startswith("*")
        if all(fits) if is_and else any(fits):
            expected.append(day)

    fires = walk(Cron(expr, "UTC"), after=begin, until=begin + timedelta(days=365))

    assert expected == [fire.date() for fire in fires]


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, high - low).map("*/{}".format)
    return st.one_of(
        st.just("*"),
        number.map(str),
        step,
        st.lists(st.one_of(number.map(str), span), min_size=1, max_size=3).map(",".join),
    )


CRONS = st.tuples(
    _field(0, 59),
    _field(0, 23),
    st.one_of(_field(1, 31), st.sampled_from(["L", "LW"])),
    _field(1, 12),
    st.one_of(_field(0, 6), st.sampled_from(["5L", "1#1", "mon-fri", "sat,sun", "3#5"])),
).map(" ".join)


@PROPERTY
@given(CRONS, st.integers(0, 40 * 366 * 24 * 60))
def test_cronsim_agrees_where_no_clock_ever_changes(expr, minutes):
    """
    In UTC cronsim, written by other people, names the same fire times, and refuses the same rules.
    """
    after = utc("2000-01-01") + timedelta(minutes=minutes)
    try:
        expected = list(islice(CronSim(expr, after), 5))
    except CronSimError:
        expected = []

    with nullcontext() if expected else pytest.raises(RuleError, match="never fires"):
        assert expected == list(first(Cron(expr, "UTC"), after, 5))


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/New_York", "Africa/Cairo", "America/Havana"])
@pytest.mark.parametrize(
    "expr", ["30 1 * * *", "0 0 * * *", "30 2 * * *", "*/20 0-4 * * *", "0 0 LW * *", "15 1,2 * * 5L"]
)
def test_cronsim_agrees_where_clocks_change_by_whole_hours(expr, zone):
    """
    Over two years of a zone with changes of an hour cronsim names the same fire times.
    """
    rule, after = Cron(expr, zone), utc("2024-01-01 12:00")
    theirs = CronSim(expr, after.astimezone(ZoneInfo(zone)))
    until = after + timedelta(days=731 if "LW" in expr or "5L" in expr else 366)

    ours = list(walk(rule, after=after, until=until))

    assert [next(theirs).astimezone(after.tzinfo) for _ in ours] == ours


def test_equal_texts_are_equal_rules():
    """
    Rules are values: equal ones are one key of a cache.
    """
    assert 1 == len({Cron("0 2 * * *", "UTC"), Cron("0 2 * * *", "UTC")})


def test_a_leap_day_on_a_sunday_is_found_decades_away():
    """
    A rule that fires once in 28 years is not taken for one that never fires.
    """
    rule = Cron("0 0 29 2 */6", "UTC")

    assert [utc("2048-02-29"), utc("2060-02-29")] == list(first(rule, utc("2032-03-01"), 2))


def test_the_nearest_weekday_of_a_day_that_a_month_lacks_is_that_of_its_last_day():
    """
    31W fires in every month: in April 2026 on Thursday 30th, in May, which ends on a Sunday, on Friday 29th.
    """
    fires = first(Cron("0 0 31W * *", "UTC"), utc("2026-03-31"), 2)

    assert [utc("2026-04-30"), utc("2026-05-29")] == list(fires)


def test_the_end_of_the_calendar_is_no_error():
    """
    A rule asked near the year 9999 says that nothing comes.
    """
    assert Cron("0 0 29 2 *", "UTC").next_after(utc("9999-06-01")) is None
