"""
Clock changes: properties over every zone of the tz database, and the cases with names.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchd.schedules import Cron, Every, forget
from orchd.schedules.fires import walk
from orchd.schedules.zones import CALENDAR_CORRECTION, zone
from schedules.samples import MINUTE, PROPERTY, ZONES, first, moments, utc

RULES = st.sampled_from(
    [
        "* * * * *", "*/7 * * * *", "0 * * * *", "30 */2 * * *", "*/20 0-4 * * *", "15 * * * 6,0",
        "0 0 * * *", "30 1 * * *", "0,30 0-4 * * *", "45 23,0,1,2 * * *", "59 23 * * *", "*/10 2 * * *", "0 3 L * *",
    ]
)  # fmt: skip


NIGHT = st.sampled_from([22, 23, 0, 1, 2, 3])


def _rule(text: str, name: str) -> Cron | Every:
    return Cron(text, name) if " " in text else Every(text, name, "2020-01-01T02:30")


ANY_RULE = st.one_of(RULES, st.sampled_from(["1d", "1w", "90m", "7m"]))


def _minutes_that_fire(rule: Cron, *, after: datetime, until: datetime) -> list[datetime]:
    """
    Do as Debian cron's loop does, one real minute after another, with the latest wall time as its only memory.
    """
    tz = ZoneInfo(rule.timezone)
    begin = after - timedelta(hours=5)
    minutes = [begin + number * MINUTE for number in range((until - begin) // MINUTE + 1)]
    walls = [minute.astimezone(tz).replace(tzinfo=None, fold=0) for minute in minutes]
    wanted, wall = set(), walls[0]
    while (wall := rule.wall_after(wall)) <= max(walls):
        wanted.add(wall)

    fired, latest = [], walls[0]
    for minute, wall in zip(minutes, walls, strict=True):
        lost = wall - latest - MINUTE
        came = [wall] if lost >= CALENDAR_CORRECTION else [wall - n * MINUTE for n in range((wall - latest) // MINUTE)]
        if minute > after and not wanted.isdisjoint([wall] if rule.follows_clock else came):
            fired.append(minute)

        latest = max(latest, wall)

    return fired


@PROPERTY
@given(moments(), RULES)
def test_fires_are_those_of_a_loop_over_real_minutes(moment, text):
    """
    Next to any clock change of any zone, the fires are those of a simple loop with a memory.
    """
    name, after = moment
    until = after + timedelta(hours=5)
    rule = Cron(text, name)

    assert _minutes_that_fire(rule, after=after, until=until) == list(walk(rule, after=after, until=until))


@PROPERTY
@given(moments(), ANY_RULE)
def test_fire_times_only_go_forward(moment, text):
    """
    Each fire time is strictly later than the instant that was asked about, to the microsecond.
    """
    name, after = moment
    fires = list(first(_rule(text, name), after - timedelta(microseconds=1), 12))

    assert sorted(set(fires)) == fires
    assert fires[0] >= after


@PROPERTY
@given(moments(), ANY_RULE, st.integers(0, 600), st.integers(0, 59))
def test_a_rule_has_no_memory(moment, text, minutes, seconds):
    """
    Asked from any instant between, a rule names the fire time that it names on a walk from earlier on.
    """
    name, after = moment
    rule, between = _rule(text, name), after + timedelta(minutes=minutes, seconds=seconds)
    coming = next(fire for fire in first(rule, after, 700) if fire > between)

    assert coming == rule.next_after(between)


@PROPERTY
@given(
    st.sampled_from(ZONES),
    st.integers(1973, 2050),
    st.integers(1, 336),
    st.sampled_from([22, 23, 0, 1, 2, 3]),
    st.integers(0, 59),
)
def test_a_daily_job_has_one_run_from_noon_to_noon(name, year, day, hour, minute):
    """
    Whatever the clocks do, a night's fixed time fires exactly once, except over a correction of the calendar.
    """
    tz = ZoneInfo(name)
    noons = [datetime(year, 1, 1, 12, tzinfo=tz) + timedelta(days=day + number) for number in range(31)]
    shifts = [abs(noons[i + 1].utcoffset() - noons[i].utcoffset()) for i in range(30)]
    assume(max(shifts) < CALENDAR_CORRECTION)

    for rule in (Cron(f"{minute} {hour} * * *", name), Every("1d", name, f"2000-01-01T{hour:02}:{minute:02}")):
        for begin, end in pairwise(noons):
            after, until = begin.astimezone(UTC), end.astimezone(UTC)
            assert 1 == len(list(walk(rule, after=after, until=until))), (rule, begin)


@PROPERTY
@given(moments())
def test_each_minute_means_each_real_minute(moment):
    """
    A wildcard rule follows elapsed time through any clock change.
    """
    name, after = moment

    assert [after + number * MINUTE for number in range(1, 31)] == list(first(Cron("* * * * *", name), after, 30))


@PROPERTY
@given(moments(), st.sampled_from(["90s", "7m", "1h", "36h", "24h"]))
def test_elapsed_intervals_are_never_moved(moment, text):
    """
    Hours, minutes and seconds are equal steps in UTC.
    """
    name, after = moment
    rule = Every(text, name)
    fires = list(first(rule, after, 6))

    assert {rule.spacing} == {late - early for early, late in pairwise(fires)}


NEW_YORK, LONDON, APIA, TROLL = "America/New_York", "Europe/London", "Pacific/Apia", "Antarctica/Troll"


@pytest.mark.parametrize(
    ("rule", "after", "fires"),
    [
        # New York 2026: 02:00 -> 03:00 on 8 March (07:00Z), 02:00 -> 01:00 on 1 November (06:00Z).
        (Cron("30 2 * * *", NEW_YORK), "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 06:30"]),
        (Cron("0,15,30 2 * * *", NEW_YORK), "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 06:00"]),
        (Cron("0 2,3 * * *", NEW_YORK), "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 06:00"]),
        (Cron("30 */2 * * *", NEW_YORK), "2026-03-08 06:00", ["2026-03-08 08:30", "2026-03-08 10:30"]),
        (Cron("30 1 * * *", NEW_YORK), "2026-10-31 12:00", ["2026-11-01 05:30", "2026-11-02 06:30"]),
        (Cron("30 1 * * *", NEW_YORK), "2026-11-01 06:10", ["2026-11-02 06:30"]),
        (
            Cron("30 * * * *", NEW_YORK),
            "2026-11-01 05:00",
            ["2026-11-01 05:30", "2026-11-01 06:30", "2026-11-01 07:30"],
        ),
        (Cron("10 * * * *", NEW_YORK), "2026-11-01 05:50", ["2026-11-01 06:10"]),
        (Every("1d", NEW_YORK, "2026-01-01T02:30"), "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 06:30"]),
        (Every("24h", NEW_YORK, "2026-01-01T02:30"), "2026-03-07 12:00", ["2026-03-08 07:30", "2026-03-09 07:30"]),
        (Every("1d", NEW_YORK, "2026-01-01T01:30"), "2026-10-31 12:00", ["2026-11-01 05:30", "2026-11-02 06:30"]),
        # London 2026: 02:00 -> 01:00 on 25 October (01:00Z).
        (Cron("30 1 * * *", LONDON), "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        # Apia had no 30 December 2011: a correction of the calendar at 10:00Z.
        (Cron("0 9 * * *", APIA), "2011-12-29 12:00", ["2011-12-29 19:00", "2011-12-30 19:00"]),
        (Cron("0 9 30 12 *", APIA), "2011-01-01 12:00", ["2012-12-29 19:00"]),
        (Every("1d", APIA, "2011-01-01T09:00"), "2011-12-29 12:00", ["2011-12-29 19:00", "2011-12-30 19:00"]),
        # Troll goes back by two hours: 03:00 -> 01:00 on 28 October 2018 (01:00Z).
        (Cron("15 1,2 * * *", TROLL), "2018-10-27 12:00", ["2018-10-27 23:15", "2018-10-28 00:15", "2018-10-29 01:15"]),
    ],
    ids=str,
)
def test_a_named_clock_change_gives_these_fires(rule, after, fires):
    """
    Lost times fire once after the gap, repeated ones the first time, skipped days not at all.
    """
    assert [utc(fire) for fire in fires] == list(first(rule, utc(after), len(fires)))


def test_a_wildcard_rule_of_lost_minutes_only_has_nothing_to_repeat():
    """
    Near the end of a first pass, with no fitting minute to repeat, the next fire is the one after the change.
    """
    rule = Cron("*/50 3 * * *", NEW_YORK)

    assert utc("2026-11-01 08:00") == rule.next_after(utc("2026-11-01 05:40"))


def test_a_rule_that_ends_with_the_calendar_has_no_next_fire():
    """
    Near the year 10000 nothing comes, and a wildcard rule in an hour that will be repeated ends there too.
    """
    last_day = Cron("* 2 31 10 *", "Europe/Vienna")

    assert Every("90s").next_after(utc("9999-12-31 23:59:59")) is None
    assert Every("1d", "Europe/Vienna").next_after(utc("9999-12-31 22:30")) is None
    assert utc("9999-10-31 01:00") == last_day.next_after(utc("9999-10-31 00:59"))
    assert last_day.next_after(utc("9999-10-31 01:59")) is None


def test_a_new_tz_database_counts_after_forgetting():
    """
    Zones are read anew, and fire times computed anew, once a reload says so.
    """
    known = zone("Europe/Vienna")
    forget()

    assert zone("Europe/Vienna") is not known
