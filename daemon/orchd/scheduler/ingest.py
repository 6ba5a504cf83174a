"""
Journal and output of a run into the store: rows and the new offsets in one transaction, so that ingesting twice
changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from orchd import clock, log
from orchd.model.ids import FlowRunId
from orchd.model.instants import from_us
from orchd.model.records import Finished, WaitRecord
from orchd.model.states import FlowRunState, TaskRunState
from orchd.model.texts import utf8_size
from orchd.processes.crash import crash_at
from orchd.scheduler.board import Board, LiveRun
from orchd.scheduler.chains import Chains
from orchd.scheduler.reading import Line, Look, look
from orchd.scheduler.resuming import after_crash
from orchd.scheduler.tallies import Tallies
from orchd.store import logs, runs, tasks
from orchd.store.database import Connection, Database

_log = log.get("ingest")

_STREAMS: Final = {"logger": 0, "stdout": 1, "stderr": 2}
_ERROR_LEVEL: Final = 40

#: Ends of which a run's own log does not tell.
_ENDED_BY_OTHERS: Final = frozenset({FlowRunState.TIMED_OUT, FlowRunState.CANCELLED, FlowRunState.CRASHED})

_WAIT_OR_RUN: Final = frozenset({FlowRunState.RUNNING, FlowRunState.WAITING})

#: What becomes of tasks that were still going when their run ended.
_OPEN_TASKS: Final = {
    FlowRunState.CANCELLED: TaskRunState.CANCELLED,
    FlowRunState.TIMED_OUT: TaskRunState.TIMED_OUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """
    How a run ended: its monitor's last record, or what the daemon found instead.
    """

    state: FlowRunState
    message: str
    at: int
    finished: Finished | None = None

    @classmethod
    def of(cls, finished: Finished) -> "End":
        """
        Give the end that the monitor wrote.
        """
        return cls(state=FlowRunState(finished.state), message=finished.message, at=finished.at, finished=finished)

    def line(self) -> Line:
        """
        Give what the run's log says of it in the end.
        """
        text = f"[orchd] the run is {self.state.shown}: {self.message}"
        return Line(at=self.at, level=_ERROR_LEVEL, stream="logger", owner=None, text=text)


class Ingest:
    """
    Moves what runs write into the store. Called by the writer only.

    Args:
        max_output: bytes of one run's output that are stored; beyond it one marked line says so.

        ended: called after the commit with each run that became final.

        moved: called after the commit when a run began or ceased to wait, which changes the places that are free.
    """

    def __init__(
        self,
        database: Database,
        board: Board,
        chains: Chains,
        *,
        max_output: int,
        ended: Callable[[LiveRun], None],
        moved: Callable[[], None],
        tallies: Tallies,
    ) -> None:
        self._database = database
        self._board = board
        self._chains = chains
        self._ended = ended
        self._moved = moved
        self._tallies = tallies
        self.max_output = max_output

    def step(self, run: LiveRun, end: End | None) -> bool:
        """
        Take one look at *run*'s folder and store what it found.

        Args:
            run: a live run that has begun.

            end: how it ended, when nothing of it is alive any more; stored with the last of its output.

        Returns:
            True when there is more to take at once.
        """
        now_us = clock.now_us()
        found = look(run.folder, run.progress, now_us=now_us, is_end=end is not None)
        for path, why in found.troubles.items():
            self.complain(run, path, why)
        is_over = end is not None and not found.has_more
        if not is_over and found.progress == run.progress:
            return found.has_more

        if found.bad_lines:
            _log.warning("journal_lines_passed_over", run=run.row.name, lines=found.bad_lines)
        lines, stored = self._within_limit(run, found.lines, now_us)
        if is_over and end is not None and end.state in _ENDED_BY_OTHERS:
            lines = [*lines, end.line()]
        with self._database.writing() as conn:
            self._store(conn, run, found, lines, stored)
            state = wait_or_go_on(conn, run, found.waits)
            crash_at("ingest.stored")
            caused = self._finish(conn, run, state, end) if is_over and end is not None else []
            row = runs.get(conn, run.id) if is_over or state is not run.state else None
            caused_rows = [runs.get(conn, run_id) for run_id in caused]
            crash_at("ingest.uncommitted")
        crash_at("ingest.committed")
        run.progress = found.progress
        run.next_seq += len(lines)
        if lines:
            self._tallies.stored(written_us=lines[0].at, now_us=clock.now_us())
        run.stored_bytes = stored
        if row is not None:
            self._board.put_run(row)
            for caused_row in caused_rows:
                self._board.put_run(caused_row)
            if is_over:
                self._ended(run)
            else:
                self._moved()

        return found.has_more

    def complain(self, run: LiveRun, path: Path, why: str) -> None:
        """
        Say in the run's log, once in the life of this daemon, that a file of its folder cannot be read.
        """
        if path in run.told:
            return
        _log.warning("run_file_unreadable", run=run.row.name, flow=run.row.flow, file=str(path), why=why)
        text = f"[orchd] {path} cannot be read ({why}): what else is in it is not stored"
        line = Line(at=clock.now_us(), level=_ERROR_LEVEL, stream="logger", owner=None, text=text)
        with self._database.writing() as conn:
            self._store(conn, run, Look(progress=run.progress), [line], run.stored_bytes)
        run.next_seq += 1
        run.told.add(path)

    def _within_limit(self, run: LiveRun, lines: list[Line], now_us: int) -> tuple[list[Line], int]:
        """
        Leave out what is beyond the limit, and say so once.
        """
        stored = run.stored_bytes + sum(utf8_size(line.text) for line in lines)
        if stored <= self.max_output:
            return lines, stored
        if run.stored_bytes > self.max_output:
            return [], stored
        kept: list[Line] = []
        size = run.stored_bytes
        for line in lines:
            size += utf8_size(line.text)
            if size > self.max_output:
                break
            kept.append(line)
        text = (
            f"[orchd] output beyond {self.max_output} bytes is not stored (max_output under [daemon]); "
            f"the run's folder has it whole for as long as files are kept"
        )
        kept.append(Line(at=now_us, level=_ERROR_LEVEL, stream="logger", owner=None, text=text))
        return kept, stored

    def _store(self, conn: Connection, run: LiveRun, found: Look, lines: list[Line], stored: int) -> None:
        number = run.row.number
        refused = tasks.apply(conn, number, found.tasks) if found.tasks else 0
        if refused:
            _log.warning("task_moves_refused", run=run.row.name, moves=refused)
        if lines:
            first = run.next_seq
            logs.append(
                conn,
                [
                    (
                        number,
                        first + index,
                        line.at,
                        line.level,
                        _STREAMS[line.stream],
                        line.owner[0] if line.owner else None,
                        line.owner[1] if line.owner else -1,
                        line.text,
                    )
                    for index, line in enumerate(lines)
                ],
            )
        runs.set_offsets(
            conn,
            number,
            journal=found.progress.journal,
            stdout=found.progress.stdout.offset,
            stderr=found.progress.stderr.offset,
            next_seq=run.next_seq + len(lines),
            stored_bytes=stored,
        )

    def _finish(self, conn: Connection, run: LiveRun, state: FlowRunState, end: End) -> list[FlowRunId]:
        """
        Move the run, which is in *state*, and its open tasks, and decide the schedules that wait for it, all in this
        transaction.
        """
        at, message = end.at, end.message
        if end.state is FlowRunState.FAILED and (failure := tasks.first_failure(conn, run.row.number)):
            message = f"{message} {failure}"
        for step in way_to(state, end.state):
            extra: dict[str, int | None] = {}
            if step is end.state and end.finished is not None:
                extra = {
                    "exit_code": end.finished.exit_code,
                    "signal": end.finished.signal,
                    "peak_rss_kib": end.finished.peak_rss_kib,
                }
            runs.move(conn, run.id, step, at_us=at, message=message, **extra)
        tasks.end_open(
            conn,
            run.row.number,
            _OPEN_TASKS.get(end.state, TaskRunState.CRASHED),
            at_us=at,
            message=end.message,
        )
        if end.state is FlowRunState.CRASHED:
            after = after_crash(conn, self._board, msgspec.structs.replace(run.row, state=state), now=from_us(at))
            if after is not None:
                self._chains.pass_over(conn, run.row, ended_at_us=at)
                return [after]

        return self._chains.on_finish(conn, run.row, state=end.state, ended_at_us=at)


def begin(conn: Connection, run: LiveRun, *, at_us: int, put_off: str | None = None) -> None:
    """
    Move a pending run to running: its monitor has written ``started``.

    Args:
        put_off: why it could not be launched at once; None when it could.
    """
    message = f"its process started{'' if put_off is None else f'; its launch was put off: {put_off}'}"
    runs.move(conn, run.id, FlowRunState.RUNNING, at_us=at_us, message=message)


def wait_or_go_on(conn: Connection, run: LiveRun, waits: Sequence[WaitRecord]) -> FlowRunState:
    """
    Move a run between running and waiting as its journal says, and return where it stands then.

    One that is being cancelled stays what it is.
    """
    state = run.state
    for wait in waits:
        to = FlowRunState.WAITING if wait.children else FlowRunState.RUNNING
        if state is not to and state in _WAIT_OR_RUN:
            runs.move(conn, run.id, to, at_us=wait.at, message=_awaited(conn, wait.children))
            state = to
    return state


def _awaited(conn: Connection, children: Sequence[str]) -> str:
    if not children:
        return "goes on: what it waited for is over, or a task of its own began"

    if len(children) > 1:
        return f"waits for {len(children)} runs that it started"

    found = runs.find(conn, FlowRunId(children[0]))
    return f"waits for run {found.name} of {found.flow}" if found else f"waits for run {children[0]}"


def way_to(state: FlowRunState, end: FlowRunState) -> tuple[FlowRunState, ...]:
    """
    Give the moves by which a run that is in *state* comes to *end*.
    """
    if end is FlowRunState.CANCELLED and state in _WAIT_OR_RUN:
        return (FlowRunState.CANCELLING, end)

    if end is FlowRunState.SUCCESS and state is FlowRunState.WAITING:
        return (FlowRunState.RUNNING, end)

    return (end,)
