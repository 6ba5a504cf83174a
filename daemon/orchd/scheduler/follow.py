"""
Following runs that have begun: what they wrote goes into the store, and what became of them is found out.
"""

from collections.abc import Callable

from orchd import clock, log
from orchd.model.ids import FlowRunId
from orchd.model.records import Finished, MonitorRecord, Started, Void
from orchd.model.states import FlowRunState
from orchd.processes.evidence import Evidence, gather
from orchd.processes.folder import SHORTAGE
from orchd.processes.reaper import kill_holder, kill_strays
from orchd.scheduler.board import Board, LiveRun
from orchd.scheduler.health import StoreHealth
from orchd.scheduler.ingest import End, Ingest, begin
from orchd.scheduler.launching import Launcher
from orchd.scheduler.patience import Patience
from orchd.scheduler.recovery import FOLDER_GONE, MONITOR_DIED, Verdict, judge_run
from orchd.scheduler.tallies import Tallies
from orchd.scheduler.writer import Urgency, Writer
from orchd.store import runs
from orchd.store.database import Database

_log = log.get("runs")


class Follower:
    """
    Called by the writer only, but for :meth:`stir`.

    Args:
        host: the name of this one.

        watch: has the loop watch a monitor; False when it cannot, or that monitor is gone already.

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
        tallies: Tallies,
        *,
        host: str,
        watch: Callable[[LiveRun, int], bool],
        changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._board = board
        self._writer = writer
        self._launcher = launcher
        self._ingest = ingest
        self._health = health
        self._tallies = tallies
        self._host = host
        self._watch = watch
        self._changed = changed
        self._ends: dict[FlowRunId, End] = {}
        self._queued: set[FlowRunId] = set()
        self._patience = Patience()
        self._elsewhere: set[FlowRunId] = set()

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
                self.recover(run.id, may_launch=self._patience.may_launch(run.id))

    def recover_all(self) -> None:
        """
        Find out about every run that has begun, and launch again what never did.
        """
        self._patience.begin_anew()
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
        try:
            self._find_out(run, may_launch=may_launch)
        except OSError as error:
            # Nothing can be said now; the run is looked at again.
            _log.warning("run_not_looked_at", run=run.row.name, flow=run.row.flow, why=str(error))
            if may_launch:
                self._patience.put_off(run_id)

    def _find_out(self, run: LiveRun, *, may_launch: bool) -> None:
        evidence = gather(run.folder)
        verdict = judge_run(evidence, state=run.state, host=run.row.host, here=self._host, is_sent=run.is_sent)
        if verdict is Verdict.WAIT:
            self._wait(run, evidence, may_launch=may_launch)
        elif verdict is Verdict.LAUNCH:
            if may_launch and self._patience.launches(run.id):
                self._launcher.launch(run)
        else:
            self._patience.is_answered(run.id)
            self._carry_out(run, verdict, evidence)

    def _carry_out(self, run: LiveRun, verdict: Verdict, evidence: Evidence) -> None:
        if verdict is Verdict.ADOPT and evidence.probe.monitor_pid is not None:
            self._adopt(run, evidence.probe.monitor_pid)
        elif verdict is Verdict.CRASHED:
            self._crash(run, MONITOR_DIED, "monitor_died")
        elif verdict is Verdict.GONE:
            self._crash(run, f"{FOLDER_GONE}{evidence.trouble and f' ({evidence.trouble})'}", "run_folder_gone")
        elif verdict is Verdict.CANCELLED:
            reason = evidence.began.reason if isinstance(evidence.began, Void) else "cancelled"
            self._ends[run.id] = End(state=FlowRunState.CANCELLED, message=reason, at=clock.now_us())
            self.stir(run.id)
        elif verdict is Verdict.INGEST:
            self.stir(run.id)
        elif verdict is Verdict.ELSEWHERE and run.id not in self._elsewhere:
            self._elsewhere.add(run.id)
            _log.warning("run_of_another_host", run=run.row.name, flow=run.row.flow, host=run.row.host)

    def _crash(self, run: LiveRun, message: str, event: str) -> None:
        killed = kill_strays(run.id)
        _log.warning(event, run=run.row.name, flow=run.row.flow, strays_killed=killed)
        self._ends[run.id] = End(state=FlowRunState.CRASHED, message=message, at=clock.now_us())
        self.stir(run.id)

    def _wait(self, run: LiveRun, evidence: Evidence, *, may_launch: bool) -> None:
        if may_launch:
            self._patience.put_off(run.id)
        pid = evidence.probe.run_pid
        if pid is not None and self._patience.is_worn_out(run.id):
            # It is not the kernel's any more to kill: user code that changes its uid, for one, outlives its monitor.
            is_killed = kill_holder(run.folder, pid)
            _log.warning("run_without_monitor", run=run.row.name, flow=run.row.flow, pid=pid, killed=is_killed)
            kill_strays(run.id)

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
            try:
                self._follow(run)
            except OSError as error:
                # Of one run's folder, or for want of descriptors: nothing is lost, it is looked at again.
                _log.warning("run_not_followed", run=run.row.name, flow=run.row.flow, why=str(error))

    def _follow(self, run: LiveRun) -> None:
        records = self._records(run)
        began = next((record for record in records if isinstance(record, Started)), None)
        if run.state is FlowRunState.PENDING and began is not None:
            with self._database.writing() as conn:
                begin(conn, run, at_us=began.at, put_off=self._launcher.why_put_off(run.id))
                row = runs.get(conn, run.id)
            self._board.put_run(row)
            self._launcher.forget(run.id)
            if row.fire_time_us is not None:
                self._tallies.started(late_us=began.at - row.fire_time_us)
            self._changed()
        finished = next((record for record in records if isinstance(record, Finished)), None)
        end = End.of(finished) if finished is not None else self._ends.get(run.id)
        before = run.progress
        has_more = self._ingest.step(run, end)
        is_over = run.id not in self._board.live
        if is_over:
            self._ends.pop(run.id, None)
            self._patience.forget(run.id)
            self._launcher.forget(run.id)
        if is_over or run.progress != before:
            self._changed()
        if has_more:
            self.stir(run.id)

    def _records(self, run: LiveRun) -> tuple[MonitorRecord, ...]:
        try:
            return run.folder.records()
        except OSError as error:
            if error.errno in SHORTAGE:
                raise
            self._ingest.complain(run, run.folder.monitor, str(error.strerror))
            return ()
