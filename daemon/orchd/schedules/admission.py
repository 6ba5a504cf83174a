"""
Which held runs may start now, and why the others may not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from orchd.model.ids import FlowRunId
from orchd.model.instants import iso
from orchd.model.specs import Overlap
from orchd.schedules.overlap import Fields

HoldCode = Literal["no_place", "overlap", "not_yet"]

#: Code of a hold -> sentence; the names in braces are its fields.
HOLD_SENTENCES: Final[Mapping[HoldCode, str]] = MappingProxyType(
    {
        "no_place": "held because all {max_runs} places of max_runs are taken",
        "overlap": "held because run {run} of the same schedule is not final yet",
        "not_yet": "held because it is wanted at {at}, which is still to come",
    }
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """
    Why a run is held at this moment; no decision of its slot.
    """

    run_id: FlowRunId
    code: HoldCode
    #: (name, value) pairs in alphabetical order.
    fields: Fields

    @property
    def sentence(self) -> str:
        """
        The reason in words.
        """
        return HOLD_SENTENCES[self.code].format_map(dict(self.fields))


def admit(
    held: Iterable[HeldRun],
    *,
    placed: Mapping[str | None, tuple[FlowRunId, ...]],
    taken: int,
    max_runs: int,
    now: datetime,
    holds: bool = True,
) -> tuple[tuple[FlowRunId, ...], tuple[Hold, ...]]:
    """
    Admit held runs in order of fire time, then schedule name, as long as there are places.

    A run of a schedule waits until all earlier ones of that schedule are final, unless its overlap is ``allow``.

    Args:
        held: the runs, in any order.

        placed: schedule name -> its runs that are neither final nor ``scheduled``.

        taken: places in use.

        max_runs: places in all.

        now: a run wanted later than this is held.

        holds: False when only the admitted runs are wanted.

    Returns:
        The admitted runs in their order, and why each of the others is held.
    """
    in_order = sorted(held, key=_order)
    return admit_in_order(in_order, placed=placed, taken=taken, max_runs=max_runs, now=now, holds=holds)


def admit_in_order(
    held: Iterable[HeldRun],
    *,
    placed: Mapping[str | None, tuple[FlowRunId, ...]],
    taken: int,
    max_runs: int,
    now: datetime,
    holds: bool,
) -> tuple[tuple[FlowRunId, ...], tuple[Hold, ...]]:
    """
    Do what :func:`admit` does with runs that come in order already.

    Args:
        held: by fire time, then schedule name. Without *holds* it is read no further than to the last free place, or
            to the first run that is not wanted yet.
    """
    admitted: list[FlowRunId] = []
    held_back: list[Hold] = []
    ahead = {schedule: runs[0] for schedule, runs in placed.items() if schedule is not None and runs}
    no_place: Fields = (("max_runs", max_runs),)
    free = max_runs - taken
    for run in held:
        if not holds and (len(admitted) >= free or run.fire_time > now):
            break

        earlier = None
        if run.schedule is not None and run.overlap is not Overlap.ALLOW:
            earlier = ahead.get(run.schedule)
            ahead.setdefault(run.schedule, run.run_id)

        if run.fire_time > now:
            held_back.append(Hold(run_id=run.run_id, code="not_yet", fields=(("at", iso(run.fire_time)),)))
        elif earlier is not None:
            held_back.append(Hold(run_id=run.run_id, code="overlap", fields=(("run", earlier),)))
        elif len(admitted) < free:
            admitted.append(run.run_id)
        else:
            held_back.append(Hold(run_id=run.run_id, code="no_place", fields=no_place))

    return tuple(admitted), tuple(held_back) if holds else ()


def _order(run: HeldRun) -> tuple[datetime, str, str]:
    return run.fire_time, run.schedule or "", run.run_id
