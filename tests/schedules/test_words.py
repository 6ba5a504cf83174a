"""
The rule of a schedule in words; those of cron rules have a file of their own.
"""

from itertools import product

import pytest
from hypothesis import given

from orchd.model.specs import CalendarSpec, ClauseSpec, DayMove, ScheduleSpec
from orchd.schedules import rule_of
from orchd.schedules.words import in_words
from schedules.samples import PROPERTY, spec
from schedules.test_composed import composed
from schedules.test_cron_words import sharing
from schedules.test_rrule import TEXTS

VIENNA = "Europe/Vienna"

RRULES = {
    "FREQ=DAILY": "at 00:00 every day",
    "FREQ=DAILY;INTERVAL=2": "at 00:00 every 2nd day, counted from 1970-01-05",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=6;BYMINUTE=30": "at 06:30 from Monday to Friday",
    "FREQ=DAILY;BYHOUR=8,18;BYSECOND=15": "at 08:00:15 and 18:00:15 every day",
    "FREQ=WEEKLY": "at 00:00 on Mondays",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU": "at 00:00 on Tuesdays of every 2nd week, counted from 1970-01-05",
    "FREQ=WEEKLY;UNTIL=20261231": "at 00:00 on Mondays, not after 2026-12-31",
    "FREQ=WEEKLY;UNTIL=20261231T000000": "at 00:00 on Mondays, not after 2026-12-31 00:00:00",
    "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17": "at 17:00 on the last Friday of every month",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13": "at 00:00 on the 13th of every month if that is a Friday",
    "FREQ=MONTHLY;BYMONTHDAY=15,-1": "at 00:00 on the 15th and the last day of every month",
    "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1": "at 00:00 on the 1st of every 3rd month, counted from 1970-01-05",
    "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU": "at 00:00 on the 2nd Sunday of March",
    "FREQ=YEARLY;INTERVAL=4": "at 00:00 on the 5th of January of every 4th year, counted from 1970-01-05",
    "DTSTART:20260101T090000\nRRULE:FREQ=WEEKLY;COUNT=10": (
        "at 09:00 on Thursdays, starting 2026-01-01 09:00, 10 times in all"
    ),
    "FREQ=HOURLY;INTERVAL=3": "by the rrule FREQ=HOURLY;INTERVAL=3",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1": "by the rrule FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1",
    "FREQ=YEARLY;BYDAY=-1FR": "by the rrule FREQ=YEARLY;BYDAY=-1FR",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU": "by the rrule FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU",
    "DTSTART:20260101T090000Z RRULE:FREQ=DAILY": "by the rrule DTSTART:20260101T090000Z RRULE:FREQ=DAILY",
}
EVERY = {
    ("90s", None): "every 90 seconds",
    ("PT1.5S", None): "every 1.5 seconds",
    ("15m", None): "every 15 minutes of elapsed time",
    ("1h30m", None): "every 90 minutes of elapsed time",
    ("24h", None): "every 24 hours of elapsed time",
    ("1h", "2026-01-01T06:30"): "every hour of elapsed time, counted from 2026-01-01 06:30",
    ("1h", "2026-01-01T06:30Z"): "every hour of elapsed time, counted from 2026-01-01 06:30:00+00:00",
    ("1d", None): "at 00:00 every day",
    ("P1D", "2026-01-01T06:30:10"): "at 06:30:10 every day",
    ("1d", "2026-01-01T06:30Z"): "at 07:30 every day",
    ("3d", None): "at 00:00 every 3rd day, counted from 1970-01-05",
    ("1w", None): "at 00:00 on Mondays",
    ("7d", "2026-01-01T06:30"): "at 06:30 on Thursdays",
    ("2w", "2026-01-01T06:30"): "at 06:30 on Thursdays of every 2nd week, counted from 2026-01-01",
}


def _clauses(*names: str) -> tuple[ClauseSpec, ...]:
    return tuple(ClauseSpec(name=name) for name in names)


def _calendars(move: DayMove) -> tuple[CalendarSpec, ...]:
    return tuple(CalendarSpec(name=name, days=(), move=move) for name in ("freeze", "a b"))


DATES = tuple(f"2026-{month:02}-24T17:00:00+00:00" for month in range(8, 13))
PARTS = (spec(kind="cron", rule="0 2 * * *", timezone=VIENNA), spec(rule="7h", timezone="UTC"))
CLAUSES = [
    ("is_weekday", "[]", "from Monday to Friday"),
    ("is_weekend", "[]", "on Saturdays and Sundays"),
    ("is_month_end", "[]", "on the last day of a month"),
    ("is_month_start", "[]", "on the 1st of a month"),
    ("is_day_of_week", "[6]", "on Sundays"),
    ("is_day_of_week", "[7]", "is_day_of_week[7]"),
    ("on_date", "[12,24]", "on December 24"),
    ("on_date", "[13,1]", "on month 13, day 1"),
    ("between_dates", "[10,15,3,31]", "from October 15 to March 31"),
    ("at_time", '["02:30:00"]', "at 02:30"),
    ("at_time", '["02:00:30"]', "at 02:00:30"),
    ("between_times", '["23:00:00","02:30:00"]', "between 23:00 and 02:30"),
    ("on_datetime", '["2026-01-01T00:00:00+00:00"]', "at 2026-01-01T00:00:00+00:00"),
]
#: What may stand around a rule, each with its words; of two lines with the same keys only one can.
AROUND = [
    ({"starts_at": "2025-12-31T23:00:00+00:00"}, "from 2026-01-01 on"),
    ({"starts_at": "2026-01-01T08:30:00+00:00", "count": 10}, "from 2026-01-01 09:30 on, 10 times"),
    ({"starts_at": "2026-10-25T00:30:00+00:00"}, "from 2026-10-25 02:30:00+02:00 on"),
    ({"ends_at": "2026-12-31T23:00:00+00:00"}, "until the end of 2026-12-31"),
    ({"ends_at": "2026-12-31T22:00:00+00:00"}, "before 2026-12-31 23:00"),
    ({"filters": _clauses("is_weekday", "is_month_end")}, "only from Monday to Friday and on the last day of a month"),
    (
        {"or_filters": _clauses("is_weekday", "is_month_end")},
        "only from Monday to Friday or on the last day of a month",
    ),
    (
        {"not_filters": _clauses("is_weekday", "is_month_end")},
        "never from Monday to Friday or on the last day of a month",
    ),
    ({"adjustments": _clauses("next_weekday")}, "moved from Saturdays and Sundays to the Monday after"),
    ({"adjustments": (ClauseSpec(name="add", arguments="[-3600]"),)}, "moved back by 1 hour"),
    ({"adjustments": (ClauseSpec(name="add", arguments="[90.5]"),)}, "moved on by 90.5 seconds"),
    ({"calendars": _calendars(DayMove.SKIP)}, "not on days of calendars freeze and 'a b'"),
    (
        {"calendars": _calendars(DayMove.NEXT_BUSINESS_DAY)},
        "moved to the next business day from days of calendars freeze and 'a b'",
    ),
    (
        {"calendars": _calendars(DayMove.PREVIOUS_BUSINESS_DAY)},
        "moved to the previous business day from days of calendars freeze and 'a b'",
    ),
    ({"splay_s": 37.0}, "moved on by a splay of 37 seconds"),
]


def test_the_words_of_an_rrule_say_what_its_parts_mean() -> None:
    """
    The common recurrence rules have the words of other rules, and what is beyond them is told as written.
    """
    assert {text: in_words(spec(kind="rrule", rule=text)) for text in RRULES} == RRULES


def test_the_words_of_an_interval_say_whether_it_keeps_the_clock() -> None:
    """
    Whole days and weeks have a time of the day, all other intervals an anchor at most.
    """
    assert {
        (text, anchor): in_words(spec(rule=text, anchor=anchor, timezone=VIENNA)) for text, anchor in EVERY
    } == EVERY


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "dates", "dates": DATES[-1:]}, "once, on 2026-12-24 at 18:00"),
        ({"kind": "dates", "dates": DATES[:2]}, "on 2 dates: 2026-08-24 at 19:00 and 2026-09-24 at 19:00"),
        ({"kind": "dates", "dates": DATES}, "on 5 dates, the first 2026-08-24 at 19:00, the last 2026-12-24 at 18:00"),
        ({"kind": "dates", "dates": ("2026-10-25T00:30:00+00:00",)}, "once, on 2026-10-25 02:30:00+02:00"),
        ({"kind": "dates", "dates": DATES, "known_until": DATES[-1]}, "when the flow's own code says"),
        ({"kind": "after", "after": ("load",)}, "when load has succeeded"),
        ({"kind": "after", "after": ("load", "my train"), "when": "failure"}, "when load and 'my train' have failed"),
        ({"kind": "after", "after": ("a", "b", "c"), "when": "finished"}, "when a, b and c have finished"),
        ({"kind": "any", "parts": PARTS}, "at 02:00 every day; and every 7 hours of elapsed time in UTC"),
        (
            {"kind": "any", "parts": PARTS, "splay_s": 60.0, "count": 2, "starts_at": "2025-12-31T23:00:00+00:00"},
            "at 02:00 every day; and every 7 hours of elapsed time in UTC;"
            " all of these from 2026-01-01 on, 2 times, moved on by a splay of 1 minute",
        ),
    ],
)
def test_dates_flows_and_several_clocks_have_words(fields: dict[str, object], words: str) -> None:
    """
    Rules that are no clock of their own are told by their dates, their flows or their clocks.
    """
    assert in_words(spec(timezone=VIENNA, rule="", **fields)) == words


@pytest.mark.parametrize(("fields", "words"), AROUND)
def test_what_is_around_a_rule_follows_it(fields: dict[str, object], words: str) -> None:
    """
    Window, filters, adjustments, calendars, count and splay come after the words of the rule.
    """
    assert in_words(spec(rule="1d", timezone=VIENNA, **fields)) == f"at 00:00 every day, {words}"


@pytest.mark.parametrize(("name", "arguments", "words"), CLAUSES)
def test_each_filter_has_words(name: str, arguments: str, words: str) -> None:
    """
    A filter is told in words, and as written where its numbers mean no day.
    """
    filtered = spec(rule="1d", filters=(ClauseSpec(name=name, arguments=arguments),))

    assert in_words(filtered) == f"at 00:00 every day, only {words}"
    assert rule_of(filtered)


def test_whatever_differs_around_a_rule_differs_in_words() -> None:
    """
    No two things that may stand around a rule, alone or in pairs, have the same words.
    """
    pairs = [one | other for (one, _), (other, _) in product(AROUND, AROUND)]
    specs = {spec(rule="1d", timezone=VIENNA, **fields) for fields in pairs}

    assert len({in_words(each) for each in specs}) == len(specs)


@PROPERTY
@given(composed())
def test_whatever_can_be_meant_has_words(drawn: tuple[ScheduleSpec, object]) -> None:
    """
    A spec from which a rule is made has words, whatever stands around it.
    """
    assert in_words(drawn[0])


def test_a_rule_that_can_be_meant_no_longer_is_told_as_written() -> None:
    """
    Words are no check: a stored rule that this version refuses is shown all the same.
    """
    assert in_words(spec(kind="cron", rule="R * * * *")) == "cron R * * * *"


def test_rules_of_different_kinds_with_the_same_words_fire_at_the_same_times() -> None:
    """
    Recurrence rules and intervals share the words of cron rules only where they share all fire times.
    """
    days = ["", ";BYDAY=MO", ";BYDAY=TU,FR", ";BYDAY=MO,TU,WE,TH,FR,SA,SU", ";BYDAY=2FR", ";BYDAY=MO,-1MO"]
    of_month = ["", ";BYMONTHDAY=1", ";BYMONTHDAY=31,-1", ";BYMONTHDAY=-2"]
    keys = product(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"], ["", ";INTERVAL=2"], days, of_month, ["", ";BYMONTH=1,6"])
    texts = [*TEXTS, *("FREQ=" + "".join(each) for each in keys)]
    rules = [{"kind": "rrule", "rule": text, "anchor": anchor} for text in texts for anchor in (None, "1970-02-03")]
    rules += [{"rule": f"{n}d", "anchor": at} for n in (1, 2, 7, 14) for at in (None, "1970-02-03")]
    fields = product(["1", "31", "L", "1,L", "*"], ["*", "1,6", "2"], ["*", "1", "2,5", "5#2", "5L", "1,1L"])
    rules += [{"kind": "cron", "rule": f"0 0 {' '.join(each)}", "day_or": False} for each in fields]

    assert sharing(spec(timezone=VIENNA, **fields) for fields in rules) > 50
