"""
Measure the run store on SQLite against the bare driver, and its lists with a million runs; prints one JSON object.

``python tests/benchmarks/bench_store.py [--runs 1000000]``
"""

import argparse
import json
import os
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from orchd.model.ids import FlowRunId
from orchd.model.records import TaskRecord
from orchd.model.slots import Outcome, Reason
from orchd.model.specs import RuleKind, ScheduleSpec
from orchd.model.states import FlowRunState
from orchd.store import logs, queries, runs, schedules, slots, tasks, upkeep
from orchd.store.database import Database
from orchd.store.logs import LogRow
from orchd.store.runs import NewRun
from orchd.store.slots import NewSlot

_SLOTS = 10_000
_TASKS = 5_000
_LINES = 500_000
_MANY = 10_000
_STATES = (
    "success",
    "success",
    "success",
    "success",
    "success",
    "success",
    "success",
    "failed",
    "crashed",
    "cancelled",
)


def timed(work: Callable[[], object]) -> float:
    """
    Return how many seconds *work* takes.
    """
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bare(folder: Path, statement: str, rows: list[tuple[object, ...]], *, at_once: int, table: str) -> float:
    """
    Return the seconds that ``executemany`` of the bare driver takes for *rows*, with one synced commit for each part.
    """
    connection = sqlite3.connect(folder / f"{uuid.uuid4()}.sqlite3", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(table)

    def work() -> None:
        for start in range(0, len(rows), at_once):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, rows[start : start + at_once])
            connection.execute("COMMIT")

    took = timed(work)
    connection.close()
    return took


def fsync_ms(folder: Path) -> float:
    """
    Return the median time of a synced write of one page.
    """
    with (folder / "sync").open("wb") as file:

        def write() -> None:
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            os.fdatasync(file.fileno())

        return statistics.median(timed(write) for _ in range(200)) * 1000


def due_at_once(store: Database, folder: Path) -> dict[str, float]:
    """
    10,000 schedules due at one instant: slots, runs, their events and the cursors in one transaction.
    """
    specs = [ScheduleSpec(name=f"s{n}", flow="f", kind=RuleKind.EVERY, rule="1h") for n in range(_SLOTS)]
    with store.writing() as conn:
        schedules.sync(conn, specs, at_us=0)
        loaded = schedules.load(conn)
    due: list[NewSlot] = []
    started: list[NewRun] = []
    for row in loaded:
        run_id = FlowRunId(str(uuid.uuid4()))
        due.append(
            NewSlot(
                schedule_id=row.id,
                version_id=row.version_id,
                fire_time_us=1,
                outcome=Outcome.STARTED,
                reason=Reason.ON_TIME,
                run_id=run_id,
            )
        )
        started.append(
            NewRun(id=run_id, name=f"r-{run_id[:6]}", flow="f", schedule_id=row.id, fire_time_us=1, wanted_at_us=1)
        )

    def work() -> None:
        with store.writing() as conn:
            slots.insert_slots(conn, due)
            runs.insert_runs(conn, started, at_us=2)
            schedules.set_decided(conn, [(row.id, 1) for row in loaded])

    took = timed(work)

    def claim() -> None:
        with store.writing() as conn:
            runs.claim(conn, [run.id for run in started], host="h", at_us=3)

    rows: list[tuple[object, ...]] = [(run.id, run.name, run.flow, 1, 2, n) for n, run in enumerate(started * 3)]
    table = "CREATE TABLE t (id TEXT, name TEXT, flow TEXT, a INTEGER, b INTEGER, c INTEGER)"
    limit = bare(folder, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows, at_once=len(rows), table=table)
    return {"seconds": took, "bare_3_rows_each_seconds": limit, "ratio": took / limit, "claim_seconds": timed(claim)}


def task_moves(store: Database, folder: Path, *, at_once: int) -> dict[str, float]:
    """
    5,000 tasks, each running and then success, with their events, in transactions of *at_once* moves.
    """
    run_id = FlowRunId(str(uuid.uuid4()))
    records = [
        TaskRecord(at=n, slug=f"task-{n}", state=state) for n in range(_TASKS) for state in ("running", "success")
    ]
    with store.writing() as conn:
        runs.insert_runs(conn, [NewRun(id=run_id, name="tasks", flow="f", wanted_at_us=0)], at_us=0)
        number = runs.get(conn, run_id).number

    def work() -> None:
        for start in range(0, len(records), at_once):
            with store.writing() as conn:
                tasks.apply(conn, number, records[start : start + at_once])

    took = timed(work)
    rows: list[tuple[object, ...]] = [
        (number, record.slug, -1, "pending", record.state, n, "") for record in records for n in (1, 2)
    ]
    table = "CREATE TABLE t (r INTEGER, s TEXT, m INTEGER, f TEXT, t TEXT, a INTEGER, x TEXT)"
    limit = bare(folder, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", rows, at_once=at_once * 2, table=table)
    return {"moves_per_s": len(records) / took, "bare_2_rows_each_per_s": len(records) / limit, "ratio": took / limit}


def log_lines(store: Database, folder: Path) -> dict[str, float]:
    """
    500,000 lines of one run, 5,000 in a transaction.
    """
    run_id = FlowRunId(str(uuid.uuid4()))
    with store.writing() as conn:
        runs.insert_runs(conn, [NewRun(id=run_id, name="lines", flow="f", wanted_at_us=0)], at_us=0)
        number = runs.get(conn, run_id).number
    rows: list[LogRow] = [(number, n, n, 20, 1, None, -1, f"line {n} of a usual length, sixty") for n in range(_LINES)]

    def work() -> None:
        for start in range(0, len(rows), 5000):
            with store.writing() as conn:
                logs.append(conn, rows[start : start + 5000])

    took = timed(work)
    table = (
        "CREATE TABLE t (r INTEGER, s INTEGER, a INTEGER, l INTEGER, m INTEGER, t TEXT, i INTEGER, x TEXT,"
        " PRIMARY KEY (r, s)) WITHOUT ROWID"
    )
    limit = bare(folder, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(rows), at_once=5000, table=table)
    return {"lines_per_s": len(rows) / took, "bare_lines_per_s": len(rows) / limit, "ratio": took / limit}


def fill(store: Database, count: int) -> float:
    """
    Make *count* ended runs of 100 flows, and return how long it took.
    """

    def work() -> None:
        for start in range(0, count, _MANY):
            with store.writing() as conn:
                made = [
                    NewRun(id=FlowRunId(str(uuid.uuid4())), name=f"n-{n}", flow=f"flow-{n % 100}", wanted_at_us=n)
                    for n in range(start, start + _MANY)
                ]
                runs.insert_runs(conn, made, at_us=1_000_000 + start)
                conn.exec_driver_sql(
                    "UPDATE flow_run SET state = ?, started_at_us = created_at_us, ended_at_us = created_at_us + number"
                    " WHERE state = 'scheduled' AND number % 10 = ?",
                    [(state, last) for last, state in enumerate(_STATES)],
                )
            store.checkpoint()

    return timed(work)


def lists(store: Database, count: int) -> dict[str, float]:
    """
    Milliseconds (99th percentile) of each list with *count* runs, and of a purge of 10,000 in steps of 500.
    """
    newest = 1_000_000 + count
    asked: dict[str, dict[str, object]] = {
        "newest": {},
        "deep_page": {"before": count // 2},
        "flow": {"flow": "flow-7"},
        "state": {"states": [FlowRunState.FAILED]},
        "failures": {"states": [FlowRunState.FAILED, FlowRunState.CRASHED, FlowRunState.TIMED_OUT]},
        "flow_and_rare_state": {"flow": "flow-7", "states": [FlowRunState.CANCELLED]},
        "since": {"since_us": newest - 50_000},
    }
    found: dict[str, float] = {}
    with store.reading() as conn:
        for name, question in asked.items():
            found[name] = p99(lambda question=question: queries.runs(conn, **question))
        some = queries.runs(conn, before=count // 3, limit=1)[0]
        found["find_by_prefix"] = p99(lambda: queries.find_run(conn, some.id[:13]))
        found["detail"] = p99(lambda: queries.run_detail(conn, FlowRunId(some.id)))
        found["live"] = p99(lambda: runs.live(conn))
        day = newest + count - 100_000
        found["status_counts"] = p99(lambda: queries.counts(conn, since_us=day))
        bad = [FlowRunState.FAILED]
        found["status_failed"] = p99(lambda: queries.ended_runs(conn, states=bad, since_us=day))
    steps: list[float] = []
    for _ in range(20):

        def purge() -> None:
            with store.writing() as conn:
                assert len(upkeep.purge(conn, before_us=newest * 2, failed_before_us=newest * 2, limit=500)) == 500

        steps.append(timed(purge) * 1000)
    return found | {"purge_10000": sum(steps), "purge_longest_step": max(steps)}


def p99(work: Callable[[], object]) -> float:
    """
    Return the 99th percentile of 50 calls in milliseconds.
    """
    return statistics.quantiles([timed(work) * 1000 for _ in range(50)], n=100)[98]


def main() -> None:
    """
    Measure everything and print it.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000_000)
    count: int = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="orchd-bench-") as name:
        folder = Path(name)
        store = Database.open("sqlite", state_dir=folder)
        result: dict[str, object] = {
            "fsync_ms": fsync_ms(folder),
            "due_at_once_10000": due_at_once(store, folder),
            "task_moves_in_one": task_moves(store, folder, at_once=_TASKS * 2),
            "task_moves_in_200s": task_moves(store, folder, at_once=200),
            "log_lines": log_lines(store, folder),
        }
        store.close()
        (folder / "many").mkdir()
        store = Database.open("sqlite", state_dir=folder / "many")
        result["fill_seconds"] = fill(store, count)
        result["file_mib"] = (folder / "many" / "orchd.sqlite3").stat().st_size >> 20
        result[f"ms_p99_with_{count}_runs"] = lists(store, count)
        store.close()
        again = timed(lambda: Database.open("sqlite", state_dir=folder / "many").close())
        print(json.dumps(result | {"open_seconds": again}, indent=2))


if __name__ == "__main__":
    main()
