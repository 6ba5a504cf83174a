"""
The schedule of a flow as data, as the daemon gets it.
"""

import json
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from orchd import Flow, Parameter, task
from orchd.flow.classic_schedules import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule, adjustments, filters
from orchd.flow.classic_schedules.clocks import CronClock, DatesClock, IntervalClock, RRuleClock
from orchd.flow.describe import describe_file
from orchd.flow.scheduled import Untold, schedule_specs
from orchd.model.specs import RuleKind
from orchd.schedules import rule_of

VIENNA = ZoneInfo("Europe/Vienna")
START = datetime(2026, 1, 1, 9, tzinfo=VIENNA)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@task
def work(x):
    """
    Do nothing.
    """


def made(schedule, **parameter):
    """
    Return a flow with a parameter x, 1 by default.
    """
    with Flow("load", schedule=schedule) as flow:
        work(Parameter("x", **({"default": 1} | parameter)))

    return flow


SCHEDULES = {
    "days": IntervalSchedule(START, timedelta(days=1)),
    "hours": IntervalSchedule(START, timedelta(hours=36), START + timedelta(days=300)),
    "no start": IntervalSchedule(interval=timedelta(minutes=7, microseconds=5)),
    "cron": CronSchedule("30 2 * * *", START),
    "joined": CronSchedule("0 0 1-7 * 5 10,20", START, day_or=False),
    "offset": CronSchedule("0 9 * * *", datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))),
    "dates": Schedule([DatesClock([START, START - timedelta(days=1), START])]),
    "rrule": RRuleSchedule(rrule.rrule(rrule.DAILY, dtstart=START.replace(hour=2, minute=30), count=400)),
    "until": RRuleSchedule(rrule.rrule(rrule.WEEKLY, dtstart=datetime(2026, 1, 1), until=datetime(2026, 9, 1))),  # noqa: DTZ001
    "filters": Schedule(
        [IntervalClock(timedelta(minutes=30), START)],
        filters=[filters.is_weekday, filters.between_times(time(8), time(10))],
        or_filters=[filters.at_time(time(9)), filters.is_day_of_week(1), filters.is_month_end],
        not_filters=[filters.on_date(3, 3), filters.between_dates(12, 24, 1, 6), filters.is_weekend],
    ),
    "moments": Schedule(
        [IntervalClock(timedelta(hours=1), START)],
        or_filters=[
            filters.on_datetime(START + timedelta(hours=5)),
            filters.between_datetimes(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)),
            filters.is_month_start,
        ],
    ),
    "later": Schedule([CronClock("0 9 * * *", START)], adjustments=[adjustments.add(timedelta(minutes=-5))]),
    "weekdays": Schedule([CronClock("0 9 1 * *", START)], adjustments=[adjustments.next_weekday]),
    "two": Schedule([IntervalClock(timedelta(hours=2), START), IntervalClock(timedelta(hours=3), START)]),
}


@property_settings(max_examples=80, deadline=None, database=None)
@given(st.sampled_from(sorted(SCHEDULES)), st.integers(-100, 330 * 1440))
def test_the_daemon_fires_when_the_flow_would(name: str, minutes: int) -> None:
    """
    What the description says is due when schedule.next() says so: asked from before, as it adjusts only what comes
    after the instant that it is asked for, and a day that was moved on would be lost.
    """
    schedule, after = SCHEDULES[name], START + timedelta(minutes=minutes)
    [spec] = schedule_specs(made(schedule), now=NOW)
    rule, fires, instant = rule_of(spec), [], after.astimezone(UTC)
    while len(fires) < 4 and (fire := rule.next_after(instant)) is not None:
        fires.append(fire)
        instant = fire

    before = timedelta(days=3) if schedule.adjustments else timedelta()
    said = [fire.astimezone(UTC) for fire in schedule.next(10, after=after - before)]
    assert [fire for fire in said if fire > after][:4] == fires


def test_clocks_with_the_same_parameters_are_one_schedule() -> None:
    """
    Others have a number; each has its parameters and labels, and the name of the flow.
    """
    clocks = [
        CronClock("0 1 * * *", parameter_defaults={"x": 2}),
        CronClock("0 2 * * *", parameter_defaults={"x": 3, "unknown": 1}, labels=["b", "a"]),
        CronClock("0 3 * * *", parameter_defaults={"x": 2}),
    ]
    first, second = schedule_specs(made(Schedule(clocks), required=True), now=NOW)

    assert (first.name, first.flow, first.kind, first.in_code) == ("load", "load", RuleKind.ANY, True)
    assert [part.rule for part in first.parts] == ["0 1 * * *", "0 3 * * *"]
    assert (second.name, second.rule, second.labels) == ("load-2", "0 2 * * *", ("a", "b"))
    assert [json.loads(each.parameters) for each in (first, second)] == [{"x": 2}, {"x": 3}]
    assert schedule_specs(made(None), now=NOW) == ()


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        (made(CronSchedule("@daily"), required=True), "the flow needs the parameter 'x'"),
        (made(Schedule([CronClock("@daily", parameter_defaults={"x": START})])), "'x' in parameter_defaults cannot be"),
        (made(IntervalSchedule(interval=timedelta(microseconds=5))), "out of range"),
    ],
)
def test_what_is_more_than_data_is_not_taken_up(flow: Flow, says: str) -> None:
    """
    The reason is a sentence.
    """
    with pytest.raises(Untold, match=says):
        schedule_specs(flow, now=NOW)


def test_what_is_not_taken_up_is_a_warning_with_its_line(tmp_path: Path) -> None:
    """
    The flow itself is described all the same, and what the code of its schedule raised is told in a sentence.
    """
    file = tmp_path / "f.py"
    file.write_text(
        "from orchd import Flow, task\n"
        "from orchd.flow.classic_schedules import Schedule\n"
        "from orchd.flow.classic_schedules.clocks import CronClock\n"
        "clock = CronClock('@daily', parameter_defaults={'y': 1})\n"
        "with Flow('f', Schedule([clock], filters=[len])) as flow:\n"
        "    task(lambda: 1, name='t')()\n"
    )
    described = describe_file(file)
    [flow] = described.flows

    assert flow.schedules == ()
    assert str(flow.unasked).startswith("asking it for its fire times has failed: TypeError(")
    assert described.warnings == (
        f"{file}, line 5: flow 'f': a clock gives the parameter 'y', which the flow does not have: it is ignored",
        f"{file}, line 5: flow 'f': a daemon can take up its schedule only as far as it was known before:"
        f" {flow.unasked}",
    )


def test_a_set_of_rules_is_written_as_lines() -> None:
    """
    With what it adds and leaves out.
    """
    rules = rrule.rruleset()
    rules.rrule(rrule.rrule(rrule.DAILY, dtstart=START, count=3))
    rules.rdate(START + timedelta(hours=1))
    rules.exdate(START + timedelta(days=1))
    found = Schedule([RRuleClock(rules)]).next(9, after=START - timedelta(days=1))

    assert [f"{fire:%d %H:%M}" for fire in found] == ["01 09:00", "01 10:00", "03 09:00"]
