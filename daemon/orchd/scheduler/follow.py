"""
Following runs that have begun: what they wrote goes into the store, and what became of them is found out.
"""

from collections.abc import Callable

from orchd import clock, log
from orchd.model.ids import FlowRunId
from orchd.model.records import Started, Void
from orchd.model.states import FlowRunState
from orchd.processes import fence
from orchd.processes.reaper import kill_strays
from orchd.scheduler.board import Board, LiveRun
from orchd.scheduler.health import StoreHealth
from orchd.scheduler.ingest import End, Ingest, begin
from orchd.scheduler.launching import Launcher
from orchd.scheduler.recovery import MONITOR_DIED, Verdict, judge_run
from orchd.scheduler.writer import Urgency, Writer
from orchd.store import runs
from orchd.store.database import Database

_log = log.get("runs")


class Follower:
    """
    Called by the writer only, but for :meth:`stir`.

    Args:
        watch: has the loop watch a monitor; False when that monitor is gone already.

        changed: called after a commit that a reader may wait for.
    """

    def __init__(
        self,
        database: Database,
        board: Board,
        writer: Writer,
        launcher: Launcher,
        ingest: Ingest,
        health: StoreHealth,
        *,
        watch: Callable[[LiveRun, int], bool],
        changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._board = board
        self._writer = writer
        self._launcher = launcher
        self._ingest = ingest
        self._health = health
        self._watch = watch
        self._changed = changed
        self._ends: dict[FlowRunId, End] = {}
        self._queued: set[FlowRunId] = set()

    def stir(self, run_id: FlowRunId) -> None:
        """
        Have a run looked at soon. Any thread may say so, as often as it likes.
        """
        if run_id not in self._queued:
            self._queued.add(run_id)
            self._writer.submit(Urgency.INGEST, lambda: self._attend(run_id))

    def look_at_all(self) -> None:
        """
        Look at every run that has begun: nudges may be lost, and a killed run writes none.
        """
        for run in self._board.begun_runs():
            self.stir(run.id)
            if run.monitor_pid is None:
                self.recover(run.id, may_launch=False)

    def recover_all(self) -> None:
        """
        Find out about every run that has begun, and launch again what never did.
        """
        for run in self._board.begun_runs():
            self.recover(run.id, may_launch=True)

    def recover(self, run_id: FlowRunId, *, may_launch: bool) -> None:
        """
        Find out what became of a run, and do what follows.

        Args:
            may_launch: no request for it is under way, so that one which never began is launched again.
        """
        run = self._board.live.get(run_id)
        if run is None or run.state is FlowRunState.SCHEDULED:
            return
        # In this order: whoever had begun before the probe and held nothing then is dead, and what it wrote is there.
        began = run.folder.began()
        probe = fence.probe(run.folder)
        verdict = judge_run(probe, began=began, finished=run.folder.finished())
        if verdict is Verdict.ADOPT and probe.monitor_pid is not None:
            self._adopt(run, probe.monitor_pid)
        elif verdict is Verdict.LAUNCH and may_launch:
            self._launcher.launch(run)
        elif verdict is Verdict.CRASHED:
            killed = kill_strays(run.id)
            _log.warning("monitor_died", run=run.row.name, flow=run.row.flow, strays_killed=killed)
            self._ends[run.id] = End(state=FlowRunState.CRASHED, message=MONITOR_DIED, at=clock.now_us())
            self.stir(run.id)
        elif verdict is Verdict.CANCELLED:
            reason = began.reason if isinstance(began, Void) else "cancelled"
            self._ends[run.id] = End(state=FlowRunState.CANCELLED, message=reason, at=clock.now_us())
            self.stir(run.id)
        elif verdict is Verdict.INGEST:
            self.stir(run.id)

    def _adopt(self, run: LiveRun, pid: int) -> None:
        if run.monitor_pid == pid:
            return
        if self._watch(run, pid):
            run.monitor_pid = pid
            self.stir(run.id)

    def monitor_gone(self, run_id: FlowRunId) -> None:
        """
        The monitor that was watched is no more: the run is over, one way or another.
        """
        run = self._board.live.get(run_id)
        if run is not None:
            run.monitor_pid = None
            self.recover(run_id, may_launch=True)

    def _attend(self, run_id: FlowRunId) -> None:
        self._queued.discard(run_id)
        with self._health.watching():
            self._health.be_sure()
            run = self._board.live.get(run_id)
            if run is None or run.state is FlowRunState.SCHEDULED:
                return
            if run.state is FlowRunState.PENDING and isinstance(began := run.folder.began(), Started):
                with self._database.writing() as conn:
                    begin(conn, run, at_us=began.at)
                    row = runs.get(conn, run_id)
                self._board.put_run(row)
                self._changed()
            finished = run.folder.finished()
            end = End.of(finished) if finished is not None else self._ends.get(run_id)
            before = run.progress
            has_more = self._ingest.step(run, end)
            if run_id not in self._board.live:
                self._ends.pop(run_id, None)
            if run_id not in self._board.live or run.progress != before:
                self._changed()
            if has_more:
                self.stir(run_id)
