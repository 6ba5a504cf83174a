"""
Small makers of what the store's tests put into it.
"""

import itertools
import uuid

from orchd.model.ids import FlowRunId
from orchd.model.slots import Outcome, Reason
from orchd.model.specs import FlowSpec, RuleKind, ScheduleSpec, TaskSpec
from orchd.model.states import FLOW_RUN_MOVES, FlowRunState
from orchd.store import queries, runs, schedules, slots
from orchd.store.database import Connection, Database

S = FlowRunState

#: A way to each state, from ``scheduled`` on.
WAYS = {
    S.SCHEDULED: (),
    S.PENDING: (S.PENDING,),
    S.RUNNING: (S.PENDING, S.RUNNING),
    S.WAITING: (S.PENDING, S.RUNNING, S.WAITING),
    S.CANCELLING: (S.PENDING, S.RUNNING, S.CANCELLING),
    S.SUCCESS: (S.PENDING, S.RUNNING, S.SUCCESS),
    S.FAILED: (S.PENDING, S.RUNNING, S.FAILED),
    S.TIMED_OUT: (S.PENDING, S.RUNNING, S.TIMED_OUT),
    S.CRASHED: (S.PENDING, S.CRASHED),
    S.CANCELLED: (S.CANCELLED,),
}

#: Every (from, to) that the table does not allow.
WRONG_MOVES = [
    (source, to)
    for source, to in itertools.product(FlowRunState, FlowRunState)
    if source not in FLOW_RUN_MOVES.get(to, ())
]


def flow_spec(name: str = "load", *, source_hash: str = "aa", tasks: tuple[str, ...] = ()) -> FlowSpec:
    """
    Describe a flow with *tasks*, whose names are their slugs in capitals.
    """
    made = tuple(TaskSpec(slug=slug, name=slug.upper()) for slug in tasks)
    return FlowSpec(name=name, file=f"/flows/{name}.py", source_hash=source_hash, tasks=made)


def schedule_spec(name: str = "nightly", *, flow: str = "load", rule: str = "90s") -> ScheduleSpec:
    """
    Describe an ``every`` schedule.
    """
    return ScheduleSpec(name=name, flow=flow, kind=RuleKind.EVERY, rule=rule)


def add_schedule(conn: Connection, name: str = "nightly", *, at_us: int = 0) -> schedules.ScheduleRow:
    """
    Keep the schedule *name* beside those that are there, and return its row.
    """
    there = [row.spec for row in schedules.load(conn) if row.spec.name != name]
    schedules.sync(conn, [*there, schedule_spec(name)], at_us=at_us)
    return next(row for row in schedules.load(conn) if row.spec.name == name)


def new_run(**values: object) -> runs.NewRun:
    """
    Return a manual run of flow ``load`` with *values* in place of the usual ones.
    """
    run_id = FlowRunId(str(uuid.uuid4()))
    usual: dict[str, object] = {"id": run_id, "name": f"calm-otter-{run_id[:6]}", "flow": "load", "wanted_at_us": 0}
    return runs.NewRun(**usual | values)


def add_run(conn: Connection, *, state: FlowRunState = S.SCHEDULED, at_us: int = 10, **values: object) -> runs.RunRow:
    """
    Make a run and move it to *state*, every step at *at_us*.
    """
    run = new_run(**values)
    runs.insert_runs(conn, [run], at_us=at_us)
    for step in WAYS[state]:
        runs.move(conn, run.id, step, at_us=at_us)
    return runs.get(conn, run.id)


def slot(row: schedules.ScheduleRow, fire_time_us: int, **values: object) -> slots.NewSlot:
    """
    Return a started slot of *row*, with *values* in place of the usual ones.
    """
    usual: dict[str, object] = {
        "schedule_id": row.id,
        "version_id": row.version_id,
        "fire_time_us": fire_time_us,
        "outcome": Outcome.STARTED,
        "reason": Reason.ON_TIME,
        "run_id": FlowRunId(str(uuid.uuid4())),
    }
    return slots.NewSlot(**usual | values)


def skipped(row: schedules.ScheduleRow, fire_time_us: int, **values: object) -> slots.NewSlot:
    """
    Return a skipped slot of *row*.
    """
    usual: dict[str, object] = {
        "outcome": Outcome.SKIPPED,
        "reason": Reason.QUEUE_FULL,
        "fields": {"waiting": 3},
        "run_id": None,
    }
    return slot(row, fire_time_us, **usual | values)


def still_works(store: Database) -> None:
    """
    Write something and read it again.
    """
    with store.writing() as conn:
        run = add_run(conn)
    with store.reading() as conn:
        assert queries.find_run(conn, run.id) == run
