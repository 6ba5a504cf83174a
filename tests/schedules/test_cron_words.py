"""
Cron rules in words, and the promise of all words: those that are the same mean the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchd.model.specs import ScheduleSpec
from orchd.schedules import RuleError, grammar, rule_of
from orchd.schedules.fires import walk
from orchd.schedules.words import in_words
from schedules.samples import PROPERTY, spec, utc

VIENNA = "Europe/Vienna"

CRON = {
    "0 2 * * *": "at 02:00 every day",
    "@daily": "at 00:00 every day",
    "@weekly": "at 00:00 on Sundays",
    "@monthly": "at 00:00 on the 1st of every month",
    "@yearly": "at 00:00 on the 1st of January",
    "30 6 * * 1-5": "at 06:30 from Monday to Friday",
    "0 9 * * 7,6": "at 09:00 on Saturdays and Sundays",
    "0 9 * * 0-6": "at 09:00 every day",
    "0 0,12 * * *": "at 00:00 and 12:00 every day",
    "0,30 8,20 * * *": "at 08:00, 08:30, 20:00 and 20:30 every day",
    "0 22-23,0-3 * * *": "at 00:00, 01:00, 02:00, 03:00, 22:00 and 23:00 every day",
    "0 8-17 * * 1-5": "every hour from 08:00 to 17:00, from Monday to Friday",
    "5 0-23 * * *": "every hour from 00:05 to 23:05, every day",
    "0,30 8-17 * * *": "at minutes 0 and 30 of hours 8 to 17, every day",
    "* * * * *": "every minute",
    "*/15 * * * *": "every 15 minutes",
    "0,15,30,45 * * * *": "every 15 minutes",
    "0-59/15 0-23 * * *": "at minutes 0, 15, 30 and 45 of hours 0 to 23, every day",
    "*/15 8-17 * * mon-fri": "every 15 minutes from 08:00 to 17:45, from Monday to Friday",
    "*/15 * * * 1": "every 15 minutes on Mondays",
    "*/5 8,12 * * *": "every 5 minutes of hours 8 and 12, every day",
    "* 2 * * *": "every minute from 02:00 to 02:59, every day",
    "*/7 2 * * *": "every 7 minutes from 02:00 to 02:56, every day",
    "*/7 * * * *": "every hour at every 7th minute from 0 to 56",
    "*/7 8-10 * * *": "whenever the clock shows every 7th minute from 0 to 56 of hours 8 to 10, every day",
    "@hourly": "every hour, on the hour",
    "5 * * * *": "every hour at minute 5",
    "5,35 * * * *": "every hour at minutes 5 and 35",
    "0 */2 * * *": "every 2 hours from 00:00 to 22:00, every day",
    "30 */5 * * *": "every 5 hours from 00:30 to 20:30, every day",
    "0 0 1,15 * 1": "at 00:00 on the 1st and the 15th of every month, and also on Mondays",
    "0 0 1-7 * 1": "at 00:00 on the 1st to the 7th of every month, and also on Mondays",
    "0 0 */2 * 1": "at 00:00 on every 2nd day from the 1st to the 31st of every month if that is a Monday",
    "0 0 1-31 * 1": "at 00:00 every day",
    "0 0 * * *,1": "at 00:00 every day",
    "0 0 31 * *": "at 00:00 on the 31st of every month that has it",
    "0 0 29 2 *": "at 00:00 on the 29th of February",
    "0 0 L * *": "at 00:00 on the last day of every month",
    "0 0 1,L * *": "at 00:00 on the 1st and the last day of every month",
    "0 0 LW 1 *": "at 00:00 on the last weekday of January",
    "0 0 15W * *": "at 00:00 on the weekday nearest to the 15th of every month",
    "0 0 31W 2 *": "at 00:00 on the weekday nearest to the 31st (or the last day) of February",
    "0 0 * * 5L": "at 00:00 on the last Friday of every month",
    "0 0 * 6 5#3": "at 00:00 on the 3rd Friday of June",
    "0 0 * * 1,5L": "at 00:00 on Mondays and on the last Friday of every month",
    "0 0 *,L * 5#3,0": "at 00:00 on Sundays and on the 3rd Friday of every month",
    "0 12 * 1-3 *": "at 12:00 every day in each month from January to March",
    "0 12 1 */3 *": "at 12:00 on the 1st of January, April, July and October",
    "0 12 1 6 1": "at 12:00 on the 1st of June, and also on Mondays in June",
}

#: Just before both clock changes of a year, in Vienna.
CHANGES = [utc("2026-03-29"), utc("2026-10-25")]


def _fires(of: ScheduleSpec) -> Iterator[datetime | None]:
    """
    Give what *of* fires around clock changes, and now and then over some years.
    """
    rule = rule_of(of)
    for begin in CHANGES:
        yield from walk(rule, after=begin, until=begin + timedelta(hours=3))
    for number in range(12):
        instant: datetime | None = utc("2026-01-04") + timedelta(days=131 * number)
        for _ in range(2):
            instant = instant and rule.next_after(instant)
            yield instant


def sharing(specs: Iterable[ScheduleSpec]) -> int:
    """
    Return how many of *specs* share their words with another; all of these have the same fire times.

    Those that are refused do not count.
    """
    by_words: dict[str, list[ScheduleSpec]] = defaultdict(list)
    for each in specs:
        with suppress(RuleError):
            rule_of(each)
            by_words[in_words(each)].append(each)

    shared = [alike for alike in by_words.values() if len(alike) > 1]
    for alike in shared:
        first, *others = (list(_fires(each)) for each in alike)
        assert all(each == first for each in others), [each.rule for each in alike]

    return sum(map(len, shared))


@pytest.mark.parametrize(("expr", "words"), CRON.items())
def test_the_words_of_a_cron_rule_say_what_its_fields_mean(expr: str, words: str) -> None:
    """
    Times first, then days; only rules that follow the clock are told with 'every' minute.
    """
    assert in_words(spec(kind="cron", rule=expr)) == words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"day_or": False}, "at 00:00 on the 13th of every month if that is a Friday"),
        ({"seconds": (30,)}, "at 00:00, at second 30 of the minute, on the 13th of every month, and also on Fridays"),
    ],
)
def test_what_only_clocks_in_code_say_is_in_the_words(fields: dict[str, object], words: str) -> None:
    """
    Days that must both fit, and the seconds of the minute, have words.
    """
    assert in_words(spec(kind="cron", rule="0 0 13 * 5", **fields)) == words


def test_cron_rules_with_the_same_times_in_words_fire_at_the_same_times() -> None:
    """
    Over clock changes too: what follows the clock is never told like what fires once for each wall time.
    """
    minutes = ["*", "*/15", "0-59/15", "0,15,30,45", "*/20,0", "0", "5", "0,30", "*/30", "*/7", "0-56/7"]
    hours = ["*", "0-23", "*/1", "2", "*/12", "0,12", "1-4", "*/2", "0-22/2", "1,2,3,4", "*/23,1-4"]
    specs = [
        spec(kind="cron", rule=f"{minute} {hour} * * *", timezone=VIENNA) for minute, hour in product(minutes, hours)
    ]

    assert sharing(specs) > 50


def test_cron_rules_with_the_same_days_in_words_fire_at_the_same_times() -> None:
    """
    Days of the month and of the week, either or both, are told apart.
    """
    days = ["*", "1-31", "*/2", "1-31/2", "13", "1,15", "L", "31", "LW", "31W", "*,L"]
    weekdays = ["*", "0-6", "*/2", "0,2,4,6", "1", "mon-fri", "5L", "5#5", "5#5,5"]
    rules = product(days, ["*", "2,3"], weekdays, (True, False))
    specs = [
        spec(kind="cron", rule=f"0 12 {day} {month} {weekday}", day_or=day_or) for day, month, weekday, day_or in rules
    ]

    assert sharing(specs) > 100


def _items(low: int, high: int, *more: str) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).filter(lambda each: each[0] < each[1])
    return st.one_of(
        st.just("*"),
        number.map(str),
        st.integers(1, high - low).map(lambda step: f"*/{step}"),
        pair.map(lambda each: f"{each[0]}-{each[1]}"),
        pair.flatmap(lambda each: st.integers(1, each[1] - each[0]).map(lambda step: f"{each[0]}-{each[1]}/{step}")),
        *map(st.just, more),
    )


def _field(low: int, high: int, *more: str) -> st.SearchStrategy[str]:
    return st.lists(_items(low, high, *more), min_size=1, max_size=3).map(",".join)


EXPRS = st.tuples(
    _field(0, 59),
    _field(0, 23),
    _field(1, 31, "L", "LW", "1W", "15W", "30W", "31W"),
    _field(1, 12, "jan", "DEC"),
    _field(0, 6, "7", "sun", "5L", "0L", "7#1", "5#3", "5#5"),
)


@settings(PROPERTY, max_examples=10)
@given(EXPRS, st.lists(st.booleans(), min_size=5, max_size=5), st.booleans())
def test_a_cron_rule_written_otherwise_has_its_words_only_if_it_fires_alike(
    fields: tuple[str, ...], spelled: list[bool], day_or: bool
) -> None:
    """
    Of any rule that the grammar allows and the same with some fields spelled out as numbers: equal words, equal times.
    """
    other = " ".join(_spelled(fields)[at] if out else fields[at] for at, out in enumerate(spelled))
    specs = [spec(kind="cron", rule=rule, timezone=VIENNA, day_or=day_or) for rule in (" ".join(fields), other)]

    assert sharing(specs) in (0, 2)


def _spelled(fields: tuple[str, ...]) -> list[str]:
    text = grammar.parse(" ".join(fields))
    return [
        ",".join([*map(str, reversed(field.values)), *field.specials])
        for field in (text.minute, text.hour, text.day, text.month, text.weekday)
    ]
