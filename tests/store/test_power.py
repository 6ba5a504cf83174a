"""
Power loss: every copy of the files, taken at any moment, is a whole store with each row acknowledged before.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from orchd.model.ids import FlowRunId
from orchd.store import queries, runs
from orchd.store.database import Database

_WRITER = """
import pathlib, sys
from orchd.store import logs, runs
from orchd.store.database import Database
store = Database.open("sqlite", state_dir=pathlib.Path(sys.argv[1]))
with store.writing() as conn:
    runs.insert_runs(conn, [runs.NewRun(id="r", name="r", flow="f", wanted_at_us=0)], at_us=0)
    number = runs.get(conn, "r").number
for seq in range(100_000):
    with store.writing() as conn:
        logs.append(conn, [(number, seq, 0, 20, 0, None, -1, "x" * 200)])
    print(seq, flush=True)
"""


def test_a_copy_at_any_moment_holds_what_was_acknowledged(tmp_path: Path) -> None:
    """
    While a writer commits, WAL and file are copied as a crash would leave them; each copy opens, none lacks a row.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, bufsize=1
    ) as writer:
        assert writer.stdout is not None
        for copy in range(6):
            acknowledged = [int(writer.stdout.readline()) for _ in range(15)][-1]
            folder = tmp_path / f"copy-{copy}"
            folder.mkdir()
            for name in ("orchd.sqlite3", "orchd.sqlite3-wal"):
                shutil.copyfile(tmp_path / name, folder / name)
            store = Database.open("sqlite", state_dir=folder)
            with store.reading() as conn:
                number = runs.get(conn, FlowRunId("r")).number
                seqs = [line.seq for line in queries.log_lines(conn, number, limit=100_000)]
            store.close()
            assert seqs == list(range(len(seqs)))
            assert len(seqs) > acknowledged
        writer.kill()
        writer.stdout.read()


def test_a_killed_writer_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """
    After kill -9 in the middle of its commits the store opens and has every acknowledged row.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, bufsize=1
    ) as writer:
        assert writer.stdout is not None
        for _ in range(50):
            writer.stdout.readline()
        writer.kill()
        rest = writer.stdout.read().split()
    acknowledged = int(rest[-1]) if rest else 49
    store = Database.open("sqlite", state_dir=tmp_path)
    with store.reading() as conn:
        lines = queries.log_lines(conn, runs.get(conn, FlowRunId("r")).number, limit=200_000)
    store.close()

    assert acknowledged < len(lines) <= acknowledged + 2
