"""
Which fire times are owed.
"""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.errors import ScheduleStuck
from orchd.model.specs import RuleKind
from orchd.schedules import After, Cron, Every, rule_of
from orchd.schedules.fires import MAX_OWED, Owed, due_fires, walk
from schedules.samples import MINUTE, PROPERTY, Counting, spec, utc

NOW = utc("2026-06-01 12:00")

RULES = {
    "each minute": Cron("* * * * *", "UTC"),
    "each hour": Cron("0 * * * *", "Europe/Vienna"),
    "one dense day a year": Cron("* * 1 1 *", "UTC"),
    "one dense hour a day": Cron("* 3 * * *", "Europe/Paris"),
    "uneven": Cron("*/7 1-3 * 2,5 1", "America/New_York"),
    "leap days": Cron("0 0 29 2 *", "UTC"),
    "20 a second": Every("0.05s"),
    "each week": Every("1w", "Europe/Vienna"),
}


@PROPERTY
@given(st.sampled_from(sorted(RULES)), st.integers(0, 4000), st.integers(1, 30))
def test_the_newest_fires_of_a_window_are_those_of_a_walk(name, minutes, limit):
    """
    Stepping back from now finds what walking the whole window finds, and the ends of what it cuts off.
    """
    rule, after = RULES[name], NOW - minutes * (timedelta(seconds=1) if name == "20 a second" else MINUTE)
    walked = list(walk(rule, after=after, until=NOW))
    cut = (walked[0], walked[-limit - 1]) if len(walked) > limit else None

    assert Owed(fires=tuple(walked[-limit:]), cut=cut) == due_fires(rule, after=after, now=NOW, limit=limit)


@PROPERTY
@given(st.sampled_from(["each minute", "each hour", "uneven"]), st.integers(0, 3000), st.integers(0, 3000))
def test_cutting_a_window_loses_and_doubles_nothing(name, a, b):
    """
    Owed up to a, then from a to b, are the same fires as owed at once.
    """
    rule, start = RULES[name], utc("2026-03-29")
    middle, end = start + a * MINUTE, start + (a + b) * MINUTE

    def owed(after: datetime, now: datetime) -> tuple[datetime, ...]:
        return due_fires(rule, after=after, now=now, limit=MAX_OWED).fires

    parts = owed(start, middle) + owed(middle, end)

    assert owed(start, end) == parts[-MAX_OWED:]


@pytest.mark.parametrize("name", RULES)
def test_a_gap_of_ten_years_is_never_walked(name):
    """
    With the default of 100, at most 1,000 fire times are computed, whatever the rule and the gap.
    """
    rule = Counting(RULES[name])
    due_fires(rule, after=NOW - timedelta(days=3653), now=NOW, limit=100)

    assert rule.asked <= 1000


def test_a_window_is_open_at_its_start_and_closed_at_its_end():
    """
    A fire at *after* is decided already, one at *now* is due.
    """
    owed = due_fires(RULES["each minute"], after=NOW - MINUTE, now=NOW, limit=5)

    assert Owed(fires=(NOW,)) == owed


def test_one_tick_lists_at_most_1000_fires():
    """
    A larger limit counts as 1,000.
    """
    owed = due_fires(RULES["20 a second"], after=NOW - timedelta(days=1), now=NOW, limit=10**6)

    assert MAX_OWED == len(owed.fires)


def test_a_rule_that_does_not_advance_is_an_error_and_no_endless_loop():
    """
    A fire time that is not later than the question ends the walk.
    """

    class Stuck:
        def next_after(self, instant):
            return NOW - timedelta(days=1)

    with pytest.raises(ScheduleStuck, match="report this as a bug"):
        due_fires(Stuck(), after=NOW - timedelta(days=2), now=NOW, limit=5)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"kind": RuleKind.CRON, "rule": "0 2 * * *", "timezone": "Europe/Vienna"}, Cron("0 2 * * *", "Europe/Vienna")),
        ({"kind": RuleKind.EVERY, "rule": "90s"}, Every("90s", "UTC")),
        ({"kind": RuleKind.EVERY, "rule": "1d", "anchor": "2026-01-01T09:00"}, Every("1d", "UTC", "2026-01-01T09:00")),
        ({"kind": RuleKind.AFTER, "rule": "", "after": ("load", "clean")}, After(("load", "clean"))),
    ],
)
def test_a_spec_gives_its_rule(fields, rule):
    """
    Kind, text, zone and anchor of a spec are those of its rule.
    """
    assert rule == rule_of(spec(**fields))


def test_no_clock_makes_a_waiting_schedule_due():
    """
    A rule that waits for flows has no next fire, and never two of them.
    """
    rule = After(("load",))

    assert rule.next_after(NOW) is None
    assert timedelta.max == rule.spacing
