"""
Schedules in code: what runs when, and both passes of a repeated hour.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule

import orchd
from orchd import Flow, Parameter, task
from orchd.flow.classic_schedules import IntervalSchedule, RRuleSchedule, Schedule
from orchd.flow.classic_schedules.clocks import Clock, CronClock, DatesClock, IntervalClock

NEW_YORK = ZoneInfo("America/New_York")


def in_utc(instants):
    """
    Return the hours of *instants* in UTC.
    """
    return [instant.astimezone(UTC).strftime("%d %H:%M") for instant in instants]


class Twice(Clock):
    """
    Fires a millisecond after it is asked, two times in all.
    """

    def __init__(self):
        super().__init__(parameter_defaults={"x": 2, "y": 3})
        self.given = []

    def _fires(self, after):
        if len(self.given) < 2:
            self.given.append(after + timedelta(milliseconds=1))
            yield self.given[-1]


def test_a_flow_runs_at_each_time_of_its_schedule():
    """
    flow.run() waits for each time, takes its clock's parameters, and ends with the schedule.
    """
    seen = []
    twice = Twice()
    with Flow("f", Schedule([twice])) as flow:
        task(lambda x: seen.append((x, orchd.context.scheduled_start_time)), name="look")(Parameter("x", default=1))

    state = flow.run()

    assert state.is_successful()
    assert [x for x, _ in seen] == [2, 2]
    assert [when for _, when in seen] == twice.given
    with pytest.raises(ValueError, match="Flow has no more scheduled runs"):
        flow.run()

    assert flow.run(run_on_schedule=False).is_successful()


@pytest.mark.parametrize(
    "hourly",
    [
        IntervalClock(timedelta(hours=1), datetime(2019, 11, 2, 23, tzinfo=NEW_YORK)),
        CronClock("0 * * * *", datetime(2019, 11, 2, 23, tzinfo=NEW_YORK)),
    ],
)
def test_a_repeated_hour_counts_twice_in_batches_and_one_by_one(hourly):
    """
    Asking for four at once gives what asking four times gives.
    """
    schedule = Schedule([hourly])
    after = datetime(2019, 11, 3, 4, 30, tzinfo=UTC)
    one_by_one = []
    for _ in range(4):
        [moment] = schedule.next(1, after=one_by_one[-1] if one_by_one else after)
        one_by_one.append(moment)

    assert (
        in_utc(schedule.next(4, after=after)) == in_utc(one_by_one) == ["03 05:00", "03 06:00", "03 07:00", "03 08:00"]
    )


def test_seconds_and_joined_days_of_cron():
    """
    A sixth field says the second, and day_or=False asks for both day fields.
    """
    seconds = Schedule([CronClock("0 12 * * * 15,45")]).next(3, after=datetime(2020, 1, 1, 12, 0, 20, tzinfo=UTC))
    fridays = Schedule([CronClock("0 0 13 * 5", day_or=False)]).next(1, after=datetime(2020, 1, 1, tzinfo=UTC))

    assert [f"{each:%d %H:%M:%S}" for each in seconds] == ["01 12:00:45", "02 12:00:15", "02 12:00:45"]
    assert [f"{each:%Y-%m-%d}" for each in fridays] == ["2020-03-13"]


def test_dates_are_given_in_order():
    """
    Those that have gone by are left out.
    """
    dates = [datetime(2020, 1, day, tzinfo=UTC) for day in (3, 1, 2)]

    assert in_utc(Schedule([DatesClock(dates)]).next(5, after=dates[1])) == ["02 00:00", "03 00:00"]


def test_rules_of_dateutil():
    """
    An rrule without a zone is UTC.
    """
    rule = rrule.rrule(rrule.DAILY, dtstart=datetime(2020, 1, 1), count=2)  # noqa: DTZ001

    assert in_utc(RRuleSchedule(rule).next(5, after=datetime(2019, 1, 1, tzinfo=UTC))) == ["01 00:00", "02 00:00"]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: IntervalSchedule(), TypeError, "Interval must be a timedelta"),
        (lambda: Schedule(IntervalClock(timedelta(1))), TypeError, "clocks should be a list of clocks"),
        (lambda: CronClock("0 0 30 2 *"), ValueError, "Invalid cron string"),
        (lambda: IntervalClock(timedelta(1), start_date="2020-01-01"), ValueError, "only accepts datetime"),
        (lambda: RRuleSchedule("x"), TypeError, "rrule_obj must be an rrule"),
    ],
)
def test_mistakes_are_said(make, error, message):
    """
    What cannot be meant is refused when it is written.
    """
    with pytest.raises(error, match=message):
        make()


def test_a_parameter_that_the_flow_lacks_is_told_of(caplog):
    """
    What a clock gives and nobody takes is a slip of the pen (defect 3).
    """
    with Flow("f", Schedule([Twice()])) as flow:
        task(lambda x: x, name="look")(Parameter("x", default=1))
    flow.run()

    assert "A clock gives parameters that the flow does not have: y" in caplog.text
