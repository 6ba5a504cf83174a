"""
What all benchmarks share: the folder that they measure in, the machine's sync time, and the form of what they print.
"""

import argparse
import json
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from orchd import clock
from support.daemon import Daemon, Json
from support.waiting import eventually

_SYNCS = 50


def parser(about: str, *, size: int, size_help: str) -> argparse.ArgumentParser:
    """
    Return the arguments that every benchmark takes.
    """
    made = argparse.ArgumentParser(description=about)
    made.add_argument("--size", type=int, default=size, help=f"{size_help} (default: {size})")
    made.add_argument("--in", dest="place", type=Path, default=tempfile.gettempdir(), help="folder to measure in")
    return made


@contextmanager
def daemon_in(place: Path, *, schedules: str = "", daemon: str = "") -> Iterator[Daemon]:
    """
    Give a daemon, not yet started, in a fresh folder below *place*; nothing is left of either at the end.
    """
    with tempfile.TemporaryDirectory(prefix="orchd-bench-", dir=place) as name:
        made = Daemon(Path(name, "home"))
        made.configure(schedules, daemon=daemon)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def scratch(place: Path) -> Iterator[Path]:
    """
    Give a fresh folder below *place*; nothing is left of it at the end.
    """
    with tempfile.TemporaryDirectory(prefix="orchd-bench-", dir=place) as name:
        yield Path(name)


def report(what: str, figures: Json, *, folder: Path) -> None:
    """
    Print *figures* as one JSON object with what they were measured on.
    """
    machine = {
        "fdatasync_ms": fdatasync_ms(folder),
        "folder": str(folder),
        "load_average": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    print(json.dumps(rounded({"what": what, **figures, "machine": machine}), indent=2))


def fdatasync_ms(folder: Path) -> float:
    """
    Return the median time of an ``fdatasync`` of 4 KiB on the file system of *folder*.
    """
    with tempfile.NamedTemporaryFile(dir=folder) as file:

        def write() -> None:
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            os.fdatasync(file.fileno())

        return statistics.median(timed(write) for _ in range(_SYNCS)) * 1000


def timed(work: Callable[[], object]) -> float:
    """
    Return how many seconds *work* takes.
    """
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def spread(values: Sequence[float]) -> dict[str, float]:
    """
    Return least, median, 90th and 99th percentile and greatest of *values*.
    """
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "min": ordered[0],
        "median": statistics.median(ordered),
        "p90": ordered[round(last * 0.90)],
        "p99": ordered[round(last * 0.99)],
        "max": ordered[last],
    }


def rounded(value: object) -> object:
    """
    Return *value* with every float in it cut to 4 significant digits.
    """
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]

    return float(f"{value:.4g}") if isinstance(value, float) else value


def store(daemon: Daemon) -> sqlite3.Connection:
    """
    Open the run store of *daemon*, to read it as it is.
    """
    return sqlite3.connect(f"file:{daemon.state}/orchd.sqlite3?mode=ro", uri=True, isolation_level=None)


def committed(asked: sqlite3.Connection, sql: str, *values: object, within_s: float = 300) -> int:
    """
    Return the wall clock in microseconds when *sql* first gave a row: some 2 milliseconds after the commit.
    """

    def ask() -> int:
        found = asked.execute(sql, values).fetchone()
        return clock.now_us() if found is not None else 0

    return eventually(ask, within_s=within_s, every_s=0.002, what=sql)


def bare_insert_s(source: Path, folder: Path, tables: dict[str, str], *, at_once: int = 1000) -> float:
    """
    Return the seconds that the bare driver takes to put the same rows into the same tables of a store of its own.

    Args:
        source: SQLite file to copy tables, indexes and rows from.

        folder: on the file system to measure.

        tables: name -> which of its rows.

        at_once: rows in one synced commit.
    """
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as full,
        tempfile.TemporaryDirectory(prefix="orchd-bare-", dir=folder) as name,
        closing(sqlite3.connect(Path(name, "bare.sqlite3"), isolation_level=None)) as bare,
    ):
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "cache_size=-16000"):
            bare.execute(f"PRAGMA {pragma}")
        work: list[tuple[str, list[tuple[object, ...]]]] = []
        for table, where in tables.items():
            for (sql,) in full.execute(
                "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (table,)
            ):
                bare.execute(sql)
            rows = full.execute(f"SELECT * FROM {table} WHERE {where}").fetchall()
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                work.append((f"INSERT INTO {table} VALUES ({marks})", rows))

        def insert() -> None:
            for statement, rows in work:
                for start in range(0, len(rows), at_once):
                    bare.execute("BEGIN IMMEDIATE")
                    bare.executemany(statement, rows[start : start + at_once])
                    bare.execute("COMMIT")

        return timed(insert)


def memory_mib(pid: int, kind: str) -> float:
    """
    Return the ``Pss`` or ``Rss`` of a process in MiB.
    """
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024

    raise ValueError(f"/proc/{pid}/smaps_rollup has no {kind}")


def cpu_s(pid: int) -> float:
    """
    Return the processor time of all threads of a process, to the nanosecond.
    """
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def spawner_pid(daemon: Daemon) -> int:
    """
    Return the process id of the daemon's spawner, once it is up.
    """
    return eventually(lambda: next(iter(daemon.processes(name="orchd-spawner")), 0), what="the spawner is up")
