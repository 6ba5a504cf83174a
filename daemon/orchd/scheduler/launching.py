"""
From a claimed run to a process: its folder with ``run.json``, then one message to the spawner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from orchd import clock, log
from orchd.config import Config
from orchd.errors import OrchdError
from orchd.model.ids import FlowRunId, run_key
from orchd.model.instants import from_us
from orchd.model.records import Resume, RunSpec
from orchd.model.states import FlowRunState
from orchd.processes.crash import crash_at
from orchd.processes.folder import RunFolder
from orchd.scheduler.board import Board, LiveRun
from orchd.scheduler.state_folder import caches_folder
from orchd.store.runs import RunRow

_log = log.get("launch")

#: Seconds after which the same reason is logged again.
_TELL_AGAIN_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _PutOff:
    """
    Why a run was not launched, and when (monotonic) that was logged.
    """

    why: str
    told_s: float


class Launcher:
    """
    Launches runs, and remembers those that could not be launched yet.

    Args:
        board: the writer's picture.

        send: hands a run's folder to the spawner; raises OrchdError when there is none.

        config: as loaded last; set anew after a reload.

        nudge: path of the datagram socket at which runs say that there is something to read; None for none.

        before: gives the attempt that a run goes on from; raises OrchdError while the store does not answer.
    """

    def __init__(
        self,
        board: Board,
        *,
        send: Callable[[Path], None],
        config: Config,
        nudge: Path | None,
        before: Callable[[RunRow], Resume],
    ) -> None:
        self._board = board
        self._before = before
        self._send = send
        self.config = config
        self._nudge = nudge
        self.unlaunched: set[FlowRunId] = set()
        self._put_off: dict[FlowRunId, _PutOff] = {}

    def launch(self, run: LiveRun) -> None:
        """
        Launch a claimed run. What stands in the way is logged, and tried again at the next tick.
        """
        try:
            folder = RunFolder.create(self._board.runs_folder, self._spec(run))
            if run.row.resumed_from is not None:
                folder.write_resume(self._before(run.row))
            crash_at("launch.made")
            self._send(run.folder.path)
            run.is_sent = True
            crash_at("launch.sent")
        except (OrchdError, OSError) as error:
            self.put_off(run.id, str(error))
        else:
            self.unlaunched.discard(run.id)

    def put_off(self, run_id: FlowRunId, why: str) -> None:
        """
        Have a run launched at the next tick, and say why not now: at once, then each minute.
        """
        self.unlaunched.add(run_id)
        now_s = clock.monotonic()
        known, run = self._put_off.get(run_id), self._board.live.get(run_id)
        is_told = known is not None and known.why == why and now_s - known.told_s < _TELL_AGAIN_S
        told_s = known.told_s if known is not None and is_told else now_s
        self._put_off[run_id] = _PutOff(why=why, told_s=told_s)
        if run is not None and not is_told:
            _log.warning("launch_put_off", run=run.row.name, flow=run.row.flow, error=why)

    def waiting(self) -> dict[LiveRun, str]:
        """
        Give the pending runs whose launch is put off, and why. From any thread.
        """
        found = ((self._board.live.get(run_id), put_off.why) for run_id, put_off in list(self._put_off.items()))
        return {run: why for run, why in found if run is not None and run.state is FlowRunState.PENDING}

    def why_put_off(self, run_id: FlowRunId) -> str | None:
        """
        Give why the launch of a run was put off last; None when it was not.
        """
        put_off = self._put_off.get(run_id)
        return put_off.why if put_off else None

    def forget(self, run_id: FlowRunId) -> None:
        """
        The run has begun, or is over.
        """
        self._put_off.pop(run_id, None)

    def again(self) -> None:
        """
        Try those again that could not be launched.
        """
        for run_id in tuple(self.unlaunched):
            run = self._board.live.get(run_id)
            self.unlaunched.discard(run_id)
            if run is not None and run.state is FlowRunState.PENDING:
                self.launch(run)
            else:
                self.forget(run_id)

    def _spec(self, run: LiveRun) -> RunSpec:
        row = run.row
        flow = self._board.flow_spec(row.flow)
        settings = self.config.flow_settings(row.flow)
        fire_time = None if row.fire_time_us is None else from_us(row.fire_time_us)
        return RunSpec(
            run_id=row.id,
            run_name=row.name,
            run_key=run_key(schedule=row.schedule, fire_time=fire_time, attempt=row.attempt, run_id=row.id),
            flow=row.flow,
            file=flow.file if flow else "",
            source_hash=flow.source_hash if flow else "",
            parameters=msgspec.json.decode(row.parameters, type=dict[str, object]),
            attempt=row.attempt,
            schedule=row.schedule,
            fire_time_us=row.fire_time_us,
            wanted_at_us=row.wanted_at_us if row.fire_time_us is None else row.fire_time_us,
            resumed_from=row.resumed_from,
            caches=str(caches_folder(self._board.runs_folder)),
            time_limit_s=settings.timeout.total_seconds() if settings.timeout else None,
            grace_s=settings.grace.total_seconds(),
            env_file=str(self.config.flows.env_file) if self.config.flows.env_file else None,
            prefect_imports=self.config.flows.prefect_imports,
            upstream_runs=dict(row.upstream_runs),
            socket=str(self.config.daemon.socket),
            nudge=str(self._nudge) if self._nudge else None,
        )
