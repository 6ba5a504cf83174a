"""
A herd: 10,000 schedules due at one instant, 8 places. How long until every slot is recorded; printed as JSON.

Run it alone: ``python tests/benchmarks/bench_herd.py [SCHEDULES]``.
"""

import gc
import heapq
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from orchd import config
from orchd.model.instants import iso, to_us
from orchd.model.specs import FlowSpec, RuleKind, ScheduleSpec
from orchd.scheduler.board import Board
from orchd.scheduler.cancels import Cancels
from orchd.scheduler.chains import Chains
from orchd.scheduler.launching import Launcher
from orchd.scheduler.resuming import attempt_before
from orchd.scheduler.tick import Ticker
from orchd.service import root
from orchd.store import flows, queries, schedules
from orchd.store.database import Connection, Database

SCHEDULES = 10_000
PLACES = 8
ROUNDS = 3
DUE = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


def timed(work: Callable[[], object]) -> float:
    """
    Return the seconds that *work* takes.
    """
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def heap_s(count: int) -> float:
    """
    Return how long a bare heap takes to hand out *count* due items and take each back with its next time.
    """

    def work() -> None:
        heap = [(0, number) for number in range(count)]
        heapq.heapify(heap)
        for _ in range(count):
            due, number = heapq.heappop(heap)
            heapq.heappush(heap, (due + 60, number))

    return min(timed(work) for _ in range(5))


def fsync_s(folder: Path) -> float:
    """
    Return the median time of an fsync of 4 KiB on this machine.
    """
    fd = os.open(folder / "probe", os.O_WRONLY | os.O_CREAT)

    def work() -> None:
        os.write(fd, b"x" * 4096)
        os.fsync(fd)

    times = [timed(work) for _ in range(20)]
    os.close(fd)
    return statistics.median(times)


def herd(folder: Path, count: int) -> dict[str, object]:
    """
    Tick once with *count* schedules due, and say how long it took and what it wrote.
    """
    runs_folder = folder / "runs"
    runs_folder.mkdir(parents=True)
    database = Database.open("sqlite", state_dir=folder)
    settings = config.load(None, env={"HOME": str(folder)})
    settings = replace(settings, daemon=replace(settings.daemon, max_runs=PLACES))
    board = Board(runs_folder, settings)
    fill(database, board, count)
    launched: list[Path] = []
    first_at: list[float] = []

    def send(path: Path) -> None:
        first_at.append(time.perf_counter())
        launched.append(path)

    launcher = Launcher(
        board, send=send, config=settings, nudge=None, before=partial(attempt_before, database, runs_folder)
    )
    ticker = Ticker(database, board, launcher, Chains(board, Cancels(board)), host="here")
    gc.collect()
    began, began_cpu = time.perf_counter(), time.process_time()
    ticker.tick(board.due(DUE), now=DUE + timedelta(milliseconds=1))
    tick_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    with database.reading() as conn:
        recorded = recorded_slots(conn)
    again_s = timed(lambda: ticker.tick(board.due(DUE), now=DUE + timedelta(milliseconds=2)))
    database.close()
    return {
        "recorded_s": round(first_at[0] - began, 4),
        "tick_s": round(tick_s, 4),
        "tick_cpu_s": round(cpu_s, 4),
        "idle_tick_s": round(again_s, 5),
        "slots": recorded,
        "dropped": count - recorded,
        "launched": len(launched),
        "held": sum(1 for lane in board.held().values() for _ in lane),
    }


def fill(database: Database, board: Board, count: int) -> None:
    """
    Put *count* schedules of one flow into store and board, all due at :data:`DUE`.
    """
    before = to_us(DUE - timedelta(hours=1))
    with database.writing() as conn:
        flows.record_flows(conn, [FlowSpec(name="load", file="/flows/load.py", source_hash="aa")], at_us=before)
        specs = [
            ScheduleSpec(name=f"herd-{n:05}", flow="load", kind=RuleKind.CRON, rule=f"0,{1 + n % 59} 10 * * *")
            for n in range(count)
        ]
        schedules.sync(conn, specs, at_us=before)
        board.set_flows(flows.current_flows(conn))
        board.set_schedules(schedules.load(conn))


def recorded_slots(conn: Connection) -> int:
    """
    Return how many schedules have a slot for :data:`DUE`.
    """
    found = queries.last_slots(conn, [row.id for row in schedules.load(conn)])
    return sum(slot.fire_time == iso(DUE) for slot in found.values())


def main() -> None:
    """
    Measure and print.
    """
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SCHEDULES
    gc.set_threshold(*root.GC_THRESHOLD)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rounds = [herd(folder / str(number), count) for number in range(ROUNDS)]
        best = min(rounds, key=lambda measured: float(str(measured["recorded_s"])))
        bare_s = heap_s(count)
        print(
            json.dumps(
                {
                    "what": f"{count} schedules due at one instant, max_runs = {PLACES}",
                    **best,
                    "recorded_s_of_all_rounds": [measured["recorded_s"] for measured in rounds],
                    "bare_heap_s": round(bare_s, 4),
                    "ratio": round(float(str(best["recorded_s"])) / bare_s, 1),
                    "fsync_s": round(fsync_s(folder), 5),
                }
            )
        )


if __name__ == "__main__":
    main()
