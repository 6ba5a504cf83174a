"""
Which run of another flow meets a wait.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.model.ids import FlowRunId, run_name
from orchd.model.specs import WaitSpec
from orchd.model.states import FINAL_FLOW_RUN_STATES, FlowRunState
from orchd.schedules.waits import Answer, AwaitedRun, answer, deadline, given_up, oldest, reason, words
from schedules.samples import MINUTE, PROPERTY, utc

FIRE = utc("2026-06-01 10:00")
WITHIN = WaitSpec(flow="load", within_s=3600, timeout_s=7200)
SAME = WaitSpec(flow="load", same_slot=True)
STATES = {
    "s": FlowRunState.SUCCESS,
    "f": FlowRunState.FAILED,
    "x": FlowRunState.CANCELLED,
    "r": FlowRunState.RUNNING,
    "h": FlowRunState.SCHEDULED,
}


def _run(number: int, minutes: int, state: str) -> AwaitedRun:
    """
    Return the run ``run<number>`` that was wanted so many minutes after the fire time.
    """
    return AwaitedRun(
        run_id=FlowRunId(f"{number:032x}"), number=number, state=STATES[state], wanted_at=FIRE + minutes * MINUTE
    )


@pytest.mark.parametrize(
    ("runs", "met_by"),
    [
        ([], None),
        ([(1, -30, "s")], 1),
        ([(1, 0, "s")], 1),
        ([(1, -30, "f")], None),
        ([(1, -30, "r")], None),
        ([(1, -30, "h")], None),
        # The newest up to the fire time counts, not an older one that was good.
        ([(1, -50, "s"), (2, -30, "f")], None),
        ([(1, -50, "s"), (2, -30, "r")], None),
        ([(1, -50, "s"), (2, -30, "x")], None),
        ([(1, -50, "f"), (2, -30, "s")], 2),
        # Whatever was wanted later keeps nobody waiting, and will do when it succeeds.
        ([(1, -30, "s"), (2, 5, "r")], 1),
        ([(1, -30, "f"), (2, 5, "f")], None),
        ([(1, -30, "f"), (2, 5, "s")], 2),
        ([(1, -30, "r"), (2, 5, "s")], 2),
        ([(2, 5, "s")], 2),
        # A second attempt of the same slot is newer than the first.
        ([(1, -30, "f"), (2, -30, "s")], 2),
        ([(1, -30, "f"), (2, -30, "r")], None),
    ],
)
def test_the_newest_run_that_is_young_enough_counts(runs, met_by):
    """
    It must have succeeded; if not, a newer one.
    """
    found = answer(WITHIN, [_run(*run) for run in runs], fire_time=FIRE)

    assert (None if met_by is None else FlowRunId(f"{met_by:032x}")) == found.met_by


@pytest.mark.parametrize(
    ("states", "met_by"), [("", None), ("f", None), ("r", None), ("s", 0), ("fs", 1), ("sf", 0), ("ss", 1)]
)
def test_any_run_of_the_same_fire_time_counts(states, met_by):
    """
    The newest that succeeded is the one that was waited for.
    """
    runs = [_run(number, 0, state) for number, state in enumerate(states)]
    found = answer(SAME, runs, fire_time=FIRE)

    assert (None if met_by is None else runs[met_by].run_id) == found.met_by


RUNS = st.lists(
    st.tuples(st.integers(1, 99), st.integers(-60, 60), st.sampled_from(sorted(STATES))),
    max_size=8,
    unique_by=lambda run: run[0],
)


@PROPERTY
@given(RUNS)
def test_three_runs_are_enough_to_know(runs):
    """
    The newest up to the fire time, the newest success and the newest of all say the same as all of them.
    """
    every = sorted((_run(*run) for run in runs), key=lambda run: (run.wanted_at, run.number))
    newest = [run for run in every if run.wanted_at <= FIRE][-1:]
    good = [run for run in every if run.state is FlowRunState.SUCCESS][-1:]

    assert answer(WITHIN, every, fire_time=FIRE) == answer(WITHIN, [*good, *newest, *every[-1:]], fire_time=FIRE)


@PROPERTY
@given(RUNS)
def test_no_wait_is_for_ever_in_vain(runs):
    """
    One more run that succeeds meets it, whatever has become of the others.
    """
    over = [run for run in (_run(*run) for run in runs) if run.state in FINAL_FLOW_RUN_STATES]
    later = _run(100, 61, "s")

    assert later.run_id == answer(WITHIN, [*over, later], fire_time=FIRE).met_by


def test_a_wait_has_its_bounds():
    """
    How old a run may be, and how long is waited.
    """
    assert (FIRE - 60 * MINUTE, FIRE + 120 * MINUTE) == (oldest(WITHIN, FIRE), deadline(WITHIN, FIRE))
    assert (FIRE, None) == (oldest(SAME, FIRE), deadline(SAME, FIRE))


def test_a_wait_can_be_said_in_words():
    """
    What, how it stands, and until when.
    """
    failed = _run(1, -30, "f")
    nothing, something = Answer(met_by=None, newest=None), Answer(met_by=None, newest=failed)

    assert "the run of flow 'load' of the same fire time; there is none yet" == reason(SAME, nothing, fire_time=FIRE)
    assert (
        f"a run of flow 'load' at most 1 h old; the newest, {run_name(failed.run_id)}, is Failed, until"
        " 2026-06-01T12:00:00Z" == reason(WITHIN, something, fire_time=FIRE)
    )
    assert "waited 2 h for a run of flow 'load' at most 1 h old; there is none yet" == given_up(WITHIN, nothing)


@pytest.mark.parametrize(
    ("seconds", "said"), [(93600, "26 h"), (5400, "90 min"), (90, "90 s"), (0.5, "0.5 s"), (86400.0, "24 h")]
)
def test_a_length_is_said_in_its_largest_whole_unit(seconds, said):
    """
    As a person would write it.
    """
    assert f"a run of flow 'load' at most {said} old" == words(WaitSpec(flow="load", within_s=seconds))
