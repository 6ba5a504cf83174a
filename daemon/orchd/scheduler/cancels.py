"""
Asking runs to end: after the commit that says so, and again when the request is lost.
"""

from orchd import log, operations
from orchd.model.ids import FlowRunId
from orchd.model.states import FlowRunState
from orchd.scheduler.board import Board, LiveRun

_log = log.get("cancel")


class Cancels:
    """
    Puts the request to end into the folders of runs. Called by the writer only.

    What stands in the way of one run is logged, and tried again at the next look; it stops nothing else.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        #: Runs that are just beginning, which no state says are to end, and why they are.
        self._wishes: dict[FlowRunId, str] = {}
        self._asked: set[FlowRunId] = set()
        self._failed: set[FlowRunId] = set()

    def wish(self, run_id: FlowRunId, reason: str) -> None:
        """
        Have a run asked to end at the next look, also one that was asked before.
        """
        self._wishes.setdefault(run_id, reason)
        self._asked.discard(run_id)

    def ask_all(self) -> None:
        """
        Ask every run to end that is to end and has no request, or that this daemon did not ask yet.
        """
        going = self._board.begun_runs()
        for run in going:
            reason = self._reason(run)
            if reason is not None and not (run.id in self._asked and run.folder.cancel.exists()):
                self._ask(run, reason)
        ids = {run.id for run in going}
        self._asked &= ids
        self._failed &= ids
        self._wishes = {run_id: reason for run_id, reason in self._wishes.items() if run_id in ids}

    def _reason(self, run: LiveRun) -> str | None:
        return run.row.message if run.state is FlowRunState.CANCELLING else self._wishes.get(run.id)

    def _ask(self, run: LiveRun, reason: str) -> None:
        try:
            operations.ask_to_end(run.folder, reason)
        except OSError as error:
            if run.id not in self._failed:
                _log.error("run_not_asked_to_end", run=run.row.name, flow=run.row.flow, error=str(error))
            self._failed.add(run.id)
        else:
            self._asked.add(run.id)
            self._failed.discard(run.id)
