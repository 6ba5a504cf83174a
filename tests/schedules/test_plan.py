"""
The planner: what becomes of each owed fire time, for every cause.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.model.ids import slot_run_id
from orchd.model.slots import Outcome, Reason, sentence
from orchd.model.specs import CatchUp, Overlap
from orchd.schedules import After, Cron
from orchd.schedules.fires import walk
from orchd.schedules.plan import Pause, Plan, ScheduleView, plan_end, plan_tick
from schedules.samples import MINUTE, PROPERTY, Counting, active, spec, utc, view

#: Three fires are owed at NOW, 10:01, 10:02 and 10:03, the newest 5 seconds late.
START, NOW = utc("2026-06-01 10:00"), utc("2026-06-01 10:03:05")
PAUSE = Pause(who="eva", at=START, note="")
LATER_PAUSE = Pause(who="eva", at=START + MINUTE, note="")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "1:removed 2:removed 3:removed"),
        ({"paused": PAUSE}, "1:paused 2:paused 3:paused"),
        ({"max_catchup": 1}, "1-2:removed 3:removed"),
        ({"max_catchup": 2}, "1:removed 2:removed 3:removed"),
    ],
)
def test_a_rule_that_ends_starts_nothing_and_leaves_no_fire_time_undecided(
    fields: dict[str, object], words: str
) -> None:
    """
    What is owed is skipped, and the cursor stands at the last of it.
    """
    plan = plan_end([view(decided_until=START, **fields), view(decided_until=NOW)], now=NOW)

    assert words == _words(plan)
    assert ((), (("nightly", START + 3 * MINUTE),)) == (plan.starts, plan.decided)


def _words(plan: Plan) -> str:
    """
    Return each decision as ``minute[-until minute]:reason``.
    """
    return " ".join(
        f"{each.fire_time.minute}{f'-{each.until.minute}' if each.until else ''}:{each.reason}"
        for each in plan.decisions
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        # catch-up and grace
        ({}, "1:newer_fire 2:newer_fire 3:catch_up"),
        ({"catchup": "latest", "grace_s": 5.0}, "1:too_late 2:too_late 3:catch_up"),
        ({"catchup": "latest", "grace_s": 70.0}, "1:too_late 2:newer_fire 3:catch_up"),
        ({"catchup": "latest", "grace_s": 4.0}, "1:too_late 2:too_late 3:too_late"),
        ({"catchup": "none"}, "1:too_late 2:too_late 3:in_grace"),
        ({"catchup": "none", "grace_s": 70.0}, "1:too_late 2:newer_fire 3:in_grace"),
        ({"catchup": "none", "grace_s": 0.0}, "1:too_late 2:too_late 3:too_late"),
        ({"catchup": "all", "overlap": "allow"}, "1:catch_up 2:catch_up 3:catch_up"),
        ({"catchup": "all", "overlap": "allow", "grace_s": 70.0}, "1:too_late 2:catch_up 3:catch_up"),
        # more than max_catchup
        ({"max_catchup": 1}, "1-2:over_max_catchup 3:catch_up"),
        ({"max_catchup": 2}, "1:over_max_catchup 2:newer_fire 3:catch_up"),
        ({"max_catchup": 2, "catchup": "all", "overlap": "queue"}, "1:over_max_catchup 2:catch_up 3:catch_up"),
        ({"max_catchup": 1, "catchup": "none", "grace_s": 1.0}, "1-2:over_max_catchup 3:too_late"),
        # several chosen at once
        ({"catchup": "all", "overlap": "skip"}, "1:catch_up 2:overlap 3:overlap"),
        ({"catchup": "all", "overlap": "queue"}, "1:catch_up 2:catch_up 3:catch_up"),
        ({"catchup": "all", "overlap": "replace"}, "1:replaced 2:replaced 3:catch_up"),
        # runs that are not final
        ({"active": active("running")}, "1:newer_fire 2:newer_fire 3:overlap"),
        ({"active": active("scheduled")}, "1:newer_fire 2:newer_fire 3:overlap"),
        ({"active": active("running"), "overlap": "allow"}, "1:newer_fire 2:newer_fire 3:catch_up"),
        ({"active": active("running"), "overlap": "queue"}, "1:newer_fire 2:newer_fire 3:catch_up"),
        ({"active": active("running"), "overlap": "replace"}, "1:newer_fire 2:newer_fire 3:catch_up"),
        ({"active": active("running"), "catchup": "all"}, "1:overlap 2:overlap 3:overlap"),
        (
            {"active": active("running", "scheduled"), "catchup": "all", "overlap": "queue", "max_catchup": 3},
            "1:catch_up 2:catch_up 3:queue_full",
        ),
        (
            {"active": active("scheduled", "scheduled"), "catchup": "all", "overlap": "queue", "max_catchup": 3},
            "1:catch_up 2:catch_up 3:queue_full",
        ),
        # the flow was never loaded
        ({"flow_loaded": False}, "1:newer_fire 2:newer_fire 3:flow_not_loaded"),
        ({"flow_loaded": False, "catchup": "all"}, "1:flow_not_loaded 2:flow_not_loaded 3:flow_not_loaded"),
        ({"flow_loaded": False, "catchup": "none"}, "1:too_late 2:too_late 3:flow_not_loaded"),
        ({"flow_loaded": False, "active": active("running")}, "1:newer_fire 2:newer_fire 3:flow_not_loaded"),
        # paused, and resumed just now
        ({"paused": PAUSE}, ""),
        ({"resumed": PAUSE}, "1:paused 2:paused 3:catch_up"),
        ({"resumed": PAUSE, "catchup": "none"}, "1:paused 2:paused 3:in_grace"),
        ({"resumed": PAUSE, "catchup": "none", "grace_s": 1.0}, "1:paused 2:paused 3:paused"),
        ({"resumed": PAUSE, "catchup": "all", "overlap": "allow"}, "1:catch_up 2:catch_up 3:catch_up"),
        ({"resumed": PAUSE, "catchup": "all", "overlap": "replace"}, "1:paused 2:paused 3:catch_up"),
        ({"resumed": PAUSE, "max_catchup": 1}, "1-2:paused 3:catch_up"),
        ({"resumed": PAUSE, "active": active("running")}, "1:paused 2:paused 3:overlap"),
        ({"resumed": PAUSE, "flow_loaded": False}, "1:paused 2:paused 3:flow_not_loaded"),
        ({"resumed": LATER_PAUSE}, "1:newer_fire 2:paused 3:catch_up"),
        (
            {"resumed": LATER_PAUSE, "max_catchup": 1},
            "1-2:over_max_catchup 3:catch_up",
        ),
        ({"resumed": Pause(who="eva", at=START, note="", until=START + MINUTE)}, "1:paused 2:newer_fire 3:catch_up"),
    ],
    ids=str,
)
def test_three_owed_fire_times_are_decided_so(fields, words):
    """
    Each combination of catch-up, grace, overlap, pause and loading gives exactly these decisions.
    """
    assert words == _words(plan_tick([view(decided_until=START, **fields)], now=NOW))


@pytest.mark.parametrize(
    ("late_s", "fields", "words"),
    [
        (0, {}, "1:on_time"),
        (1, {}, "1:on_time"),
        (1.001, {}, "1:catch_up"),
        (0, {"catchup": "none", "grace_s": 0.0}, "1:on_time"),
        (59.9, {"catchup": "none"}, "1:in_grace"),
        (0, {"active": active("running")}, "1:overlap"),
        (0, {"flow_loaded": False}, "1:flow_not_loaded"),
        (0, {"resumed": PAUSE}, "1:on_time"),
        (-0.000001, {}, ""),
    ],
    ids=str,
)
def test_one_due_fire_time_is_decided_so(late_s, fields, words):
    """
    A fire time is due at its very microsecond, and on time for a second.
    """
    now = START + MINUTE + timedelta(seconds=late_s)

    assert words == _words(plan_tick([view(decided_until=START, **fields)], now=now))


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        (
            {"catchup": "none", "grace_s": 70.5, "max_catchup": 2},
            [
                "missed: older than the newest 2 owed fire times",
                'skipped because 2026-06-01T10:03:00Z was owed too, and catchup = "none" starts only the newest',
                "started 5 s late, within its grace of 70.5 s",
            ],
        ),
        (
            {"resumed": Pause(who="eva", at=START, note="freeze"), "catchup": "all", "active": active("running")},
            ["skipped because run run0 of this schedule was still running"] * 3,
        ),
        (
            {"resumed": Pause(who="eva", at=START, note="freeze"), "max_catchup": 1},
            [
                "skipped because the schedule was paused by eva at 2026-06-01T10:00:00Z: freeze",
                "started 5 s late, as its catch-up allows",
            ],
        ),
        (
            {"catchup": "all", "overlap": "replace", "grace_s": 70},
            [
                "missed: 125 s late, and its grace is 70 s",
                'skipped because 2026-06-01T10:03:00Z was owed too, and overlap = "replace" keeps only the newest',
                "started 5 s late, as its catch-up allows",
            ],
        ),
        (
            {"overlap": "queue", "active": active("running", "scheduled"), "max_catchup": 1},
            [
                "missed: older than the newest 1 owed fire times",
                "skipped because 1 runs of this schedule were already waiting",
            ],
        ),
        (
            {"flow_loaded": False, "catchup": "all"},
            ["skipped because flow 'load' has not been loaded from any flow file"] * 3,
        ),
    ],
)
def test_each_decision_can_be_said_in_a_sentence(fields, sentences):
    """
    A decision holds the fields of its sentence, in alphabetical order.
    """
    decisions = plan_tick([view(decided_until=START, **fields)], now=NOW).decisions

    assert sentences == [sentence(each.reason, dict(each.fields)) for each in decisions]
    assert all(list(each.fields) == sorted(each.fields) for each in decisions)


def test_a_skip_names_the_run_that_the_same_tick_starts():
    """
    With catchup = all and overlap = skip the first starts, and the others say which run was in their way.
    """
    plan = plan_tick([view(decided_until=START, catchup="all")], now=NOW)
    first = slot_run_id(schedule="nightly", fire_time=START + MINUTE, attempt=1)

    assert (("run", first), ("state", "scheduled")) == plan.decisions[1].fields


@pytest.mark.parametrize(
    ("overlap", "states", "replaces"),
    [
        ("replace", ("running", "scheduled"), ("run0", "run1")),
        ("replace", ("cancelling", "scheduled"), ("run1",)),
        ("replace", (), ()),
        ("allow", ("running",), ()),
        ("queue", ("running",), ()),
    ],
)
def test_replace_cancels_what_runs_and_what_waits(overlap, states, replaces):
    """
    A new run of overlap = replace names the runs to cancel: a third replaces the waiting one; nobody twice.
    """
    plan = plan_tick([view(decided_until=START, overlap=overlap, active=active(*states))], now=NOW)

    assert replaces == plan.starts[0].replaces


def test_a_hundred_owed_fires_queue_behind_the_first():
    """
    With all and queue the newest max_catchup are started or wait; one more would be queue_full.
    """
    plan = plan_tick(
        [view(decided_until=START - timedelta(days=1), catchup="all", overlap="queue", max_catchup=100)], now=NOW
    )

    assert [Reason.OVER_MAX_CATCHUP] + [Reason.CATCH_UP] * 100 == [each.reason for each in plan.decisions]
    assert START - timedelta(days=1) + MINUTE == plan.decisions[0].fire_time
    assert START + timedelta(minutes=-97) == plan.decisions[0].until


def test_the_cursor_moves_to_the_newest_decided_fire_time():
    """
    What is decided is decided up to the newest fire time, and nothing is said of schedules that were not due.
    """
    views = [view(decided_until=START), view(decided_until=NOW, name="idle"), view(decided_until=START, paused=PAUSE)]

    assert (("nightly", utc("2026-06-01 10:03")),) == plan_tick(views, now=NOW).decided


def test_a_cron_rule_is_planned_like_any_other():
    """
    One owed fire time of a cron rule needs no second look, several are found by stepping back.
    """
    rule = Cron("*/2 * * * *", "Europe/Vienna")
    one = ScheduleView(spec=spec(), rule=rule, decided_until=START, next_fire=START + 2 * MINUTE)

    assert "2:on_time" == _words(plan_tick([one], now=START + 2 * MINUTE))
    assert "2:newer_fire 4:catch_up" == _words(plan_tick([one], now=START + 5 * MINUTE))


def test_decisions_come_in_order_of_fire_time_then_name():
    """
    Whatever the order of the views, the plan's order is that of fire times, then of names.
    """
    names = ["b", "c", "a"]
    plan = plan_tick([view(decided_until=START, name=n, catchup="all", overlap="allow") for n in names], now=NOW)

    assert [(minute, name) for minute in (1, 2, 3) for name in "abc"] == [
        (each.fire_time.minute, each.schedule) for each in plan.decisions
    ]
    assert plan.decisions == tuple(start.decision for start in plan.starts)


@pytest.mark.parametrize(("hours", "rewound"), [(2.99, ()), (3, ("nightly",)), (24 * 365 * 72, ("nightly",))])
def test_a_clock_set_back_holds_the_cursor_for_three_hours(hours, rewound):
    """
    Less than three hours back nothing fires twice; three hours or more the cursor returns to now, deciding nothing.
    """
    plan = plan_tick([view(decided_until=NOW + timedelta(hours=hours))], now=NOW)

    assert Plan(rewound=rewound, decided=tuple((name, NOW) for name in rewound)) == plan


def test_a_paused_schedule_keeps_even_a_cursor_in_the_future():
    """
    While paused the cursor stands still; it is put right after the pause.
    """
    assert Plan() == plan_tick([view(decided_until=NOW + timedelta(days=9), paused=PAUSE)], now=NOW)


def test_a_schedule_that_never_fires_by_itself_is_never_due():
    """
    No next fire, no decision; a wrong cursor is put right all the same.
    """
    quiet = ScheduleView(spec=spec(), rule=After(("load",)), decided_until=START, next_fire=None)
    ahead = ScheduleView(spec=spec(), rule=After(("load",)), decided_until=utc("2098-01-01"), next_fire=None)

    assert Plan(rewound=("nightly",), decided=(("nightly", NOW),)) == plan_tick([quiet, ahead], now=NOW)


def test_schedules_that_owe_the_same_are_counted_once_in_a_tick_and_again_in_the_next():
    """
    A thousand schedules of one rule after a long absence cost as much as one; no tick leaves anything behind.
    """
    rule = Counting(Cron("* * * * *", "UTC"))
    views = [replace(view(name=name, decided_until=START), rule=rule) for name in "abc"]
    plan_tick(views[:1], now=NOW)
    alone = rule.asked
    plan_tick(views, now=NOW)

    assert 0 < alone
    assert 2 * alone == rule.asked


VIEWS = st.builds(
    view,
    decided_until=st.integers(0, 400).map(lambda minutes: NOW - minutes * MINUTE),
    catchup=st.sampled_from(CatchUp),
    overlap=st.sampled_from(Overlap),
    grace_s=st.one_of(st.none(), st.integers(0, 5000).map(float)),
    max_catchup=st.integers(1, 120),
    resumed=st.one_of(
        st.none(), st.integers(0, 400).map(lambda minutes: Pause(who="eva", at=NOW - minutes * MINUTE, note=""))
    ),
    active=st.sampled_from([active(), active("running"), active("running", "scheduled"), active("cancelling")]),
    flow_loaded=st.booleans(),
)


@PROPERTY
@given(VIEWS)
def test_every_owed_fire_time_gets_exactly_one_decision(one):
    """
    Rows with *until* stand for the oldest, the others for one fire time each; none is lost, none is there twice.
    """
    owed = list(walk(one.rule, after=one.decided_until, until=NOW))
    covered = []
    for each in plan_tick([one], now=NOW).decisions:
        covered += list(walk(one.rule, after=each.fire_time - MINUTE, until=each.until or each.fire_time))

    assert owed == covered


@PROPERTY
@given(VIEWS)
def test_no_policy_is_ever_broken(one):
    """
    Latest and none start the newest or nothing, skip never starts beside a run, and no start is later than its grace.
    """
    plan = plan_tick([one], now=NOW)
    started = [start.decision.fire_time for start in plan.starts]

    assert one.spec.catchup is CatchUp.ALL or set(started) <= {utc("2026-06-01 10:03")}
    assert one.spec.overlap is not Overlap.SKIP or len(started) <= (not one.active)
    assert one.spec.grace_s is None or all((NOW - fire).total_seconds() <= one.spec.grace_s for fire in started)
    assert len(plan.decisions) <= one.spec.max_catchup + 1
    assert {start.decision.outcome for start in plan.starts} <= {Outcome.STARTED}


@PROPERTY
@given(st.integers(0, 45), st.integers(0, 45), st.sampled_from(["all", "none"]))
def test_ticking_twice_decides_as_ticking_once(a, b, catchup):
    """
    Two ticks with the cursor of the first between them decide the same fire times as one.
    """
    first = view(decided_until=START, catchup=catchup, overlap="allow")
    middle = plan_tick([first], now=START + a * MINUTE)
    cursor = middle.decided[0][1] if middle.decided else START
    end = plan_tick([view(decided_until=cursor, catchup=catchup, overlap="allow")], now=START + (a + b) * MINUTE)
    once = plan_tick([first], now=START + (a + b) * MINUTE)

    assert [each.fire_time for each in once.decisions] == [
        each.fire_time for each in (*middle.decisions, *end.decisions)
    ]
