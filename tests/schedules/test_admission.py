"""
Which held runs are admitted, and why the others wait.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.model.ids import FlowRunId
from orchd.model.specs import Overlap
from orchd.schedules.plan import HeldRun, admit
from schedules.samples import MINUTE, PROPERTY, utc

NOW = utc("2026-06-01 10:00")


def _held(name: str, *, minutes: int = 0, overlap: str = "skip") -> HeldRun:
    """
    Return a held run; ``load/1`` is the run ``load/1`` of schedule ``load``, ``1`` the run of a person.
    """
    return HeldRun(
        run_id=FlowRunId(name),
        schedule=name.split("/")[0] if "/" in name else None,
        fire_time=NOW + minutes * MINUTE,
        overlap=Overlap(overlap),
    )


@pytest.mark.parametrize(
    ("held", "placed", "free", "admitted", "holds"),
    [
        ([], {}, 8, "", ""),
        ([_held("b/1"), _held("a/1"), _held("c/1", minutes=-1)], {}, 8, "c/1 a/1 b/1", ""),
        ([_held("b/1"), _held("a/1")], {}, 1, "a/1", "b/1:no_place"),
        ([_held("a/1")], {}, 0, "", "a/1:no_place"),
        ([_held("a/1")], {}, -3, "", "a/1:no_place"),
        ([_held("1", minutes=1)], {}, 8, "", "1:not_yet"),
        ([_held("1"), _held("2")], {None: ("x",)}, 8, "1 2", ""),
        ([_held("a/2", overlap="queue")], {"a": ("a/1",)}, 8, "", "a/2:overlap"),
        ([_held("a/2", overlap="replace")], {"a": ("a/1",)}, 8, "", "a/2:overlap"),
        ([_held("a/2", overlap="skip")], {"a": ("a/1",)}, 8, "", "a/2:overlap"),
        ([_held("a/2", overlap="allow")], {"a": ("a/1",)}, 8, "a/2", ""),
        ([_held("a/2", overlap="queue")], {"a": (), "b": ("b/1",)}, 8, "a/2", ""),
        (
            [_held("a/3", overlap="queue"), _held("a/2", minutes=-1, overlap="queue")],
            {},
            8,
            "a/2",
            "a/3:overlap",
        ),
        (
            [_held("a/2", minutes=-1, overlap="queue"), _held("a/3", overlap="queue"), _held("b/1", minutes=-2)],
            {},
            1,
            "b/1",
            "a/2:no_place a/3:overlap",
        ),
    ],
)
def test_held_runs_are_admitted_so(held, placed, free, admitted, holds):
    """
    By fire time, then name, while there are places, and never beside an earlier run of the same schedule.
    """
    runs, held_back = admit(held, placed=placed, taken=8 - free, max_runs=8, now=NOW)

    assert admitted.split() == list(runs)
    assert holds.split() == [f"{each.run_id}:{each.code}" for each in held_back]


def test_each_hold_can_be_said_in_a_sentence():
    """
    The sentence names the run, the time or the number that is in the way.
    """
    held = [_held("a/2"), _held("b/1"), _held("1", minutes=5)]
    _, holds = admit(held, placed={"a": (FlowRunId("a/1"),)}, taken=2, max_runs=2, now=NOW)

    assert [
        "held because run a/1 of the same schedule is not final yet",
        "held because all 2 places of max_runs are taken",
        "held because it is wanted at 2026-06-01T10:05:00Z, which is still to come",
    ] == [each.sentence for each in holds]


@PROPERTY
@given(
    st.lists(
        st.builds(
            HeldRun,
            run_id=st.integers(0, 10**6).map(str),
            schedule=st.sampled_from([None, "a", "b"]),
            fire_time=st.integers(-9, 3).map(lambda minutes: NOW + timedelta(minutes=minutes)),
            overlap=st.sampled_from(Overlap),
        ),
        unique_by=lambda run: run.run_id,
    ),
    st.integers(-1, 9),
)
def test_without_holds_the_same_runs_are_admitted(held, free):
    """
    The quick answer of a tick is that of the full one, each run is admitted or held, and places are never exceeded.
    """
    placed = {"a": (FlowRunId("x"),)}
    admitted, holds = admit(held, placed=placed, taken=8 - free, max_runs=8, now=NOW)

    assert (admitted, ()) == admit(held, placed=placed, taken=8 - free, max_runs=8, now=NOW, holds=False)
    assert sorted(run.run_id for run in held) == sorted([*admitted, *(hold.run_id for hold in holds)])
    assert len(admitted) <= max(free, 0)
