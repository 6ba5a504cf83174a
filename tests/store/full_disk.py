"""
Fill a small disk under a store, free it again, and say what happened: run in a mount namespace of its own.
"""

import subprocess
import sys
from pathlib import Path

from orchd.errors import StoreError
from orchd.store import logs, queries, runs
from orchd.store.database import Database
from orchd.store.runs import NewRun


def main(state_dir: Path) -> None:
    """
    Write until the disk of *state_dir* is full, then check that nothing acknowledged is lost.
    """
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(state_dir)], check=True)
    ballast = state_dir / "ballast"
    ballast.write_bytes(b"x" * 1_500_000)
    store = Database.open("sqlite", state_dir=state_dir)
    with store.writing() as conn:
        runs.insert_runs(conn, [NewRun(id="r", name="r", flow="f", wanted_at_us=0)], at_us=0)
        number = runs.get(conn, "r").number
    acknowledged = 0
    try:
        while True:
            with store.writing() as conn:
                logs.append(conn, [(number, acknowledged, 0, 20, 0, None, -1, "x" * 5000)])
            acknowledged += 1
    except StoreError as error:
        print(error)
    with store.reading() as conn:
        assert len(queries.log_lines(conn, number, limit=10_000)) == acknowledged
    ballast.unlink()
    with store.writing() as conn:
        logs.append(conn, [(number, acknowledged, 0, 20, 0, None, -1, "again")])
    store.close()
    store = Database.open("sqlite", state_dir=state_dir)
    with store.reading() as conn:
        assert len(queries.log_lines(conn, number, limit=10_000)) == acknowledged + 1
    store.close()


main(Path(sys.argv[1]))
