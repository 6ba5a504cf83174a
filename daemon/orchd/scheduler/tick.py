"""
One tick: ask the planner what is due, write it down in one transaction, launch what was claimed. No rule lives here.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from orchd import log, operations
from orchd.model.ids import FlowRunId
from orchd.model.instants import to_us
from orchd.model.slots import Outcome, sentence
from orchd.scheduler.board import Board, Entry
from orchd.scheduler.launching import Launcher
from orchd.scheduler.making import new_run, new_slot, run_id_of
from orchd.schedules.plan import HeldRun, Plan, Start, admit, plan_tick
from orchd.store import runs, schedules, slots
from orchd.store.database import Connection, Database
from orchd.store.runs import NewRun, RunRow

_log = log.get("tick")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """
    What one tick's transaction changed.
    """

    claimed: tuple[FlowRunId, ...]
    touched: tuple[RunRow, ...]


class Ticker:
    """
    Carries plans out. Called by the writer only.

    Args:
        max_runs: places on this host.
    """

    def __init__(self, database: Database, board: Board, launcher: Launcher, *, host: str, max_runs: int) -> None:
        self._database = database
        self._board = board
        self._launcher = launcher
        self._host = host
        self.max_runs = max_runs

    def tick(self, entries: Iterable[Entry], *, now: datetime) -> None:
        """
        Decide everything that is due for *entries*, and give free places to held runs.
        """
        board = self._board
        plan = plan_tick([entry.view(flow_loaded=entry.row.spec.flow in board.flows) for entry in entries], now=now)
        admitted = self._admit(plan.starts, now)
        if not (plan.decided or admitted):
            return

        with self._database.writing() as conn:
            written = self._write(conn, plan, admitted, now=now)
        for row in written.touched:
            board.put_run(row)
        for run_id in written.claimed:
            self._launcher.launch(board.live[run_id])
        self._move_on(plan)

    def _admit(self, starts: Sequence[Start], now: datetime) -> tuple[FlowRunId, ...]:
        board = self._board
        if board.placed >= self.max_runs:
            return ()

        new = [
            HeldRun(
                run_id=run_id_of(start.decision),
                schedule=start.decision.schedule,
                fire_time=start.decision.fire_time,
                overlap=board.entries[start.decision.schedule].row.spec.overlap,
            )
            for start in starts
        ]
        admitted, _ = admit(
            list(heapq.merge(board.held(), new, key=lambda run: (run.fire_time, run.schedule or "", run.run_id))),
            placed=board.begun(),
            taken=board.placed,
            max_runs=self.max_runs,
            now=now,
            holds=False,
        )
        return admitted

    def _write(self, conn: Connection, plan: Plan, admitted: tuple[FlowRunId, ...], *, now: datetime) -> _Written:
        at_us = to_us(now)
        board = self._board
        entries = board.entries
        fresh = slots.insert_slots(conn, [new_slot(entries[d.schedule], d) for d in plan.decisions])
        new: list[NewRun] = []
        replaced: list[FlowRunId] = []
        for start in plan.starts:
            decision = start.decision
            entry = entries[decision.schedule]
            # One that was decided already (the clock was set back) has its row, and starts nothing.
            if (entry.row.id, to_us(decision.fire_time)) in fresh:
                host = self._host if run_id_of(decision) in admitted else None
                new.append(new_run(entry, board.flows[entry.row.spec.flow], decision, host=host))
                replaced += start.replaces
        runs.insert_runs(conn, new, at_us=at_us)
        for run_id in replaced:
            if run_id in board.live:
                run = board.live[run_id]
                operations.cancel_run(conn, run.row, run.folder, reason=operations.REPLACED, now=now)
        held = [run_id for run_id in admitted if run_id in board.live and run_id not in replaced]
        claimed = runs.claim(conn, held, host=self._host, at_us=at_us)
        schedules.set_decided(conn, [(entries[name].row.id, to_us(until)) for name, until in plan.decided])
        resumed = [entries[name].row.id for name, _ in plan.decided if entries[name].row.last_pause is not None]
        if resumed:
            schedules.clear_resumed(conn, resumed)
        touched = (*(run.id for run in new), *claimed, *(run_id for run_id in replaced if run_id in board.live))
        return _Written(
            claimed=(*claimed, *(run.id for run in new if run.host is not None)),
            touched=tuple(runs.get(conn, run_id) for run_id in touched),
        )

    def _move_on(self, plan: Plan) -> None:
        """
        Note up to where each schedule is decided, and compute its next fire time: after the launch, not before it.
        """
        for name, until in plan.decided:
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
