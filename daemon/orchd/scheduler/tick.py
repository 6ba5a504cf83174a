"""
One tick: ask the planner what is due, write it down in one transaction, launch what was claimed. No rule lives here.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from orchd import log, operations
from orchd.model.ids import FlowRunId
from orchd.model.instants import from_us, to_us
from orchd.model.slots import Outcome, sentence
from orchd.processes.crash import crash_at
from orchd.scheduler.board import Board, Entry
from orchd.scheduler.chains import Chains
from orchd.scheduler.launching import Launcher
from orchd.scheduler.making import new_run, new_slot, run_id_of
from orchd.schedules.admission import HeldRun, Lane, admit
from orchd.schedules.plan import Plan, ScheduleView, Start, plan_end, plan_tick
from orchd.store import runs, schedules, slots
from orchd.store.database import Connection, Database
from orchd.store.runs import NewRun, RunRow
from orchd.store.slots import NewSlot

_log = log.get("tick")

#: Runs that give up waiting in one transaction, of a herd that does; the others do at the next look, a second later.
_GIVEN_UP_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """
    What one tick's transaction changed.
    """

    claimed: tuple[FlowRunId, ...]
    #: Schedule name -> where its cursor stands now that it was set back.
    rewound: dict[str, datetime]
    touched: tuple[RunRow, ...]


class Ticker:
    """
    Carries plans out. Called by the writer only.
    """

    def __init__(self, database: Database, board: Board, launcher: Launcher, chains: Chains, *, host: str) -> None:
        self._database = database
        self._board = board
        self._launcher = launcher
        self._chains = chains
        self._host = host

    def tick(self, entries: Iterable[Entry], *, now: datetime) -> bool:
        """
        Decide everything that is due for *entries*, and give free places to held runs.

        Returns:
            True when that wrote anything.
        """
        did = self._cancel_more(now)
        did = self._heed_waits(now) or did
        did = self._step(plan_tick(self._views(entries), now=now), now) or did
        if self._board.waits.is_stale:
            # What was made just now may wait for what is there already.
            did = self._heed_waits(now) or did
            did = self._step(Plan(), now) or did
        return did

    def _cancel_more(self, now: datetime) -> bool:
        """
        Go on where a run with very many children was cancelled.
        """
        if not self._chains.may_have_more:
            return False

        with self._database.writing() as conn:
            rows = [runs.get(conn, run_id) for run_id in self._chains.cancel_more(conn, now=now)]
        for row in rows:
            self._board.put_run(row)
        return bool(rows)

    def _heed_waits(self, now: datetime) -> bool:
        """
        Find out what held runs still wait for, and cancel those that have waited too long.
        """
        board = self._board
        if board.waits.is_stale:
            with self._database.reading() as conn:
                board.waits.look(conn)
        if not (overdue := board.waits.overdue(now)[:_GIVEN_UP_AT_ONCE]):
            return False

        with self._database.writing() as conn:
            touched: list[FlowRunId] = []
            for run_id, why in overdue:
                touched += self._chains.cancel_all(conn, [run_id], reason=why, now=now)
            rows = [runs.get(conn, run_id) for run_id in touched]
        for row in rows:
            board.put_run(row)
        return True

    def _step(self, plan: Plan, now: datetime) -> bool:
        admitted = self._admit(plan.starts, now)
        if not (plan.decided or admitted):
            return False

        self._carry_out(plan, admitted, now=now)
        return True

    def end(self, entries: Iterable[Entry], *, now: datetime) -> None:
        """
        Decide everything that is owed for *entries*, whose rules end here, and start nothing.
        """
        plan = plan_end(self._views(entries), now=now)
        if plan.decided:
            self._carry_out(plan, (), now=now)

    def _views(self, entries: Iterable[Entry]) -> list[ScheduleView]:
        return [entry.view(flow_loaded=entry.row.spec.flow in self._board.flows) for entry in entries]

    def _carry_out(self, plan: Plan, admitted: Sequence[FlowRunId], *, now: datetime) -> None:
        board = self._board
        with self._database.writing() as conn:
            written = self._write(conn, plan, admitted, now=now)
            crash_at("tick.uncommitted")
        crash_at("tick.committed")
        for row in written.touched:
            board.put_run(row)
        for run_id in written.claimed:
            self._launcher.launch(board.live[run_id])
        self._move_on(plan, written.rewound)

    def _admit(self, starts: Sequence[Start], now: datetime) -> tuple[FlowRunId, ...]:
        board = self._board
        if board.placed >= board.limits.max_runs:
            return ()

        new: dict[Lane, list[Start]] = {}
        for start in starts:
            new.setdefault(board.entries[start.decision.schedule].lane, []).append(start)
        # Both come in order and are read no further than needed: of ten thousand held runs, a few get a place.
        lanes: dict[Lane, Iterator[HeldRun]] = board.held(all_that_wait=False)
        for lane, coming in new.items():
            lanes[lane] = heapq.merge(lanes.get(lane, ()), map(self._held, coming), key=_order)
        admitted, _ = admit(lanes, taken=board.taken(), limits=board.limits, now=now, holds=False)
        return admitted

    def _held(self, start: Start) -> HeldRun:
        decision, spec = start.decision, self._board.entries[start.decision.schedule].row.spec
        return HeldRun(
            run_id=run_id_of(decision),
            schedule=decision.schedule,
            fire_time=decision.fire_time,
            overlap=spec.overlap,
            # A run that it waits for may be made in the same moment: it is asked for when both are there.
            waits=bool(spec.wait_for),
        )

    def _write(self, conn: Connection, plan: Plan, admitted: Sequence[FlowRunId], *, now: datetime) -> _Written:
        at_us = to_us(now)
        live, entries = self._board.live, self._board.entries
        starts = self._write_slots(conn, plan)
        new = list(self._new_runs(starts, frozenset(admitted)))
        rows = runs.insert_runs(conn, new, at_us=at_us)
        old = [run_id for start, _ in starts for run_id in start.replaces if run_id in live]
        replaced = self._chains.cancel_all(conn, old, reason=operations.REPLACED, now=now)
        held = [run_id for run_id in admitted if run_id in live and run_id not in replaced]
        claimed = runs.claim(conn, held, host=self._host, at_us=at_us)
        for run_id in claimed:
            if met := self._board.waits.met(run_id):
                runs.set_upstream_runs(conn, run_id, met)
        schedules.set_decided(conn, [(entries[name].row.id, to_us(until)) for name, until in plan.decided])
        resumed = [entries[name].row.id for name, _ in plan.decided if entries[name].row.last_pause is not None]
        if resumed:
            schedules.clear_resumed(conn, resumed)
        back = {name: schedules.decided_until(conn, entries[name].row.id) for name in plan.rewound}
        return _Written(
            rewound={name: from_us(until_us) for name, until_us in back.items()},
            claimed=(*claimed, *(run.id for run in new if run.host is not None)),
            touched=(*rows, *(runs.get(conn, run_id) for run_id in (*claimed, *replaced))),
        )

    def _write_slots(self, conn: Connection, plan: Plan) -> list[tuple[Start, NewSlot]]:
        """
        Write every decision down, and return the starts that count.

        One that was decided already (the clock was set back) has its row, and starts nothing.
        """
        made = [new_slot(self._board.entries[decision.schedule], decision) for decision in plan.decisions]
        fresh = slots.insert_slots(conn, made)
        started = (slot for slot in made if slot.outcome is Outcome.STARTED)
        return [
            (start, slot)
            for start, slot in zip(plan.starts, started, strict=True)
            if (slot.schedule_id, slot.fire_time_us) in fresh
        ]

    def _new_runs(self, starts: Iterable[tuple[Start, NewSlot]], admitted: frozenset[FlowRunId]) -> Iterator[NewRun]:
        board = self._board
        for start, slot in starts:
            entry = board.entries[start.decision.schedule]
            host = self._host if slot.run_id in admitted else None
            yield new_run(entry, board.flows[entry.row.spec.flow], start.decision, slot, host=host)

    def _move_on(self, plan: Plan, rewound: Mapping[str, datetime]) -> None:
        """
        Note up to where each schedule is decided, and compute its next fire time: after the launch, not before it.
        """
        for name, until in (dict(plan.decided) | dict(rewound)).items():
            entry = self._board.entries[name]
            entry.row = msgspec.structs.replace(
                entry.row, decided_until_us=to_us(until), last_pause=None, resumed_at_us=None
            )
            entry.next_fire = entry.rule.next_after(until)
        for decision in plan.decisions:
            if decision.outcome is not Outcome.STARTED:
                _log.info(
                    "slot_not_started",
                    schedule=decision.schedule,
                    fire_time=decision.fire_time.isoformat(),
                    outcome=decision.outcome.value,
                    why=sentence(decision.reason, dict(decision.fields)),
                )
        for name in plan.rewound:
            _log.warning("cursor_set_back", schedule=name, why="the clock was set back by 3 hours or more")


def _order(run: HeldRun) -> tuple[datetime, str, str]:
    return run.fire_time, run.schedule or "", run.run_id
