"""
Which held runs are admitted, and why the others wait.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.model.ids import FlowRunId
from orchd.model.specs import Overlap
from orchd.schedules.admission import HeldRun, Hold, Lane, Limits, Taken, admit
from schedules.samples import MINUTE, PROPERTY, utc

NOW = utc("2026-06-01 10:00")
PLAIN = Lane()

Lanes = dict[Lane, list[HeldRun]]


def _held(name: str, *, minutes: int = 0, overlap: str = "skip", waits: bool = False) -> HeldRun:
    """
    Return a held run; ``load/1`` is the run ``load/1`` of schedule ``load``, ``1`` the run of a person.
    """
    return HeldRun(
        run_id=FlowRunId(name),
        schedule=name.split("/")[0] if "/" in name else None,
        fire_time=NOW + minutes * MINUTE,
        overlap=Overlap(overlap),
        waits=waits,
    )


def _order(run: HeldRun) -> tuple[object, ...]:
    return run.fire_time, run.schedule or "", run.run_id


def _plain(held: Iterable[HeldRun]) -> Lanes:
    return {PLAIN: sorted(held, key=_order)}


def _told(holds: Iterable[Hold]) -> list[str]:
    return [f"{each.run_id}:{each.code}" for each in holds]


@pytest.mark.parametrize(
    ("held", "begun", "free", "admitted", "holds"),
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
        ([_held("a/3", overlap="queue"), _held("a/2", minutes=-1, overlap="queue")], {}, 8, "a/2", "a/3:overlap"),
        (
            [_held("a/2", minutes=-1, overlap="queue"), _held("a/3", overlap="queue"), _held("b/1", minutes=-2)],
            {},
            1,
            "b/1",
            "a/2:no_place a/3:overlap",
        ),
        ([_held("a/1", waits=True), _held("c/1")], {}, 1, "c/1", "a/1:wait"),
        (
            [_held("a/1", minutes=-1, overlap="queue", waits=True), _held("a/2", overlap="queue")],
            {},
            8,
            "",
            "a/1:wait a/2:overlap",
        ),
    ],
)
def test_held_runs_are_admitted_so(held, begun, free, admitted, holds):
    """
    By fire time, then name, while there are places, and never beside an earlier run of the same schedule.
    """
    taken = Taken(places=8 - free, begun=begun)
    runs, held_back = admit(_plain(held), taken=taken, limits=Limits(max_runs=8), now=NOW)

    assert admitted.split() == list(runs)
    assert holds.split() == _told(held_back)


HIGH, GPU, ONE = Lane(priority=5), Lane(pool="gpu"), Lane(flow="one")
HIGH_GPU = Lane(priority=5, pool="gpu")


@pytest.mark.parametrize(
    ("lanes", "taken", "admitted", "holds"),
    [
        ({PLAIN: [_held("a/1", minutes=-9)], HIGH: [_held("b/1")]}, Taken(places=7), "b/1", "a/1:no_place"),
        ({Lane(priority=-1): [_held("a/1")], PLAIN: [_held("b/1")]}, Taken(places=7), "b/1", "a/1:no_place"),
        ({GPU: [_held("1"), _held("2"), _held("3")]}, Taken(), "1 2", "3:pool"),
        ({GPU: [_held("1")], HIGH_GPU: [_held("2")]}, Taken(pools={"gpu": ("x",)}), "2", "1:pool"),
        # One that finds its pool full keeps nobody back.
        ({HIGH_GPU: [_held("1")], PLAIN: [_held("2")]}, Taken(pools={"gpu": ("x", "y")}), "2", "1:pool"),
        ({ONE: [_held("1"), _held("2")], PLAIN: [_held("3", minutes=1)]}, Taken(), "1", "2:flow 3:not_yet"),
        ({ONE: [_held("1")]}, Taken(flows={"one": ("x",)}), "", "1:flow"),
        # Runs that came back from waiting may be more than there are places.
        ({ONE: [_held("1")], PLAIN: [_held("2")]}, Taken(flows={"one": ("x", "y")}), "2", "1:flow"),
        ({Lane(pool="gone"): [_held("1"), _held("2"), _held("3")]}, Taken(), "1 2 3", ""),
        # A run that waits takes no place from the next of its pool.
        ({GPU: [_held("1", waits=True), _held("2")]}, Taken(pools={"gpu": ("x",)}), "2", "1:wait"),
    ],
)
def test_lanes_are_served_so(lanes, taken, admitted, holds):
    """
    The higher priority first, and what is full keeps only its own lane back.
    """
    limits = Limits(max_runs=8, pools={"gpu": 2}, flows={"one": 1})
    runs, held_back = admit(lanes, taken=taken, limits=limits, now=NOW)

    assert admitted.split() == list(runs)
    assert holds.split() == _told(held_back)


def test_each_hold_can_be_said_in_a_sentence():
    """
    The sentence names the runs, the time or the number that is in the way.
    """
    lanes = {
        PLAIN: [_held("1", minutes=5), _held("a/2"), _held("b/1")],
        Lane(pool="gpu"): [_held("c/1")],
        Lane(pool="disk"): [_held("d/1")],
        Lane(pool="wide"): [_held("e/1")],
        Lane(flow="one"): [_held("f/1")],
        Lane(flow="two"): [_held("g/1")],
    }
    taken = Taken(
        places=2,
        begun={"a": ("a/1",)},
        pools={"gpu": ("x", "y"), "disk": ("x",), "wide": ("p", "q", "r", "s", "t")},
        flows={"one": ("x",), "two": ("x", "y")},
    )
    limits = Limits(max_runs=2, pools={"gpu": 2, "disk": 1, "wide": 5}, flows={"one": 1, "two": 2})
    _, holds = admit(
        {lane: sorted(runs, key=_order) for lane, runs in lanes.items()}, taken=taken, limits=limits, now=NOW
    )

    assert [
        "held because run a/1 of the same schedule is not final yet",
        "held because all 2 places of max_runs are taken",
        "held because both places of pool 'gpu' are taken by x, y",
        "held because the only place of pool 'disk' is taken by x",
        "held because all 5 places of pool 'wide' are taken by p, q, r and 2 more",
        "held because flow 'one' may have 1 run at once (its max_runs), and so many go on: x",
        "held because flow 'two' may have 2 runs at once (its max_runs), and so many go on: x, y",
        "held because it is wanted at 2026-06-01T10:05:00Z, which is still to come",
    ] == [each.sentence for each in holds]


LANES = st.builds(
    Lane,
    priority=st.integers(-1, 1),
    pool=st.sampled_from([None, "gpu", "disk"]),
    flow=st.sampled_from([None, "one"]),
)
#: Held runs by lane. A schedule is in one lane only, as in life, where it has one flow, one pool and one priority.
WORLDS = st.lists(
    st.tuples(
        LANES,
        st.lists(
            st.tuples(st.booleans(), st.integers(-9, 3), st.sampled_from(Overlap), st.booleans()),
            max_size=6,
        ),
    ),
    max_size=6,
    unique_by=lambda pair: pair[0],
)
LIMITS = st.builds(
    Limits,
    max_runs=st.integers(0, 9),
    pools=st.fixed_dictionaries({"gpu": st.integers(1, 3), "disk": st.integers(1, 9)}),
    flows=st.fixed_dictionaries({"one": st.integers(1, 3)}),
)
TAKEN = st.builds(
    Taken,
    places=st.integers(0, 9),
    begun=st.sampled_from([{}, {"s0": ("x",)}]),
    pools=st.sampled_from([{}, {"gpu": ("x",)}, {"gpu": ("x", "y"), "disk": ("z",)}]),
    flows=st.sampled_from([{}, {"one": ("x",)}]),
)


def _world(drawn: list) -> Lanes:
    numbers = iter(range(1000))
    return {
        lane: sorted(
            (
                HeldRun(
                    run_id=FlowRunId(f"{next(numbers):03}"),
                    schedule=f"s{place}" if scheduled else None,
                    fire_time=NOW + timedelta(minutes=minutes),
                    overlap=overlap,
                    waits=waits,
                )
                for scheduled, minutes, overlap, waits in runs
            ),
            key=_order,
        )
        for place, (lane, runs) in enumerate(drawn)
    }


def _one_after_the_other(lanes: Lanes, taken: Taken, limits: Limits) -> Iterator[FlowRunId]:
    """
    Admit in the plainest way that there is: all runs in one row, each asked whether anything is in its way.
    """
    row = sorted(((lane, run) for lane in lanes for run in lanes[lane]), key=lambda p: (-p[0].priority, _order(p[1])))
    places = limits.max_runs - taken.places
    used = Counter({("pool", pool): len(runs) for pool, runs in taken.pools.items()})
    used.update({("flow", flow): len(runs) for flow, runs in taken.flows.items()})
    ahead = {name for name, runs in taken.begun.items() if runs}
    for lane, run in row:
        alone = run.schedule is not None and run.overlap is not Overlap.ALLOW
        is_first = not alone or run.schedule not in ahead
        if alone:
            ahead.add(run.schedule)
        asked = [("pool", lane.pool, limits.pools), ("flow", lane.flow, limits.flows)]
        fits = all(name is None or used[kind, name] < most[name] for kind, name, most in asked)
        if places > 0 and is_first and fits and run.fire_time <= NOW and not run.waits:
            places -= 1
            used.update((kind, name) for kind, name, _ in asked if name is not None)
            yield run.run_id


@PROPERTY
@given(WORLDS, TAKEN, LIMITS)
def test_nobody_who_could_start_is_kept_back_and_nothing_is_overfilled(drawn, taken, limits):
    """
    The lanes give what one long row would: places are never exceeded, the higher priority comes first, and no place is
    left free while a run is held that might have it.
    """
    lanes = _world(drawn)
    admitted, holds = admit(lanes, taken=taken, limits=limits, now=NOW)

    assert list(_one_after_the_other(lanes, taken, limits)) == list(admitted)
    every = {run.run_id: lane for lane, runs in lanes.items() for run in runs}
    assert sorted(every) == sorted([*admitted, *(hold.run_id for hold in holds)])
    for pool, most in limits.pools.items():
        had = len(taken.pools.get(pool, ()))
        assert sum(every[run].pool == pool for run in admitted) <= max(0, most - had)
    assert len(admitted) <= max(0, limits.max_runs - taken.places)


@PROPERTY
@given(WORLDS, TAKEN, LIMITS)
def test_without_holds_the_same_runs_are_admitted(drawn, taken, limits):
    """
    The quick answer of a tick is that of the full one.
    """
    lanes = _world(drawn)
    admitted, _ = admit(lanes, taken=taken, limits=limits, now=NOW)

    assert (admitted, ()) == admit(lanes, taken=taken, limits=limits, now=NOW, holds=False)


@pytest.mark.parametrize(
    ("lane", "limits", "minutes"),
    [
        (PLAIN, Limits(max_runs=3), 0),
        (GPU, Limits(max_runs=99, pools={"gpu": 3}), 0),
        (ONE, Limits(max_runs=99, flows={"one": 3}), 0),
        (PLAIN, Limits(max_runs=99), 1),
    ],
)
def test_a_lane_is_read_no_further_than_needed(lane: Lane, limits: Limits, minutes: int) -> None:
    """
    Of ten thousand held runs a few get a place, and the others cost nothing.
    """
    read: list[HeldRun] = []

    def reading() -> Iterator[HeldRun]:
        for number in range(10_000):
            read.append(_held(f"{number:05}", minutes=minutes))
            yield read[-1]

    admitted, _ = admit({lane: reading()}, taken=Taken(), limits=limits, now=NOW, holds=False)

    assert (0 if minutes else 3) == len(admitted)
    assert len(read) <= 4
