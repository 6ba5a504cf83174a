"""
The scheduler: every reason to act (alarm, nudge, dead monitor, a person) comes in here and is handed to the writer.

Nothing is decided here: fire times are judged in ``schedules/plan.py``, runs without a process in ``recovery.py``.
"""

import socket
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from orchd import clock, log
from orchd.config import Config
from orchd.errors import StoreError
from orchd.model.ids import FlowRunId
from orchd.model.instants import from_us
from orchd.model.specs import ScheduleSpec
from orchd.model.states import FlowRunState
from orchd.processes.protocol import Described, Ended, Launched, Refused, Reply
from orchd.scheduler.board import Board, Entry, LiveRun
from orchd.scheduler.cancels import Cancels
from orchd.scheduler.chains import Chains
from orchd.scheduler.clock_watch import ClockWatch
from orchd.scheduler.follow import Follower
from orchd.scheduler.health import StoreHealth
from orchd.scheduler.ingest import Ingest
from orchd.scheduler.jumps import Jumps
from orchd.scheduler.launching import Launcher
from orchd.scheduler.reading import owners_before
from orchd.scheduler.resuming import attempt_before
from orchd.scheduler.tallies import Tallies
from orchd.scheduler.tick import Ticker
from orchd.scheduler.waits import needed
from orchd.scheduler.writer import Urgency, Writer
from orchd.store import flows, runs, schedules
from orchd.store.database import Connection, Database

T = TypeVar("T")

_log = log.get("scheduler")

#: A WAL file of this size is checkpointed even when something is due.
MAX_WAL_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """
    What the scheduler asks of the rest of the daemon, each from the writer's thread.
    """

    #: Hand the folder of a run to the spawner.
    send: Callable[[Path], None]
    #: Set the alarm: the next instant at which something is due (None for nothing), and now.
    wake_at: Callable[[datetime | None, datetime], None]
    #: A tick really ran.
    ticked: Callable[[], None]
    #: Something in the store changed that a reader may wait for.
    changed: Callable[[], None]
    #: Watch the monitor of a run; False when it is gone already.
    watch: Callable[[LiveRun, int], bool]


class Scheduler:
    """
    Owns the board and everything that writes the store.

    Args:
        nudge: path of the socket at which runs say that there is something to read; None for none.
    """

    def __init__(
        self, database: Database, writer: Writer, *, config: Config, runs_folder: Path, nudge: Path | None, hooks: Hooks
    ) -> None:
        self.database = database
        self.board = Board(runs_folder, config)
        self.jumps = Jumps(database)
        self.health = StoreHealth(self._read_anew)
        self.tallies = Tallies()
        before = partial(attempt_before, database, runs_folder)
        self.launcher = Launcher(self.board, send=hooks.send, config=config, nudge=nudge, before=before)
        self._writer = writer
        self._hooks = hooks
        self._clock_watch = ClockWatch()
        self._is_ticking = True
        # A clock that was set back may have left cursors in the future, also before this daemon began.
        self._is_clock_strange = True
        self._cancels = Cancels(self.board)
        chains = Chains(self.board, self._cancels)
        self.cancel = chains.cancel
        self._awaited = chains.awaited
        self._ingest = Ingest(
            database,
            self.board,
            chains,
            max_output=config.daemon.max_output,
            ended=self._run_ended,
            moved=self.wake,
            tallies=self.tallies,
        )
        host = socket.gethostname()
        self._ticker = Ticker(database, self.board, self.launcher, chains, host=host)
        self._follower = Follower(
            database,
            self.board,
            writer,
            self.launcher,
            self._ingest,
            self.health,
            self.tallies,
            host=host,
            watch=hooks.watch,
            changed=hooks.changed,
        )
        self.stir = self._follower.stir

    # From any thread

    def wake(self) -> None:
        """
        The alarm rang, or something changed that may let a run start: tick.
        """
        self._writer.submit(Urgency.TICK, self._tick)

    def monitor_gone(self, run_id: FlowRunId) -> None:
        """
        The monitor of a run is no more.
        """
        self._writer.submit(Urgency.OPERATION, lambda: self._follower.monitor_gone(run_id))

    def reply(self, reply: Reply) -> None:
        """
        The spawner said something about a run.
        """
        if not isinstance(reply, Described):
            self._writer.submit(Urgency.OPERATION, lambda: self._heed(reply))

    def spawner_gone(self) -> None:
        """
        The spawner died and another was started: what it had not launched is launched again.
        """
        self._writer.submit(Urgency.OPERATION, self._follower.recover_all)

    def perform(self, act: Callable[[Connection], T], *, then: Callable[[T], None] | None = None) -> "Future[T]":
        """
        Carry out *act* in one transaction of the writer, then *then* with its result, then tick.
        """

        def job() -> T:
            with self.database.writing() as conn:
                result = act(conn)
            if then is not None:
                then(result)
            return result

        return self._writer.ask(lambda: self._surely(job))

    def swap(self, change: Callable[[], None]) -> "Future[None]":
        """
        Have the writer call *change*, which may open transactions of its own, then tick.
        """

        return self._writer.ask(lambda: self._surely(change))

    def take_over(self, *run_ids: FlowRunId) -> None:
        """
        Have the board hold runs as the store has them now. Called by the writer, after a commit.
        """
        with self.database.reading() as conn:
            rows = [runs.get(conn, run_id) for run_id in run_ids]
        for row in rows:
            self.board.put_run(row)

    def awaited(self, conn: Connection, before_us: int) -> list[FlowRunId]:
        """
        Give the runs that ended before *before_us* (microseconds) and that a schedule still waits with or for. Called
        by the writer.
        """
        found = self._awaited(conn, before_us)
        now = clock.now()
        for entry in self.board.entries.values():
            if entry.row.spec.wait_for:
                held = [run.row.wanted_at_us for run in entry.runs.values()]
                since = from_us(min([entry.row.decided_until_us, *held]))
                found += needed(conn, entry.row.spec, since=since, now=now)
        return found

    def take_over_schedules(self) -> None:
        """
        Have the board hold flows and schedules as the store has them now. Called by the writer, after a commit.
        """
        with self.database.reading() as conn:
            self.board.set_flows(flows.current_flows(conn))
            self.board.set_schedules(schedules.load(conn))

    def take_over_schedule(self, name: str) -> None:
        """
        Have the board hold one schedule as the store has it now, its rule being the same. Called by the writer, after
        a commit.
        """
        with self.database.reading() as conn:
            self.board.entries[name].row = schedules.get(conn, name)

    def set_config(self, config: Config) -> None:
        """
        Use another config from now on. Called by the writer.
        """
        self.launcher.config = config
        self.board.set_config(config)
        self._ingest.max_output = config.daemon.max_output

    def stop_starting(self) -> None:
        """
        Start no more runs; those that go on are followed as before.
        """
        self._is_ticking = False

    def load(self) -> None:
        """
        Read the board from the store, and find out about every run that has begun. Called once, by the writer.
        """
        self.jumps.load()
        self._read_anew()

    def _read_anew(self) -> None:
        """
        Read schedules and runs from the store, whatever the board held, and find out about every run that has begun.
        """
        self.take_over_schedules()
        with self.database.reading() as conn:
            rows = runs.live(conn)
        known = dict(self.board.live)
        self.board.forget_runs()
        for row in rows:
            run = self.board.put_run(row)
            if run is not None and row.state is not FlowRunState.SCHEDULED:
                if before := known.get(run.id):
                    run.monitor_pid, run.is_sent = before.monitor_pid, before.is_sent
                run.progress = owners_before(run.folder, run.progress)
        self._follower.recover_all()

    # From the writer

    def _surely(self, job: Callable[[], T]) -> T:
        """
        Do *job*, which writes the store, on a board that is right, then tick.
        """
        self.health.be_sure()
        try:
            result = job()
        except StoreError:
            self.health.doubt()
            self.wake()
            raise
        self._hooks.changed()
        self.wake()
        return result

    def decide_up_to_now(self, specs: Collection[ScheduleSpec]) -> None:
        """
        Decide what is due by the rules of now, before those of *specs* take their place.

        Of a schedule that is gone, or changes while it is paused, nothing is started.
        """
        now = clock.now()
        coming = {spec.name: spec for spec in specs}
        entries = self.board.entries.values()
        self._ticker.end([e for e in entries if _ends(e, coming.get(e.row.spec.name))], now=now)
        self._ticker.tick([entry for entry in self.board.due(now) if entry.row.spec.name in coming], now=now)

    def _tick(self) -> None:
        now = clock.now()
        jump = self._clock_watch.look(now, monotonic_s=clock.monotonic())
        if jump is not None:
            _log.warning("clock_jumped", seconds=jump.seconds)
            self.jumps.note(jump)
            self._is_clock_strange = True
        with self.health.watching():
            self.health.be_sure()
            self.jumps.keep()
            if self._is_ticking:
                entries = list(self.board.entries.values()) if self._is_clock_strange else self.board.due(now)
                if self._ticker.tick(entries, now=now):
                    self._hooks.changed()
                self._is_clock_strange = False
                self.launcher.again()
            self._cancels.ask_all()
            self._follower.look_at_all()
            self._checkpoint()
        self._hooks.wake_at(self.board.next_wake(now), clock.now())
        self._hooks.ticked()

    def _checkpoint(self) -> None:
        if not self.board.live or self.database.wal_bytes() > MAX_WAL_BYTES:
            self.database.checkpoint()

    def _heed(self, reply: Reply) -> None:
        if isinstance(reply, Launched):
            self._follower.recover(_run_id(reply), may_launch=False)
        elif isinstance(reply, Ended):
            self._follower.recover(_run_id(reply), may_launch=True)
        elif isinstance(reply, Refused):
            self.launcher.put_off(_run_id(reply), reply.error)

    def _run_ended(self, run: LiveRun) -> None:
        self.tallies.ended[run.row.state.value] += 1
        _log.info("run_ended", run=run.row.name, flow=run.row.flow, state=run.row.state.value, message=run.row.message)
        entry = self.board.entries.get(run.row.schedule or "")
        if entry is not None and entry.row.spec.pause_after_failures is not None:
            # The end of this run may have paused it.
            was = entry.row.paused
            self.take_over_schedule(entry.row.spec.name)
            if (pause := entry.row.paused) is not None and was is None:
                _log.warning("paused", schedule=entry.row.spec.name, who=pause.who, why=pause.note)
        self.wake()


def _ends(entry: Entry, coming: ScheduleSpec | None) -> bool:
    if coming is None:
        return True

    before = entry.row.spec
    return entry.row.paused is not None and coming != before and not coming.goes_on_from(before)


def _run_id(reply: Launched | Ended | Refused) -> FlowRunId:
    return FlowRunId(Path(reply.folder).name)
