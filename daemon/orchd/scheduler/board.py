"""
The writer's picture of what is live: schedules with their next fire times, runs that are not final, places taken.

It holds nothing that the store does not: it is read at the start, and changed only after a commit. Only the writer's
thread touches it; others read through copies that the writer gave away.
"""

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from orchd.config import Config
from orchd.config.settings import FlowSettings
from orchd.model.ids import FlowRunId
from orchd.model.instants import from_us, to_us
from orchd.model.specs import FlowSpec, Overlap, ScheduleSpec
from orchd.model.states import PLACED_FLOW_RUN_STATES, FlowRunState
from orchd.processes.folder import RunFolder
from orchd.scheduler.reading import Progress, Stream
from orchd.scheduler.waits import Waits
from orchd.schedules import Rule, rule_of
from orchd.schedules.admission import HeldRun, Lane, Limits, Taken
from orchd.schedules.plan import ActiveRun, Pause, ScheduleView
from orchd.store.flows import FlowVersionRow
from orchd.store.runs import RunRow
from orchd.store.schedules import PauseRow, ScheduleRow


@dataclass(slots=True, kw_only=True, eq=False)
class LiveRun:
    """
    A run that is not final, and how far its folder has been read.
    """

    row: RunRow
    runs_folder: Path
    progress: Progress
    next_seq: int
    stored_bytes: int
    #: The pid of its monitor while it is watched.
    monitor_pid: int | None = None
    #: This daemon sent it to a spawner, so that user code may have begun.
    is_sent: bool = False
    #: Where it stands, or stood, while it is held.
    lane: Lane
    #: Files in its folder of which its log says that they cannot be read.
    told: set[Path] = field(default_factory=set)

    @property
    def id(self) -> FlowRunId:
        """
        The run's id.
        """
        return self.row.id

    @property
    def folder(self) -> RunFolder:
        """
        The run's folder, which is made when the run is launched.
        """
        return RunFolder(self.runs_folder / self.row.id)

    @property
    def state(self) -> FlowRunState:
        """
        The state that the store holds.
        """
        return self.row.state


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """
    A schedule with its rule and its next fire time, known ahead so that a tick is cheap.
    """

    row: ScheduleRow
    rule: Rule
    next_fire: datetime | None
    #: Of its runs while they are held.
    lane: Lane
    runs: dict[FlowRunId, LiveRun] = field(default_factory=dict)

    def view(self, *, flow_loaded: bool) -> ScheduleView:
        """
        Give what the planner needs to know.
        """
        row = self.row
        return ScheduleView(
            spec=row.spec,
            rule=self.rule,
            decided_until=from_us(row.decided_until_us),
            next_fire=self.next_fire,
            paused=_pause(row.paused),
            resumed=_pause(row.last_pause, until_us=row.resumed_at_us),
            active=tuple(
                ActiveRun(run_id=run.id, state=run.state, fire_time=from_us(run.row.wanted_at_us))
                for run in sorted(self.runs.values(), key=_age)
            ),
            flow_loaded=flow_loaded,
        )


def _age(run: LiveRun) -> int:
    return run.row.number


def _pause(row: PauseRow | None, *, until_us: int | None = None) -> Pause | None:
    if row is None:
        return None

    until = None if until_us is None else from_us(until_us)
    return Pause(who=row.who, at=from_us(row.at_us), note=row.note, until=until)


#: When a held run is wanted (microseconds), its schedule's name, its id: the order of a lane.
_Key = tuple[int, str, FlowRunId]


class Board:
    """
    Everything live, by name and id.

    Args:
        runs_folder: where the runs' folders are.

        config: says how many runs may go on at once; :meth:`set_config` has another one used.
    """

    def __init__(self, runs_folder: Path, config: Config) -> None:
        self.runs_folder = runs_folder
        self.entries: dict[str, Entry] = {}
        self.flows: dict[str, FlowVersionRow] = {}
        self.live: dict[FlowRunId, LiveRun] = {}
        self._begun: dict[FlowRunId, LiveRun] = {}
        self._joins: dict[str, list[Entry]] = {}
        self._children: dict[str, dict[FlowRunId, LiveRun]] = {}
        self._placed = 0
        self.set_config(config)

    def set_config(self, config: Config) -> None:
        """
        Hold runs back by the limits, pools and priorities of *config* from now on.
        """
        self.config = config
        self._flow_settings = config.flow
        flows = {name: settings.max_runs for name, settings in config.flow.items() if settings.max_runs is not None}
        self.limits = Limits(max_runs=config.daemon.max_runs, pools=config.pools, flows=flows)
        for entry in self.entries.values():
            entry.lane = self._lane(entry.row.spec, entry.row.spec.flow)
        self._hold_anew()

    def set_schedules(self, rows: Iterable[ScheduleRow]) -> None:
        """
        Take over the schedules as the store has them now, and compute their next fire times.
        """
        entries: dict[str, Entry] = {}
        for row in rows:
            rule = rule_of(row.spec)
            next_fire = rule.next_after(from_us(row.decided_until_us))
            lane = self._lane(row.spec, row.spec.flow)
            entries[row.spec.name] = Entry(row=row, rule=rule, next_fire=next_fire, lane=lane)
        for run in self.live.values():
            if run.row.schedule in entries:
                entries[run.row.schedule].runs[run.id] = run
        self._joins = {}
        for entry in entries.values():
            for flow in entry.row.spec.after:
                self._joins.setdefault(flow, []).append(entry)
        # Swapped whole: others may be reading it.
        self.entries = entries
        self._hold_anew()

    def set_flows(self, flows: dict[str, FlowVersionRow]) -> None:
        """
        Take over the current version of every flow.
        """
        self.flows = flows

    def flow_spec(self, flow: str) -> FlowSpec | None:
        """
        Give the last description of *flow*, if it was ever loaded.
        """
        version = self.flows.get(flow)
        return version.spec if version else None

    def forget_runs(self) -> None:
        """
        Hold no run any more, until :meth:`put_run` gives each again.
        """
        for run in tuple(self.live.values()):
            self._forget(run)

    def put_run(self, row: RunRow) -> LiveRun | None:
        """
        Take over a run as the store has it now; a final one leaves the board, and None comes back.
        """
        self.waits.moved(row.flow)
        run = self.live.get(row.id)
        if run is not None:
            self._forget(run)
            run.row = row
        if row.state.is_final:
            return None
        if run is None:
            run = LiveRun(
                row=row,
                runs_folder=self.runs_folder,
                progress=_progress(row),
                next_seq=row.next_seq,
                stored_bytes=row.stored_bytes,
                lane=self.lane(row),
            )
        self.live[row.id] = run
        if row.state is FlowRunState.SCHEDULED:
            self._hold(run)
        else:
            self._begun[row.id] = run
        if row.state in PLACED_FLOW_RUN_STATES:
            self._placed += 1
        if row.parent_run_id is not None:
            self._children.setdefault(row.parent_run_id, {})[row.id] = run
        if row.schedule in self.entries:
            self.entries[row.schedule].runs[row.id] = run

        return run

    def _forget(self, run: LiveRun) -> None:
        del self.live[run.id]
        if run.state is FlowRunState.SCHEDULED:
            self._let_go(run)
        self._begun.pop(run.id, None)
        if (parent := run.row.parent_run_id) is not None:
            self._children[parent].pop(run.id)
            if not self._children[parent]:
                del self._children[parent]
        if run.state in PLACED_FLOW_RUN_STATES:
            self._placed -= 1
        if run.row.schedule in self.entries:
            self.entries[run.row.schedule].runs.pop(run.id, None)

    def _hold(self, run: LiveRun) -> None:
        bisect.insort(self._held.setdefault(run.lane, []), self._key(run))
        entry = self.entries.get(run.row.schedule or "")
        if entry is not None and entry.row.spec.wait_for:
            self.waits.add(run.id, entry.row.spec.wait_for, fire_time=from_us(run.row.wanted_at_us))

    def _let_go(self, run: LiveRun) -> None:
        keys = self._held[run.lane]
        del keys[bisect.bisect_left(keys, self._key(run))]
        if not keys:
            del self._held[run.lane]
        self.waits.discard(run.id)

    def _hold_anew(self) -> None:
        """
        Put every held run where it belongs by the config and the schedules of now.
        """
        self.waits = Waits()
        self._held: dict[Lane, list[_Key]] = {}
        for run in self.live.values():
            if run.state is FlowRunState.SCHEDULED:
                run.lane = self.lane(run.row)
                self._hold(run)

    def lane(self, run: RunRow) -> Lane:
        """
        Give the lane that *run* stands in while it is held: that of its schedule, or of its flow.
        """
        entry = self.entries.get(run.schedule or "")
        return entry.lane if entry else self._lane(None, run.flow)

    def _lane(self, spec: ScheduleSpec | None, flow: str) -> Lane:
        settings = self._flow_settings.get(flow, _NO_SETTINGS)
        return Lane(
            priority=settings.priority if spec is None or spec.priority is None else spec.priority,
            pool=settings.pool if spec is None or spec.pool is None else spec.pool,
            flow=flow if flow in self.limits.flows else None,
        )

    @staticmethod
    def _key(run: LiveRun) -> _Key:
        return run.row.wanted_at_us, run.row.schedule or "", run.row.id

    @property
    def placed(self) -> int:
        """
        How many places of ``max_runs`` are taken.
        """
        return self._placed

    def taken(self) -> Taken:
        """
        Give what goes on already. From any thread.
        """
        begun: dict[str | None, list[FlowRunId]] = {}
        pools: dict[str, list[FlowRunId]] = {}
        flows: dict[str, list[FlowRunId]] = {}
        for run in sorted(self.begun_runs(), key=_age):
            begun.setdefault(run.row.schedule, []).append(run.id)
            if run.state not in PLACED_FLOW_RUN_STATES:
                continue
            lane = self.lane(run.row)
            if lane.pool is not None:
                pools.setdefault(lane.pool, []).append(run.id)
            if lane.flow is not None:
                flows.setdefault(lane.flow, []).append(run.id)
        return Taken(places=self._placed, begun=begun, pools=pools, flows=flows)

    def joins_of(self, flow: str) -> list[Entry]:
        """
        Give the schedules that wait for the finishes of *flow*.
        """
        return self._joins.get(flow, [])

    def children_of(self, run_id: str) -> list[LiveRun]:
        """
        Give the runs that tasks of the run *run_id* started and that are not final.
        """
        return list(self._children.get(run_id, {}).values())

    def begun_runs(self) -> list[LiveRun]:
        """
        Give the runs that are neither final nor ``scheduled``.
        """
        return list(self._begun.values())

    def due(self, now: datetime) -> list[Entry]:
        """
        Give the schedules whose next fire time has come. Paused ones are not due.
        """
        return [
            entry
            for entry in self.entries.values()
            if entry.next_fire is not None and entry.next_fire <= now and entry.row.paused is None
        ]

    def held(self, *, all_that_wait: bool = True) -> dict[Lane, Iterator[HeldRun]]:
        """
        Give the held runs of each lane in the order in which they get a place: fire time, then schedule name.

        From any thread; a run that gets its place meanwhile is passed over.

        Args:
            all_that_wait: False to leave out those that wait for another flow and have no run of their own schedule
                behind them: who only gives places need not read ten thousand of them.
        """
        return {lane: self._read(keys.copy(), all_that_wait) for lane, keys in self._held.copy().items()}

    def _read(self, keys: list[_Key], all_that_wait: bool) -> Iterator[HeldRun]:
        for wanted_at_us, name, run_id in keys:
            if run_id not in self.live:
                continue
            entry, waits = self.entries.get(name), self.waits.has(run_id)
            if waits and not all_that_wait and entry is not None and len(entry.runs) == 1:
                continue
            yield HeldRun(
                run_id=run_id,
                schedule=name or None,
                fire_time=from_us(wanted_at_us),
                overlap=entry.row.spec.overlap if entry else Overlap.QUEUE,
                waits=waits,
            )

    def next_wake(self, now: datetime) -> datetime | None:
        """
        Give the next instant at which a schedule that is not paused fires, or a held run is wanted or gives up.
        """
        fires = [e.next_fire for e in self.entries.values() if e.next_fire is not None and e.row.paused is None]
        for keys in self._held.values():
            later = bisect.bisect_right(keys, to_us(now), key=lambda held: held[0])
            if later < len(keys):
                fires.append(from_us(keys[later][0]))
        if (limit := self.waits.next_deadline(now)) is not None:
            fires.append(limit)

        return min(fires, default=None)


#: Of a flow that has no table of its own in the config.
_NO_SETTINGS: Final = FlowSettings()
#: Of a run that has written nothing yet: shared by all of them.
_UNREAD: Final = Progress()


def _progress(row: RunRow) -> Progress:
    if not (row.journal_offset or row.stdout_offset or row.stderr_offset):
        return _UNREAD

    return Progress(
        journal=row.journal_offset,
        stdout=Stream(name="stdout", offset=row.stdout_offset),
        stderr=Stream(name="stderr", offset=row.stderr_offset),
    )
