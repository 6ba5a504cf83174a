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

from orchd.model.ids import FlowRunId
from orchd.model.instants import from_us, to_us
from orchd.model.specs import FlowSpec, Overlap
from orchd.model.states import PLACED_FLOW_RUN_STATES, FlowRunState
from orchd.processes.folder import RunFolder
from orchd.scheduler.reading import Progress, Stream
from orchd.schedules import Rule, rule_of
from orchd.schedules.plan import ActiveRun, HeldRun, Pause, ScheduleView
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


#: When a held run is wanted (microseconds), its schedule's name, its id: the order in which places are given.
_Key = tuple[int, str, FlowRunId]


class Board:
    """
    Everything live, by name and id.

    Args:
        runs_folder: where the runs' folders are.
    """

    def __init__(self, runs_folder: Path) -> None:
        self.runs_folder = runs_folder
        self.entries: dict[str, Entry] = {}
        self.flows: dict[str, FlowVersionRow] = {}
        self.live: dict[FlowRunId, LiveRun] = {}
        self._held: list[_Key] = []
        self._begun: dict[FlowRunId, LiveRun] = {}
        self._placed = 0

    def set_schedules(self, rows: Iterable[ScheduleRow]) -> None:
        """
        Take over the schedules as the store has them now, and compute their next fire times.
        """
        entries: dict[str, Entry] = {}
        for row in rows:
            rule = rule_of(row.spec)
            next_fire = rule.next_after(from_us(row.decided_until_us))
            entries[row.spec.name] = Entry(row=row, rule=rule, next_fire=next_fire)
        for run in self.live.values():
            if run.row.schedule in entries:
                entries[run.row.schedule].runs[run.id] = run
        # Swapped whole: others may be reading it.
        self.entries = entries

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
            )
        self.live[row.id] = run
        if row.state is FlowRunState.SCHEDULED:
            bisect.insort(self._held, self._key(run))
        else:
            self._begun[row.id] = run
        if row.state in PLACED_FLOW_RUN_STATES:
            self._placed += 1
        if row.schedule in self.entries:
            self.entries[row.schedule].runs[row.id] = run

        return run

    def _forget(self, run: LiveRun) -> None:
        del self.live[run.id]
        if run.state is FlowRunState.SCHEDULED:
            del self._held[bisect.bisect_left(self._held, self._key(run))]
        self._begun.pop(run.id, None)
        if run.state in PLACED_FLOW_RUN_STATES:
            self._placed -= 1
        if run.row.schedule in self.entries:
            self.entries[run.row.schedule].runs.pop(run.id, None)

    @staticmethod
    def _key(run: LiveRun) -> _Key:
        return run.row.wanted_at_us, run.row.schedule or "", run.row.id

    @property
    def placed(self) -> int:
        """
        How many places of ``max_runs`` are taken.
        """
        return self._placed

    def begun(self) -> dict[str | None, tuple[FlowRunId, ...]]:
        """
        Give schedule name -> its runs that are neither final nor ``scheduled``, oldest first.
        """
        found: dict[str | None, tuple[FlowRunId, ...]] = {}
        for run in sorted(self.begun_runs(), key=_age):
            found[run.row.schedule] = (*found.get(run.row.schedule, ()), run.id)

        return found

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

    def held(self) -> Iterator[HeldRun]:
        """
        Give the held runs in the order in which they get a place: fire time, then schedule name.

        From any thread; a run that gets its place meanwhile is passed over.
        """
        for wanted_at_us, name, run_id in self._held.copy():
            if run_id not in self.live:
                continue
            entry = self.entries.get(name)
            yield HeldRun(
                run_id=run_id,
                schedule=name or None,
                fire_time=from_us(wanted_at_us),
                overlap=entry.row.spec.overlap if entry else Overlap.QUEUE,
            )

    def next_wake(self, now: datetime) -> datetime | None:
        """
        Give the next instant at which a schedule that is not paused fires, or a held run is wanted.
        """
        fires = [e.next_fire for e in self.entries.values() if e.next_fire is not None and e.row.paused is None]
        later = bisect.bisect_right(self._held, to_us(now), key=lambda held: held[0])
        if later < len(self._held):
            fires.append(from_us(self._held[later][0]))

        return min(fires, default=None)


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
