"""
Schedules that only a flow's own code can say, over askings of it.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from orchd.model.specs import RuleKind, ScheduleSpec
from orchd.scheduler.in_code import ask_again_at, gone_on, says_the_same
from orchd.schedules import rule_of

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def asked(truth: set[int], *, at: int, reach: int) -> ScheduleSpec:
    """
    Return what asking at minute *at* brings: each minute of *truth* within *reach*, with its number as parameter.
    """
    known = [minute for minute in sorted(truth) if at < minute <= at + reach]
    return ScheduleSpec(
        name="own",
        flow="own",
        kind=RuleKind.DATES,
        dates=tuple((START + minute * MINUTE).isoformat() for minute in known),
        dates_parameters=tuple(f'{{"x":{minute}}}' for minute in known),
        known_until=(START + (at + reach) * MINUTE).isoformat(),
        in_code=True,
    )


@property_settings(max_examples=150, deadline=None, database=None)
@example(truth={1, 91}, askings=[(30, 1), (30, 0), (30, 1)], decided_each=40)
@example(truth={61, 62, 63}, askings=[(30, 0), (29, 5)], decided_each=40)
@given(
    truth=st.sets(st.integers(1, 120)),
    askings=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), min_size=1, max_size=8),
    decided_each=st.integers(1, 40),
)
def test_over_askings_each_fire_time_comes_once(
    truth: set[int], askings: list[tuple[int, int]], decided_each: int
) -> None:
    """
    As the function says, with its parameters: none is lost or doubled, however late the daemon decides, or takes up
    what was asked.
    """
    spec, now, cursor, fires = asked(truth, at=0, reach=60), 0, 0, []

    def decide(until: int) -> None:
        nonlocal cursor
        rule, instant = rule_of(spec), START + cursor * MINUTE
        while (fire := rule.next_after(instant)) is not None and fire <= START + until * MINUTE:
            instant = fire
            fires.append(((fire - START) // MINUTE, spec.parameters_at(fire)))
        cursor = until

    for wait, delay in askings:
        now += wait
        if now - cursor >= decided_each:
            decide(now)
        new = asked(truth, at=now, reach=60)
        now += delay
        [spec] = gone_on([new], [spec], now=START + now * MINUTE)
    decide(now)

    assert fires == [(minute, f'{{"x":{minute}}}') for minute in sorted(truth) if minute <= now]


def test_what_says_nothing_new_stays_as_it_is() -> None:
    """
    Until half of it is used; what says something else counts at once, for the time to come only.
    """
    old, every = asked(set(range(100)), at=0, reach=60), set(range(100))
    [early] = gone_on([asked(every, at=20, reach=60)], [old], now=START + 20 * MINUTE)
    [late] = gone_on([asked(every, at=40, reach=60)], [old], now=START + 40 * MINUTE)
    [other] = gone_on([asked({5, 70}, at=20, reach=60)], [old], now=START + 20 * MINUTE)

    assert early is old
    assert (len(late.dates), says_the_same(late, old, now=START + 40 * MINUTE)) == (99, True)
    assert not says_the_same(other, old, now=START + 20 * MINUTE)
    assert [datetime.fromisoformat(date) for date in other.dates] == [
        START + minute * MINUTE for minute in (*range(1, 21), 70)
    ]


def test_it_is_asked_again_in_time() -> None:
    """
    At half of what is known, within a day; less often, when asking has brought nothing.
    """
    waits = [
        ask_again_at((START + timedelta(seconds=known_s)).isoformat(), asked_at=START) - START
        for known_s in (35 * 86400, 3600, 1, 0, -5)
    ]

    assert [wait.total_seconds() for wait in waits] == [86400, 1800, 10, 600, 600]
