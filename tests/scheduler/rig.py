"""
A board, a ticker and an ingest over a real store and real folders, in which nothing is really launched.
"""

import atexit
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from uuid import uuid4

import msgspec

from orchd.config import Config, DaemonSettings
from orchd.config.settings import FlowSettings
from orchd.model.ids import FlowRunId, run_name
from orchd.model.instants import from_us, to_us
from orchd.model.records import Finished, JournalRecord, MonitorRecord, Started
from orchd.model.specs import FlowSpec, ParameterSpec, RuleKind, ScheduleSpec
from orchd.model.states import FlowRunState
from orchd.processes.folder import RunFolder
from orchd.scheduler.board import Board, LiveRun
from orchd.scheduler.cancels import Cancels
from orchd.scheduler.chains import Chains
from orchd.scheduler.ingest import Ingest
from orchd.scheduler.launching import Launcher
from orchd.scheduler.resuming import attempt_before
from orchd.scheduler.tallies import Tallies
from orchd.scheduler.tick import Ticker
from orchd.schedules.admission import HeldRun
from orchd.store import flows, queries, runs, schedules
from orchd.store.database import Database
from store.making import WAYS

#: When the schedules of a rig are made: a Monday.
START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
HOST = "here"


def flow_spec(name: str = "load") -> FlowSpec:
    """
    Describe a flow that takes a parameter ``x``.
    """
    parameters = (ParameterSpec(name="x", required=False),)
    return FlowSpec(name=name, file=f"/flows/{name}.py", source_hash="aa", parameters=parameters)


def every_minute(name: str = "a", **values: object) -> ScheduleSpec:
    """
    Describe a schedule that is due each minute, with *values* in place of the usual ones.
    """
    usual: dict[str, object] = {"name": name, "flow": "load", "kind": RuleKind.CRON, "rule": "* * * * *"}
    return ScheduleSpec(**usual | values)


def waiting(name: str, *after: str, **values: object) -> ScheduleSpec:
    """
    Describe a schedule of flow ``report`` that waits for the flows *after*.
    """
    return ScheduleSpec(**{"name": name, "flow": "report", "kind": RuleKind.AFTER, "after": after} | values)


@lru_cache(maxsize=1)
def _empty_store() -> Path:
    """
    Make a store once, to be copied for each test.
    """
    folder = Path(tempfile.mkdtemp(prefix="orchd-rig-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database.open("sqlite", state_dir=folder)
    database.checkpoint()
    database.close()
    return folder / "orchd.sqlite3"


class Rig:
    """
    What the writer uses, with a spawner that only notes what it is asked for.
    """

    def __init__(self, folder: Path, *, max_runs: int = 8, max_output: int = 1 << 20) -> None:
        """
        Make a new store in *folder*.
        """
        (folder / "runs").mkdir()
        shutil.copyfile(_empty_store(), folder / "orchd.sqlite3")
        self.database = Database.open("sqlite", state_dir=folder)
        self.config = Config(
            daemon=DaemonSettings(
                socket=folder / "orchd.sock", store="sqlite", state_dir=folder, timezone="UTC", max_runs=max_runs
            )
        )
        self.board = Board(folder / "runs", self.config)
        self.launched: list[str] = []
        self.launcher = Launcher(
            self.board,
            send=self._send,
            config=self.config,
            nudge=None,
            before=partial(attempt_before, self.database, folder / "runs"),
        )
        self.cancels = Cancels(self.board)
        self.chains = Chains(self.board, self.cancels)
        self.ticker = Ticker(self.database, self.board, self.launcher, self.chains, host=HOST)
        self.ended: list[str] = []
        self.tallies = Tallies()
        self.ingest = Ingest(
            self.database,
            self.board,
            self.chains,
            max_output=max_output,
            ended=lambda run: self.ended.append(run.row.name),
            moved=lambda: None,
            tallies=self.tallies,
        )

    def _send(self, folder: Path) -> None:
        self.launched.append(folder.name)

    def limit(
        self, *, max_runs: int = 8, pools: dict[str, int] | None = None, flow: dict[str, FlowSettings] | None = None
    ) -> None:
        """
        Have other limits from now on.
        """
        daemon = replace(self.config.daemon, max_runs=max_runs)
        self.config = replace(self.config, daemon=daemon, pools=pools or {}, flow=flow or {})
        self.board.set_config(self.config)

    def held(self) -> list[HeldRun]:
        """
        Return what the board holds back, by lane.
        """
        return [run for runs in self.board.held().values() for run in runs]

    def use(self, *specs: ScheduleSpec, at: datetime = START, flow_names: tuple[str, ...] = ("load", "report")) -> None:
        """
        Have the schedules *specs* from *at* on, and the flows *flow_names*.
        """
        with self.database.writing() as conn:
            flows.record_flows(conn, [flow_spec(name) for name in flow_names], at_us=to_us(at))
            schedules.sync(conn, specs, at_us=to_us(at))
        self.take_over()

    def take_over(self) -> None:
        """
        Have the board hold what the store does.
        """
        with self.database.reading() as conn:
            self.board.set_flows(flows.current_flows(conn))
            self.board.set_schedules(schedules.load(conn))
            for row in runs.live(conn):
                self.board.put_run(row)

    def tick(self, now: datetime, *, everything: bool = False) -> None:
        """
        Decide what is due at *now*.
        """
        self.ticker.tick(list(self.board.entries.values()) if everything else self.board.due(now), now=now)
        self.cancels.ask_all()

    def slots(self, schedule: str) -> list[str]:
        """
        Return the ledger of *schedule* as ``HH:MM reason``, oldest first.
        """
        with self.database.reading() as conn:
            found = queries.slots(conn, schedule, limit=1000)
        return [f"{slot.fire_time[11:16]} {slot.reason}" for slot in reversed(found)]

    def states(self) -> list[str]:
        """
        Return what the store says of all runs, oldest first, as ``schedule state``.
        """
        with self.database.reading() as conn:
            found = queries.runs(conn, limit=500)
        return [f"{run.schedule or run.flow} {run.state}" for run in reversed(found)]

    def run(
        self,
        flow: str = "load",
        *,
        state: FlowRunState = FlowRunState.RUNNING,
        at: datetime = START,
        parent: str | None = None,
        resumed_from: str | None = None,
    ) -> LiveRun:
        """
        Make a run that somebody asked for, or a task of the run *parent*, in *state*, with a folder.
        """
        run_id = FlowRunId(str(uuid4()))
        new = runs.NewRun(
            id=run_id,
            name=run_name(run_id),
            flow=flow,
            wanted_at_us=to_us(at),
            parent_run_id=parent,
            resumed_from=resumed_from,
        )
        with self.database.writing() as conn:
            runs.insert_runs(conn, [new], at_us=to_us(at))
            for step in WAYS[state]:
                runs.move(conn, run_id, step, at_us=to_us(at))
            row = runs.get(conn, run_id)
        run = self.board.put_run(row)
        assert run is not None
        run.folder.path.mkdir()
        run.folder.lock.touch()
        return run

    def move(self, run_id: str, *states: FlowRunState, at: datetime = START) -> None:
        """
        Move a run through *states*, in store and board.
        """
        with self.database.writing() as conn:
            for state in states:
                runs.move(conn, FlowRunId(run_id), state, at_us=to_us(at))
            row = runs.get(conn, FlowRunId(run_id))
        self.board.put_run(row)

    def lines(self, run: LiveRun) -> list[str]:
        """
        Return the stored lines of *run* as ``task: text``.
        """
        with self.database.reading() as conn:
            found = queries.log_lines(conn, run.row.number, limit=100_000)
        return [f"{line.task or '-'}: {line.text}" for line in found]

    def detail(self, run: LiveRun) -> queries.RunDetail:
        """
        Return all that the store knows of *run*.
        """
        with self.database.reading() as conn:
            return queries.run_detail(conn, run.id)


def write_monitor(folder: RunFolder, *records: MonitorRecord) -> None:
    """
    Append *records* to ``monitor.jsonl``.
    """
    with folder.monitor.open("ab") as file:
        file.writelines(msgspec.json.encode(record) + b"\n" for record in records)


def write_journal(folder: RunFolder, *records: JournalRecord) -> None:
    """
    Append *records* to ``journal.jsonl``.
    """
    with folder.journal.open("ab") as file:
        file.writelines(msgspec.json.encode(record) + b"\n" for record in records)


def started(at: datetime = START) -> Started:
    """
    Give the first record of a monitor.
    """
    return Started(at=to_us(at), host=HOST, boot_id="b", pid=1, start_time=1)


def finished(state: str = "success", *, message: str = "done", at: datetime = START, **values: int) -> Finished:
    """
    Give the last record of a monitor.
    """
    return Finished(at=to_us(at), state=state, message=message, **values)


def minute(number: int) -> datetime:
    """
    Return the instant so many minutes after :data:`START`.
    """
    return from_us(to_us(START) + number * 60_000_000)
