"""
Recurrence rules of RFC 5545.
"""

from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from orchd.schedules import RRule, RuleError
from orchd.schedules.fires import walk
from schedules.samples import PROPERTY, first, utc

NEW_YORK = "America/New_York"

TEXTS = [
    "FREQ=YEARLY;INTERVAL=2",
    "FREQ=YEARLY;BYMONTH=1,6;BYDAY=2TU",
    "FREQ=YEARLY;BYYEARDAY=1,100,-1",
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
    "FREQ=MONTHLY;INTERVAL=5",
    "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9,17",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,SU;WKST=SU",
    "FREQ=WEEKLY",
    "FREQ=DAILY;INTERVAL=10;BYMONTH=1,2,3",
    "FREQ=HOURLY;INTERVAL=7;BYDAY=MO",
    "FREQ=MINUTELY;INTERVAL=100",
    "FREQ=SECONDLY;INTERVAL=1000;BYHOUR=3,4",
    "FREQ=SECONDLY;BYHOUR=3;BYMINUTE=3,5;BYSECOND=7;BYDAY=MO",
    "FREQ=SECONDLY;BYMINUTE=30;BYMONTHDAY=3",
    "FREQ=MINUTELY;BYHOUR=3;BYMONTH=2,7",
    "FREQ=HOURLY;BYHOUR=3,5;BYDAY=SU",
]


@PROPERTY
@given(
    st.sampled_from(TEXTS),
    st.datetimes(datetime(2020, 1, 1), datetime(2021, 1, 1)),  # noqa: DTZ001  (wall times)
    st.integers(0, 30_000),
)
def test_starting_near_the_question_changes_nothing(text: str, start: datetime, minutes: int) -> None:
    """
    The wall times are those that dateutil finds by walking from DTSTART.
    """
    start = start.replace(microsecond=0)
    wall = start + timedelta(minutes=minutes)
    walked = rrulestr(text, dtstart=start)
    if "WEEKLY" not in text:
        assert walked.after(wall) == RRule(text, "UTC", start.isoformat()).wall_after(wall)
        return

    # Of the week that it begins in, dateutil leaves nothing out that is later than DTSTART.
    found = RRule(text, "UTC", start.isoformat()).wall_after(wall)
    assert found in walked
    assert not list(walked.between(wall, found))


@pytest.mark.parametrize(
    ("text", "anchor", "after", "fires"),
    [
        ("FREQ=DAILY", "2027-03-12T02:30", "2027-03-12", ["12 07:30", "13 07:30", "14 07:00", "15 06:30"]),
        ("FREQ=DAILY;COUNT=2", "2027-03-12T02:30", "2027-03-01", ["12 07:30", "13 07:30"]),
        ("FREQ=DAILY;UNTIL=20270313", "2027-03-12T02:30", "2027-03-01", ["12 07:30", "13 07:30"]),
        ("FREQ=DAILY;UNTIL=20270313T073000Z", "2027-03-12T02:30", "2027-03-01", ["12 07:30", "13 07:30"]),
        ("FREQ=DAILY;UNTIL=20270313T072959Z", "2027-03-12T02:30", "2027-03-01", ["12 07:30"]),
        ("FREQ=DAILY;BYHOUR=1", "2027-11-06T00:00", "2027-11-06", ["06 05:00", "07 05:00", "08 06:00"]),
        ("FREQ=HOURLY", "2027-01-01T00:00", "2027-11-07 04:30", ["07 05:00", "07 06:00", "07 07:00"]),
        ("RDATE:20270101T000000,20270102T000000 EXDATE:20270101T000000", None, "2026-12-01", ["02 05:00"]),
        (
            "DTSTART;TZID=America/New_York:20270101T090000\nRRULE:FREQ=WEEKLY\nEXDATE:20270108T090000",
            None,
            "2026-12-31 12:00",
            ["01 14:00", "15 14:00"],
        ),
    ],
)
def test_the_wall_clock_is_kept(text: str, anchor: str | None, after: str, fires: list[str]) -> None:
    """
    By the rules of every wall time: once in a gap, once in a repeated hour, and each real hour for HOURLY.
    """
    found = walk(RRule(text, NEW_YORK, anchor), after=utc(after), until=utc("2028-01-01"))

    assert [f"{fire:%d %H:%M}" for fire, _ in zip(found, fires, strict=False)] == fires


def test_a_rule_of_minutes_is_not_walked_from_its_start() -> None:
    """
    A question about the year 9000 is answered at once.
    """
    rule = RRule("FREQ=SECONDLY;INTERVAL=7")

    assert len(list(first(rule, utc("9000-01-01"), 3))) == 3
    assert rule.next_after(utc("9999-12-31 23:59:58")) is None
    assert rule.spacing == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "anchor", "says"),
    [
        ("FREQ=DALY", None, "its FREQ must be one of YEARLY"),
        ("every day", None, "is no part of an rrule"),
        ("FREQ=DAILY;FREQ=DAILY", None, "FREQ is there twice"),
        ("FREQ=DAILY;BYDAY=XX", None, "it cannot be read"),
        ("FREQ=DAILY;COUNT=3", None, "COUNT counts from a start"),
        ("FREQ=DAILY;COUNT=0", "2026-01-01", "COUNT=0 is no number from 1 to 10000"),
        ("FREQ=DAILY;INTERVAL=x", None, "INTERVAL=X is no number"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", None, "it never fires: there is no such day"),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", None, "it never fires: there is no such day"),
        ("FREQ=SECONDLY;INTERVAL=7;BYMONTH=2;BYHOUR=3", None, "SECONDLY with days and BYHOUR takes too long to find"),
        ("FREQ=DAILY;UNTIL=19600101", None, "it never fires: UNTIL is before"),
        ("FREQ=DAILY;UNTIL=tomorrow", None, "'TOMORROW' is no time of an rrule"),
        ("RDATE:20261399", None, "'20261399' is no time of an rrule"),
        ("EXRULE:FREQ=DAILY", None, "is no line of an rrule"),
        ("DTSTART;TZID=Asia/Tokyo:20260101T000000 RRULE:FREQ=DAILY", None, "its TZID is not the schedule's zone"),
        ("RDATE;VALUE=PERIOD:20260101T000000", None, "'VALUE=PERIOD' means nothing here"),
        ("DTSTART:20260101 RRULE:FREQ=DAILY", "2026-01-01", "DTSTART and an anchor"),
        ("FREQ=DAILY", "soon", "anchor 'soon' is no time"),
        ("FREQ=DAILY;BYHOUR=" + "1," * 3000, None, "is too long; write at most 4096"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, anchor: str | None, says: str) -> None:
    """
    In one sentence, and at once also where dateutil would look for thousands of years.
    """
    with pytest.raises(RuleError, match=says):
        RRule(text, NEW_YORK, anchor)


def test_rare_days_of_a_rule_of_seconds_are_found_at_once() -> None:
    """
    A rule of seconds that fires on one day of 28 years is not walked second by second.
    """
    rule = RRule("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=3;BYMINUTE=3;BYSECOND=3", "UTC")
    fires = list(first(rule, utc("2026-01-01"), 20))
    assert fires[0] == utc("2044-02-29 03:03:03")
