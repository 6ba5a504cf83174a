"""
Flows that wait for flows: what the finish of a run causes, written in the transaction of that finish.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from orchd import operations
from orchd.model.ids import FlowRunId
from orchd.model.instants import from_us, to_us
from orchd.model.states import FlowRunState
from orchd.processes.folder import RunFolder
from orchd.scheduler.board import Board, Entry
from orchd.scheduler.cancels import Cancels
from orchd.scheduler.making import new_run, new_slot
from orchd.schedules.joins import COUNTED, Finish, JoinDecision, JoinView, judge_join
from orchd.schedules.streaks import failures_in_a_row
from orchd.store import runs, schedules, slots, streaks, upkeep
from orchd.store.database import Connection
from orchd.store.runs import RunRow

#: How far behind the last join the cursor of a waiting schedule stays, so that a finish that is learnt of late still
#: counts, and the search for finishes does not walk the whole history.
_LOOK_BACK_US: Final = timedelta(days=1) // timedelta(microseconds=1)

#: Children cancelled in one transaction: a few hundred milliseconds; the next piece comes with the next tick.
_CHILDREN_AT_ONCE: Final = 200
#: The daemon's value for a cancelled run: the numbers of its last child that had its turn, and of the last of all.
_CANCELLED: Final = "cancelled_children:"


class Chains:
    """
    Starts what waits. Called by the writer only.
    """

    def __init__(self, board: Board, cancels: Cancels) -> None:
        self._board = board
        self._cancels = cancels
        #: The store may know of children that are still to be cancelled.
        self._may_have_more = True

    def cancel(self, conn: Connection, row: RunRow, *, reason: str, now: datetime) -> list[FlowRunId]:
        """
        Cancel a run, and decide what waits for its flow when it is over at once; else it is asked to end at the next
        look, which comes after the commit.

        Args:
            row: as the store has it in this transaction.

        Returns:
            The runs that this touched, its own first: those that it started are cancelled too.

        Raises:
            StaleRun: it is over already.
        """
        folder = RunFolder(self._board.runs_folder / row.id)
        if not operations.cancel_run(conn, row, folder, reason=reason, now=now):
            self._cancels.wish(row.id, reason)
            return [row.id, *self._cancel_children(conn, row, now=now)]

        return [row.id, *self.on_finish(conn, row, state=FlowRunState.CANCELLED, ended_at_us=to_us(now))]

    def cancel_all(
        self, conn: Connection, run_ids: Iterable[FlowRunId], *, reason: str, now: datetime
    ) -> list[FlowRunId]:
        """
        Cancel those of *run_ids* that are not over yet.

        Returns:
            The runs that this touched.
        """
        touched: list[FlowRunId] = []
        for run_id in run_ids:
            # Of this transaction, not of the board: what the end of one of them starts may have cancelled another.
            row = runs.get(conn, run_id)
            if not row.state.is_final:
                touched += self.cancel(conn, row, reason=reason, now=now)
        return touched

    def _cancel_children(self, conn: Connection, parent: RunRow, *, now: datetime) -> list[FlowRunId]:
        return self._cancel_piece(conn, parent, after=0, last=None, now=now)

    def _cancel_piece(
        self, conn: Connection, parent: RunRow, *, after: int, last: int | None, now: datetime
    ) -> list[FlowRunId]:
        """
        Cancel the next children of *parent*, and keep in this transaction that there are more.

        Args:
            after: number of the last child that has had its turn.

            last: number of the last one; what a resume of a child made later goes on. None for all that there are.
        """
        rows = [run.row for run in self._board.children_of(parent.id) if run.row.number > after]
        left = sorted((row for row in rows if last is None or row.number <= last), key=_number)
        some = left[:_CHILDREN_AT_ONCE]
        if len(left) > len(some):
            self._may_have_more = True
            upkeep.put_state(conn, _CANCELLED + parent.id, f"{some[-1].number} {left[-1].number}", at_us=to_us(now))
        elif after:
            upkeep.drop_state(conn, _CANCELLED + parent.id)
        reason = f"run {parent.name}, which started it, was cancelled"
        return self.cancel_all(conn, [row.id for row in some], reason=reason, now=now)

    @property
    def may_have_more(self) -> bool:
        """
        Children of a cancelled run may be left for :meth:`cancel_more`; true after a start of the daemon, too.
        """
        return self._may_have_more

    def cancel_more(self, conn: Connection, *, now: datetime) -> list[FlowRunId]:
        """
        Cancel some more of the children of a run that was cancelled with very many.

        Returns:
            The runs that this touched.
        """
        kept = upkeep.states(conn, _CANCELLED)
        if not kept:
            self._may_have_more = False
            return []

        first = kept[0]
        parent = runs.find(conn, FlowRunId(first.key.removeprefix(_CANCELLED)))
        if parent is None:
            upkeep.drop_state(conn, first.key)
            return []

        after, last = map(int, first.value.split())
        return self._cancel_piece(conn, parent, after=after, last=last, now=now)

    def on_finish(self, conn: Connection, row: RunRow, *, state: FlowRunState, ended_at_us: int) -> list[FlowRunId]:
        """
        Decide every schedule that waits for the flow of run *row*, which has just become *state*; a cancelled run takes
        the runs with it that it started.

        Returns:
            The runs that this made or cancelled.
        """
        self._count_failures(conn, row, state, ended_at_us)
        finish = Finish(flow=row.flow, run_id=row.id, state=state, ended_at=from_us(ended_at_us))
        touched: list[FlowRunId] = []
        if state is FlowRunState.CANCELLED:
            touched += self._cancel_children(conn, row, now=finish.ended_at)
        for entry in self._board.joins_of(finish.flow):
            touched += self._judge(conn, entry, finish)
        return touched

    def pass_over(self, conn: Connection, row: RunRow, *, ended_at_us: int) -> None:
        """
        Have the finish of run *row* count for nobody, as the next attempt goes on from it.
        """
        for entry in self._board.joins_of(row.flow):
            slots.mark_used(conn, entry.row.id, [row.id], ended_at_us)

    def _count_failures(self, conn: Connection, row: RunRow, state: FlowRunState, ended_at_us: int) -> None:
        """
        Pause the schedule of run *row* when that was one failure in a row too many.
        """
        entry = self._board.entries.get(row.schedule or "")
        most = None if entry is None else entry.row.spec.pause_after_failures
        if entry is None or most is None or row.fire_time_us is None:
            return

        name = entry.row.spec.name
        failed = failures_in_a_row(streaks.get(conn, name), row.fire_time_us, state)
        streaks.put(conn, name, failed, at_us=ended_at_us)
        if len(failed) >= most:
            runs_failed = "the last run" if most == 1 else f"the last {most} runs in a row"
            note = f"{runs_failed} failed, {row.name} as {state.shown}"
            schedules.pause(conn, name, who="orchd", note=note, at_us=ended_at_us)

    def _judge(self, conn: Connection, entry: Entry, finish: Finish) -> list[FlowRunId]:
        row = entry.row
        view = entry.view(flow_loaded=row.spec.flow in self._board.flows)
        # Of the store, not of the board: each join moves it on, so that the search does not walk more and more.
        decided_us = schedules.decided_until(conn, row.id)
        unused = slots.newest_finishes(conn, row.id, row.spec.after, COUNTED[row.spec.when], decided_us)
        join = judge_join(
            JoinView(
                spec=row.spec,
                unused=tuple(
                    Finish(flow=f.flow, run_id=f.run_id, state=f.state, ended_at=from_us(f.ended_at_us)) for f in unused
                ),
                paused=view.paused,
                active=view.active,
                flow_loaded=view.flow_loaded,
            ),
            finish,
        )
        return self._write(conn, entry, join, finish, decided_us=decided_us)

    def awaited(self, conn: Connection, before_us: int) -> list[FlowRunId]:
        """
        Give the runs that ended before *before_us* and with whose finish a schedule still waits for another flow.
        """
        decided = schedules.decided_before(conn, before_us)
        rows = [entry.row for entry in self._board.entries.values() if entry.row.id in decided]
        return [
            finish.run_id
            for row in rows
            for finish in slots.newest_finishes(conn, row.id, row.spec.after, COUNTED[row.spec.when], decided[row.id])
            if finish.ended_at_us < before_us
        ]

    def _write(
        self, conn: Connection, entry: Entry, join: JoinDecision, finish: Finish, *, decided_us: int
    ) -> list[FlowRunId]:
        if join.slot is None:
            return []

        fire_time_us = to_us(join.slot.fire_time)
        slot = new_slot(entry, join.slot)
        is_new = bool(slots.insert_slots(conn, [slot]))
        slots.mark_used(conn, entry.row.id, join.used, fire_time_us)
        if join.upstream_runs:
            # The older ones too, whom nothing else would ever take.
            slots.mark_all_used(conn, entry.row.id, entry.row.spec.after, decided_us, fire_time_us)
            until_us = max(decided_us, fire_time_us - _LOOK_BACK_US)
            schedules.set_decided(conn, [(entry.row.id, until_us)])
        if join.start is None or not is_new:
            return []

        touched = self.cancel_all(conn, join.start.replaces, reason=operations.REPLACED, now=finish.ended_at)
        run = new_run(
            entry,
            self._board.flows[entry.row.spec.flow],
            join.slot,
            slot,
            host=None,
            trigger="after",
            upstream_runs=dict(join.upstream_runs),
        )
        runs.insert_runs(conn, [run], at_us=fire_time_us)
        return [*touched, run.id]


def _number(row: RunRow) -> int:
    return row.number
