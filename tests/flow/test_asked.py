"""
Schedules that only a flow's own code can say, asked ahead.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule

from orchd import Flow, Parameter, task
from orchd.flow.asked import HORIZON, MAX_FIRES, Unasked, asked_ahead
from orchd.flow.classic_schedules import Schedule
from orchd.flow.classic_schedules.clocks import Clock, ClockEvent, CronClock, IntervalClock, RRuleClock
from orchd.flow.describe import describe_file
from orchd.flow.scheduled import Untold, schedule_specs
from orchd.schedules import rule_of
from orchd.schedules.rules import rule_words

VIENNA = ZoneInfo("Europe/Vienna")
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
START = datetime(2026, 1, 1, 9, tzinfo=VIENNA)


def is_odd(moment: datetime) -> bool:
    """
    A filter of a person's own.
    """
    return moment.day % 2 == 1


def later(moment: datetime) -> datetime:
    """
    An adjustment of a person's own: two days later.
    """
    return moment + timedelta(days=2)


class Letters:
    """
    A clock of a person's own, of no base class: each fire time has its own parameters.
    """

    def events(self, after: datetime | None = None) -> Iterator[ClockEvent]:
        """
        Give one each day, also past ones.
        """
        for number in range(1000):
            yield ClockEvent(NOW + timedelta(days=number - 3), {"x": f"day {number - 3}"})


class Never(Clock):
    """
    A clock that speaks of the past only.
    """

    def events(self, after: datetime | None = None) -> Iterator[ClockEvent]:
        """
        Give the same past event for ever.
        """
        while True:
            yield ClockEvent(NOW - timedelta(days=1))


def made(schedule: Schedule, **parameter: object) -> Flow:
    """
    Return a flow with a parameter x, 1 by default.
    """
    with Flow("load", schedule=schedule) as flow:
        task(lambda x: x, name="work")(Parameter("x", **({"default": 1} | parameter)))

    return flow


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule([CronClock("30 2 * * *", START)], filters=[is_odd]),
        Schedule([IntervalClock(timedelta(hours=5), START)], not_filters=[is_odd]),
        Schedule([CronClock("0 9 * * *", START), CronClock("0 9 * * 1", START)], or_filters=[is_odd]),
    ],
)
def test_what_is_asked_ahead_is_what_the_function_says(schedule: Schedule) -> None:
    """
    Until it is known, over a change of the clocks, in the zone of the clock.
    """
    [spec] = schedule_specs(made(schedule), now=NOW)
    until = datetime.fromisoformat(str(spec.known_until))
    wanted = [fire for fire in schedule.next(500, after=NOW) if fire <= until]

    assert [datetime.fromisoformat(date) for date in spec.dates] == wanted
    assert (until, spec.timezone, spec.in_code) == (NOW + HORIZON, "Europe/Vienna", True)
    assert rule_words(spec) == "the flow's own code"
    assert rule_of(spec).next_after(NOW) == wanted[0]


def test_what_an_adjustment_moves_on_is_not_lost() -> None:
    """
    An event of yesterday whose fire time is tomorrow counts.
    """
    asked = asked_ahead(Schedule([CronClock("0 9 * * *")], adjustments=[later]), now=NOW)

    assert next(iter(asked.fires)) == datetime(2026, 3, 21, 9, tzinfo=UTC)
    assert len(asked.fires) == HORIZON.days + 2


def test_each_fire_time_has_the_parameters_that_its_clock_gives() -> None:
    """
    A parameter that the flow requires need only be among those.
    """
    first, second = schedule_specs(
        made(Schedule([Letters(), CronClock("@daily", parameter_defaults={"x": 7})], [is_odd]), required=True), now=NOW
    )

    assert [json.loads(first.parameters_at(datetime.fromisoformat(date)))["x"] for date in first.dates[:2]] == [
        "day 1",
        "day 3",
    ]
    assert (second.name, second.parameters_at(NOW), second.dates_parameters) == ("load-2", '{"x":7}', ())
    with Flow("f", schedule=Schedule([Letters()])) as flow:
        task(lambda y: y, name="work")(Parameter("y"))
    with pytest.raises(Untold, match="the flow needs the parameter 'y'"):
        schedule_specs(flow, now=NOW)


def test_asking_is_bounded() -> None:
    """
    A filter that is never true, a schedule that is due all the time, and a clock that never gets to now come to an end.
    """
    never = asked_ahead(Schedule([CronClock("* * * * *")], filters=[lambda moment: False]), now=NOW)
    often = asked_ahead(Schedule([CronClock("* * * * *")], filters=[lambda moment: True]), now=NOW)

    assert (never.fires, len(often.fires)) == ({}, MAX_FIRES)
    assert NOW < never.until < NOW + timedelta(days=8)
    assert often.until < NOW + timedelta(days=1)
    with pytest.raises(Unasked, match="are all past"):
        asked_ahead(Schedule([Never()]), now=NOW)


def test_a_rule_that_leaves_out_by_a_rule_is_asked() -> None:
    """
    ``exrule`` of dateutil, in flow.run() and for the daemon.
    """
    rules = rrule.rruleset()
    rules.rrule(rrule.rrule(rrule.DAILY, dtstart=START))
    rules.exrule(rrule.rrule(rrule.WEEKLY, dtstart=START, byweekday=(rrule.SA, rrule.SU)))
    schedule = Schedule([RRuleClock(rules)])
    [spec] = schedule_specs(made(schedule), now=NOW)

    assert [f"{fire:%a %H:%M}" for fire in schedule.next(2, after=NOW)] == ["Mon 09:00", "Tue 09:00"]
    assert len(spec.dates) == HORIZON.days * 5 // 7
    assert spec.dates[:2] == ("2026-03-23T08:00:00+00:00", "2026-03-24T08:00:00+00:00")


@pytest.mark.parametrize(
    ("lines", "is_told"),
    [
        ("    StartFlowRun(flow_name='f')()\n", True),
        ("    StartFlowRun(flow_name='f')(parameters={'x': Parameter('x', default=1)})\n", True),
        ("    with case(Parameter('again'), True):\n        StartFlowRun(flow_name='f')()\n", False),
        ("    StartFlowRun(flow_name='g')()\n", False),
    ],
)
def test_a_flow_that_always_starts_itself_is_warned_of(tmp_path: Path, lines: str, *, is_told: bool) -> None:
    """
    One that decides whether to do so is its own affair.
    """
    file = tmp_path / "f.py"
    file.write_text(f"from orchd import Flow, Parameter, StartFlowRun, case\nwith Flow('f') as flow:\n{lines}")
    described = describe_file(file)

    assert described.error is None
    assert [f"{file}, line 2: flow 'f': it starts itself" in said for said in described.warnings] == [True] * is_told
