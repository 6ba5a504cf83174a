"""
Which held runs may start now, and why the others may not.

Held runs stand in lanes: all runs of one lane have the same priority, the same pool and, when their flow has a limit
of its own, the same flow. So one run that finds its pool or its flow full speaks for its whole lane, and no lane is
read any further than to where places, or the runs that are wanted by now, end.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from orchd.model.ids import FlowRunId
from orchd.model.instants import iso
from orchd.model.specs import Overlap
from orchd.schedules.overlap import Fields

HoldCode = Literal["no_place", "overlap", "not_yet", "wait", "pool", "flow"]

#: Code of a hold -> sentence; the names in braces are its fields.
HOLD_SENTENCES: Final[Mapping[HoldCode, str]] = MappingProxyType(
    {
        "no_place": "held because all {max_runs} places of max_runs are taken",
        "overlap": "held because run {run} of the same schedule is not final yet",
        "not_yet": "held because it is wanted at {at}, which is still to come",
        "wait": "held because it waits for {wait}",
        "pool": "held because {places} of pool '{pool}' {are} taken by {runs}{more}",
        "flow": "held because flow '{flow}' may have {places} at once (its max_runs), and so many go on: {runs}{more}",
    }
)

#: So many runs are named in a sentence; of the others it says how many there are.
_NAMED: Final = 3


class Lane(NamedTuple):
    """
    What the held runs of one lane have in common. A tuple, because it is a key for each of ten thousand runs of a herd.
    """

    #: Higher ones get a place first.
    priority: int = 0
    pool: str | None = None
    #: Their flow, when it has a limit of its own; else None.
    flow: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How many runs may go on at once.
    """

    #: Places in all.
    max_runs: int
    #: Pool -> its places. A pool that is not here has no end.
    pools: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    #: Flow -> its own ``max_runs``, for those that have one.
    flows: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """
    What goes on already. A ``waiting`` run has no place: it is only in *begun*.
    """

    #: Places of ``max_runs`` in use.
    places: int = 0
    #: Schedule name -> its runs that are neither final nor ``scheduled``, oldest first.
    begun: Mapping[str | None, Sequence[FlowRunId]] = field(default_factory=lambda: MappingProxyType({}))
    #: Pool -> the runs that have its places; flow with a limit of its own -> the same.
    pools: Mapping[str, Sequence[FlowRunId]] = field(default_factory=lambda: MappingProxyType({}))
    flows: Mapping[str, Sequence[FlowRunId]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRun:
    """
    A run that is ``scheduled``.
    """

    run_id: FlowRunId
    #: None for a run that a person started.
    schedule: str | None
    #: Of a run that a person started: when it was wanted.
    fire_time: datetime
    overlap: Overlap
    #: It waits for a run of another flow.
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """
    Why a run is held at this moment; no decision of its slot.
    """

    run_id: FlowRunId
    code: HoldCode
    #: (name, value) pairs in alphabetical order. Of ``wait`` there are none: for what is its asker's to say.
    fields: Fields = ()

    @property
    def sentence(self) -> str:
        """
        The reason in words.
        """
        return HOLD_SENTENCES[self.code].format_map(dict(self.fields))


def admit(
    lanes: Mapping[Lane, Iterable[HeldRun]], *, taken: Taken, limits: Limits, now: datetime, holds: bool = True
) -> tuple[tuple[FlowRunId, ...], tuple[Hold, ...]]:
    """
    Admit held runs in order of priority, then fire time, then schedule name, as long as there are places.

    A run of a schedule waits until all earlier ones of that schedule are final, unless its overlap is ``allow``. One
    that may not start takes no place from those behind it.

    Args:
        lanes: the held runs; those of each lane in order of fire time, then schedule name, then id.

        now: a run wanted later than this is held.

        holds: False when only the admitted runs are wanted; then each lane is read no further than needed.

    Returns:
        The admitted runs in their order, and why each of the others is held.
    """
    gate = _Gate(taken, limits, now)
    admitted: list[FlowRunId] = []
    held_back: list[Hold] = []
    queue = _Queue(lanes)
    while (head := queue.head) is not None and (holds or gate.free > 0):
        lane, run = head
        if not holds and gate.is_shut(lane, run):
            queue.drop_lane()
            continue

        hold = gate.hold(lane, run)
        if hold is None:
            admitted.append(run.run_id)
        elif holds:
            held_back.append(hold)
        queue.step()

    return tuple(admitted), tuple(held_back)


class _Queue:
    """
    The heads of all lanes, the one that is next in front.
    """

    def __init__(self, lanes: Mapping[Lane, Iterable[HeldRun]]) -> None:
        readers = ((lane, iter(runs)) for lane, runs in lanes.items())
        self._heads = [
            (_order(lane, run), lane, run, rest) for lane, rest in readers if (run := next(rest, None)) is not None
        ]
        heapq.heapify(self._heads)

    @property
    def head(self) -> tuple[Lane, HeldRun] | None:
        return self._heads[0][1:3] if self._heads else None

    def step(self) -> None:
        _, lane, _, rest = self._heads[0]
        run = next(rest, None)
        if run is None:
            self.drop_lane()
        else:
            heapq.heapreplace(self._heads, (_order(lane, run), lane, run, rest))

    def drop_lane(self) -> None:
        heapq.heappop(self._heads)


class _Gate:
    """
    What is taken while one run after another is let in.
    """

    def __init__(self, taken: Taken, limits: Limits, now: datetime) -> None:
        self._limits = limits
        self._now = now
        self.free = limits.max_runs - taken.places
        self._ahead = {name: runs[0] for name, runs in taken.begun.items() if name is not None and runs}
        self._pools = {pool: list(runs) for pool, runs in taken.pools.items()}
        self._flows = {flow: list(runs) for flow, runs in taken.flows.items()}

    def is_shut(self, lane: Lane, run: HeldRun) -> bool:
        """
        True when neither *run* nor any behind it in its lane can be let in.
        """
        return run.fire_time > self._now or self._is_pool_full(lane) or self._is_flow_full(lane)

    def hold(self, lane: Lane, run: HeldRun) -> Hold | None:
        """
        Say why *run* is held, or let it in.
        """
        earlier = None
        if run.schedule is not None and run.overlap is not Overlap.ALLOW:
            earlier = self._ahead.get(run.schedule)
            self._ahead.setdefault(run.schedule, run.run_id)

        if run.fire_time > self._now:
            return Hold(run_id=run.run_id, code="not_yet", fields=(("at", iso(run.fire_time)),))
        if run.waits:
            return Hold(run_id=run.run_id, code="wait")
        if earlier is not None:
            return Hold(run_id=run.run_id, code="overlap", fields=(("run", earlier),))
        if self._is_pool_full(lane):
            return Hold(run_id=run.run_id, code="pool", fields=self._pool_fields(lane.pool or ""))
        if self._is_flow_full(lane):
            return Hold(run_id=run.run_id, code="flow", fields=self._flow_fields(lane.flow or ""))
        if self.free <= 0:
            return Hold(run_id=run.run_id, code="no_place", fields=(("max_runs", self._limits.max_runs),))

        self.free -= 1
        if lane.pool is not None:
            self._pools.setdefault(lane.pool, []).append(run.run_id)
        if lane.flow is not None:
            self._flows.setdefault(lane.flow, []).append(run.run_id)
        return None

    def _is_pool_full(self, lane: Lane) -> bool:
        return _is_full(lane.pool, self._pools, self._limits.pools)

    def _is_flow_full(self, lane: Lane) -> bool:
        return _is_full(lane.flow, self._flows, self._limits.flows)

    def _pool_fields(self, pool: str) -> Fields:
        places = self._limits.pools[pool]
        words = {1: "the only place", 2: "both places"}.get(places, f"all {places} places")
        more, runs = _named(self._pools[pool])
        return (("are", "is" if places == 1 else "are"), more, ("places", words), ("pool", pool), runs)

    def _flow_fields(self, flow: str) -> Fields:
        places = self._limits.flows[flow]
        more, runs = _named(self._flows[flow])
        return (("flow", flow), more, ("places", f"{places} run{'' if places == 1 else 's'}"), runs)


def _is_full(name: str | None, taken: Mapping[str, Sequence[FlowRunId]], places: Mapping[str, int]) -> bool:
    return name is not None and name in places and len(taken.get(name, ())) >= places[name]


def _named(runs: Sequence[FlowRunId]) -> Fields:
    beyond = len(runs) - _NAMED
    return (("more", f" and {beyond} more" if beyond > 0 else ""), ("runs", ", ".join(runs[:_NAMED])))


def _order(lane: Lane, run: HeldRun) -> tuple[int, datetime, str, str]:
    return -lane.priority, run.fire_time, run.schedule or "", run.run_id
