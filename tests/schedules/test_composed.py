"""
Rules around rules: windows, counts, splays, days and filters, over the clock changes of every zone.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.model.specs import CalendarSpec, ClauseSpec, DayMove, ScheduleSpec
from orchd.schedules import Rule, RuleError, rule_of, zones
from orchd.schedules.days import Moved
from orchd.schedules.fires import MAX_OWED, due_fires, walk
from orchd.schedules.rules import first_fire, rule_words, splay_s
from schedules.samples import MINUTE, PROPERTY, Counting, moments, spec, utc

VIENNA, NEW_YORK = "Europe/Vienna", "America/New_York"

WRITTEN = st.sampled_from(
    [
        {"kind": "cron", "rule": "30 1 * * *"},
        {"kind": "cron", "rule": "*/40 * * * *"},
        {"kind": "cron", "rule": "15 0,2,23 * * *", "seconds": (5, 40)},
        {"kind": "every", "rule": "1d", "anchor": "2020-01-01T02:30"},
        {"kind": "every", "rule": "50m"},
        {"kind": "rrule", "rule": "FREQ=DAILY;BYHOUR=0,2;BYMINUTE=30"},
        {"kind": "rrule", "rule": "FREQ=HOURLY;INTERVAL=3"},
        {"kind": "any", "parts": (spec(kind="cron", rule="0 2 * * *"), spec(rule="7h"))},
    ]
)
CLAUSES = st.sampled_from(
    [
        ("is_weekday", "[]"),
        ("is_weekend", "[]"),
        ("is_month_end", "[]"),
        ("at_time", '["02:30:00"]'),
        ("between_times", '["23:00:00","02:30:00"]'),
        ("between_times", '["01:15:00","01:45:00"]'),
        ("between_dates", "[10,15,3,31]"),
        ("is_day_of_week", "[6]"),
    ]
)


def _clause(name: str, arguments: str = "[]") -> ClauseSpec:
    return ClauseSpec(name=name, arguments=arguments)


def _calendar(day: date, spread: int, move: DayMove) -> CalendarSpec:
    first, last = day - timedelta(days=spread), day + timedelta(days=spread // 2)
    return CalendarSpec(name="freeze", days=((first.isoformat(), last.isoformat()),), move=move)


@st.composite
def composed(draw: st.DrawFn) -> tuple[ScheduleSpec, datetime]:
    """
    Draw a schedule with one or two things around its rule, and an instant near a clock change of its zone.
    """
    zone, near = draw(moments())
    fields = dict(draw(WRITTEN), timezone=zone)
    for what in draw(st.sets(st.sampled_from(["window", "days", "filters", "splay", "adjustment"]), max_size=3)):
        if what == "window":
            fields["starts_at"] = (near - draw(st.integers(0, 3000)) * MINUTE).isoformat()
            fields["ends_at"] = (near + draw(st.integers(3000, 9000)) * MINUTE).isoformat()
            fields["count"] = draw(st.sampled_from([None, 1, 7]))
        elif what == "days":
            day = near.date() + timedelta(days=draw(st.integers(-2, 2)))
            fields["calendars"] = (_calendar(day, draw(st.integers(0, 3)), draw(st.sampled_from(list(DayMove)))),)
        elif what == "filters":
            name, arguments = draw(CLAUSES)
            which = draw(st.sampled_from(["filters", "or_filters", "not_filters"]))
            fields[which] = (ClauseSpec(name=name, arguments=arguments),)
        elif what == "splay":
            fields["splay_s"] = draw(st.sampled_from([1.0, 599.0]))
        else:
            fields["adjustments"] = (draw(st.sampled_from([_clause("next_weekday"), _clause("add", "[-3600]")])),)
    return spec(**fields), near


def _walked(rule: Rule, after: datetime, until: datetime) -> list[datetime]:
    return list(walk(rule, after=after, until=until))


@PROPERTY
@given(composed())
def test_fire_times_only_go_forward(drawn: tuple[ScheduleSpec, datetime]) -> None:
    """
    Whatever stands around a rule, each fire time is strictly later than the instant that was asked about.
    """
    schedule, near = drawn
    fires = _walked(rule_of(schedule), near - 3000 * MINUTE, near + 3000 * MINUTE)

    assert sorted(set(fires)) == fires
    assert all(fire > near - 3000 * MINUTE for fire in fires)


@PROPERTY
@given(composed(), st.integers(-3000, 3000), st.integers(0, 60_000_000))
def test_cutting_a_window_loses_and_doubles_nothing(
    drawn: tuple[ScheduleSpec, datetime], minutes: int, microseconds: int
) -> None:
    """
    Asked from any instant between, a rule names what it names on a walk from earlier on.
    """
    schedule, near = drawn
    rule, begin, end = rule_of(schedule), near - 3000 * MINUTE, near + 3000 * MINUTE
    cut = near + minutes * MINUTE + timedelta(microseconds=microseconds)

    assert _walked(rule, begin, end) == _walked(rule, begin, cut) + _walked(rule, cut, end)


@PROPERTY
@given(composed(), st.integers(1, 9))
def test_the_newest_fires_of_a_window_are_those_of_a_walk(drawn: tuple[ScheduleSpec, datetime], limit: int) -> None:
    """
    What the planner lists, stepping back from now, are the newest fire times.
    """
    schedule, near = drawn
    rule, begin = rule_of(schedule), near - 6000 * MINUTE

    assert _walked(rule, begin, near)[-limit:] == list(due_fires(rule, after=begin, now=near, limit=limit).fires)


@PROPERTY
@given(composed())
def test_no_two_fires_are_nearer_than_a_rule_promises(drawn: tuple[ScheduleSpec, datetime]) -> None:
    """
    The planner takes a fire time for the only one that is due when less than the spacing has gone by.
    """
    schedule, near = drawn
    rule = rule_of(schedule)
    fires = _walked(rule, near - 3000 * MINUTE, near + 3000 * MINUTE)

    assert all(late - early >= rule.spacing for early, late in pairwise(fires))


@PROPERTY
@given(composed())
def test_days_of_a_calendar_have_no_fire_time(drawn: tuple[ScheduleSpec, datetime]) -> None:
    """
    Skipped or moved, none is left on them.
    """
    schedule, near = drawn
    rule, tz = rule_of(schedule), zones.zone(schedule.timezone)
    closed = [
        (date.fromisoformat(first), date.fromisoformat(last))
        for calendar in schedule.calendars
        for first, last in calendar.days
    ]
    shift = timedelta(seconds=schedule.splay_s)
    days = {
        zones.wall_of(fire - shift, tz).date() for fire in _walked(rule, near - 6000 * MINUTE, near + 6000 * MINUTE)
    }

    assert not [day for day in days for first, last in closed if first <= day <= last]


#: Wednesday to the Sunday after it.
CHRISTMAS = (("2026-12-24", "2026-12-27"),)


def _local(schedule: ScheduleSpec, after: str, count: int) -> list[str]:
    rule, instant, found = rule_of(schedule), utc(after), []
    while len(found) < count and (fire := rule.next_after(instant)) is not None:
        found.append(f"{zones.wall_of(fire, zones.zone(schedule.timezone)):%d %H:%M}")
        instant = fire

    return found


@pytest.mark.parametrize(
    ("move", "rule", "fires"),
    [
        ("skip", "0 9 * * *", ["22 09:00", "23 09:00", "28 09:00", "29 09:00"]),
        ("next_business_day", "0 9 * * *", ["22 09:00", "23 09:00", "28 09:00", "29 09:00"]),
        ("next_business_day", "0 9 25 12 *", ["28 09:00", "25 09:00"]),
        ("previous_business_day", "0 9 25 12 *", ["23 09:00", "25 09:00"]),
        ("previous_business_day", "30 7 * * 4-6", ["23 07:30", "31 07:30", "01 07:30"]),
    ],
)
def test_what_becomes_of_the_days_of_a_calendar(move: str, rule: str, fires: list[str]) -> None:
    """
    They are left out, or each of their wall times is one of the nearest day that is neither theirs nor a weekend.
    """
    calendar = CalendarSpec(name="christmas", days=CHRISTMAS, move=DayMove(move))
    schedule = spec(kind="cron", rule=rule, timezone=VIENNA, calendars=(calendar,))

    assert fires == _local(schedule, "2026-12-21 12:00", len(fires))


def test_a_freeze_of_years_is_not_walked() -> None:
    """
    Of a dense rule, what lies in a long range of a calendar costs a few questions for each of its days at most.
    """
    days = (("2020-01-01", "2025-12-31"),)
    for move in DayMove:
        schedule = spec(calendars=(CalendarSpec(name="freeze", days=days, move=move),))
        rule = rule_of(schedule)
        counting = Counting(rule.rule)
        changed = replace(rule, rule=counting)

        assert changed.next_after(utc("2019-12-31 23:59")) > utc("2019-12-31 23:59")
        assert counting.asked <= 3 * 2200


def test_a_rule_of_saturdays_is_moved_to_mondays() -> None:
    """
    The adjustment of classic schedules looks no further than the next weekday.
    """
    schedule = spec(kind="cron", rule="0 9 * * 6", adjustments=(_clause("next_weekday"),))
    rule = rule_of(schedule)

    assert isinstance(rule, Moved)
    assert _local(schedule, "2026-11-20", 3) == ["23 09:00", "30 09:00", "07 09:00"]


@pytest.mark.parametrize(
    ("fields", "fires"),
    [
        ({"starts_at": "2026-06-01T10:00+00:00", "count": 2}, ["10:00", "11:00"]),
        ({"starts_at": "2026-06-01T10:00:01+00:00", "count": 2}, ["11:00", "12:00"]),
        ({"ends_at": "2026-06-01T09:00+00:00"}, ["08:00"]),
        (
            {"starts_at": "2026-06-01T10:00+00:00", "ends_at": "2026-06-01T12:00+00:00", "splay_s": 90},
            ["10:01", "11:01"],
        ),
    ],
)
def test_a_window_has_its_first_instant_and_not_its_last(fields: dict[str, object], fires: list[str]) -> None:
    """
    Count counts from the beginning of the window, and a splay moves what is in it.
    """
    schedule = spec(rule="1h", **fields)

    assert [fire[-5:] for fire in _local(schedule, "2026-06-01 07:30", 9)] == fires


def test_dates_fire_once_each() -> None:
    """
    In order, and then never again.
    """
    schedule = spec(kind="dates", rule="", dates=("2026-06-01T10:00:00+00:00", "2026-06-01T10:00:07+00:00"))
    rule = rule_of(schedule)

    assert rule.spacing == timedelta(seconds=7)
    assert _walked(rule, utc("2026-06-01"), utc("2027-06-01")) == [utc("2026-06-01 10:00"), utc("2026-06-01 10:00:07")]
    assert rule_words(schedule) == "2 dates"


def test_a_splay_is_the_same_on_every_host_for_ever() -> None:
    """
    It comes from the schedule's name alone, and from no seed of this process.
    """
    assert [splay_s(name, timedelta(minutes=10)) for name in ("nightly", "load", "report")] == [526.0, 15.0, 364.0]
    assert {splay_s(str(number), timedelta(seconds=3)) for number in range(50)} == {0.0, 1.0, 2.0}


def test_clocks_with_a_common_fire_time_fire_once_then() -> None:
    """
    Two hours and three hours meet every six.
    """
    schedule = spec(kind="any", rule="", parts=(spec(rule="2h"), spec(rule="3h")))

    assert _local(schedule, "2026-06-01", 5) == ["01 02:00", "01 03:00", "01 04:00", "01 06:00", "01 08:00"]
    assert rule_words(schedule) == "every 2h; every 3h"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"filters": (_clause("on_date", "[2,29]"),)}, "2028-02-29 00:00"),
        ({"filters": (_clause("on_datetime", '["2031-01-01T00:00:07+00:00"]'),)}, "2031-01-01 00:00:07"),
        ({"not_filters": (_clause("between_dates", "[1,1,12,30]"),)}, "2026-12-31"),
        ({"filters": (_clause("is_month_start"), _clause("is_day_of_week", "[0]"))}, "2026-06-01"),
        ({"or_filters": (_clause("is_weekend"), _clause("at_time", '["12:00:00"]'))}, "2026-01-01 12:00"),
        ({"filters": (_clause("is_weekend"), _clause("is_weekday"))}, None),
        (
            {"filters": (_clause("between_datetimes", '["2020-01-01T00:00+00:00","2021-01-01T00:00+00:00"]'),)},
            None,
        ),
    ],
)  # fmt: skip
def test_what_a_filter_shuts_out_is_not_walked(fields: dict[str, object], found: str | None) -> None:
    """
    A rule of seconds and a filter of years: a few questions, not millions.
    """
    rule = rule_of(spec(rule="1s", **fields))
    counting = Counting(rule.rule)
    changed = replace(rule, rule=counting)

    assert (None if found is None else utc(found)) == changed.next_after(utc("2026-01-01"))
    assert counting.asked < 20


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"filters": (_clause("is_holiday"),)}, "there is no filter is_holiday"),
        ({"filters": (_clause("on_date", "[1]"),)}, r"there is no filter on_date\[1\]"),
        ({"adjustments": (_clause("round"),)}, "there is no adjustment round"),
    ],
)
def test_what_is_no_clause_is_refused(fields: dict[str, object], says: str) -> None:
    """
    A description of another orchd may hold what this one does not know.
    """
    with pytest.raises(RuleError, match=says):
        rule_of(spec(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"starts_at": "2026-06-01T10:00+00:00", "ends_at": "2026-06-01T10:00+00:00"},
        {"kind": "dates", "dates": ()},
        {
            "kind": "dates",
            "dates": ("1999-12-24T10:00+00:00",),
            "calendars": (CalendarSpec(name="c", days=(("1999-12-24", "1999-12-24"),)),),
        },
    ],
)
def test_what_never_fires_is_known_to(fields: dict[str, object]) -> None:
    """
    A window without an inside, and dates that a calendar takes away.
    """
    assert first_fire(spec(**fields)) is None
    assert first_fire(spec(kind="dates", dates=("1969-01-01T00:00+00:00",))) == datetime(1969, 1, 1, tzinfo=UTC)


def test_a_herd_of_10000_is_listed_within_its_limit() -> None:
    """
    However dense, a filtered and moved rule lists at most what one tick judges.
    """
    calendar = CalendarSpec(name="c", days=(("2026-05-01", "2026-05-20"),), move=DayMove.NEXT_BUSINESS_DAY)
    schedule = spec(timezone=NEW_YORK, filters=(_clause("is_weekday"),), calendars=(calendar,))
    owed = due_fires(rule_of(schedule), after=utc("2026-01-01"), now=utc("2026-06-01"), limit=10_000)

    assert len(owed.fires) == MAX_OWED
