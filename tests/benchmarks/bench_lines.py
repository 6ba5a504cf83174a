"""
A million lines that one run prints, until the last of them is committed.
"""

import threading
from contextlib import closing
from pathlib import Path

from benchmarks import measuring
from support.daemon import Daemon, Json

FLOW = """
from orchd import Flow, task


@task
def talk():
    for number in range({count}):
        print(f"line {{number}} abcdefghijklmnopqrstuvwxyz {{number:010}}")


with Flow("talk") as flow:
    talk()
"""
#: How often the daemon's memory is looked at.
LOOK_S = 0.05


class MemoryWatch:
    """
    Looks at the resident memory of a process until the block ends.
    """

    def __init__(self, pid: int) -> None:
        self.seen: list[float] = []
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            self.seen.append(measuring.memory_mib(self._pid, "Rss"))


def wrong_lines(daemon: Daemon, number: int, count: int) -> Json:
    """
    Return how many of the *count* lines are not in the store, and how many of those there are no line that was printed.
    """
    glued = 0
    found = set()
    with closing(measuring.store(daemon)) as asked:
        for (text,) in asked.execute(
            "SELECT text FROM log WHERE run_number = ? AND stream = 1 ORDER BY seq", (number,)
        ):
            _, index, _, again = (text.split(" ") + [""] * 4)[:4]
            if index.isdigit() and text == f"line {index} abcdefghijklmnopqrstuvwxyz {int(index):010}" and again:
                found.add(int(index))
            else:
                glued += 1
    return {"lost": count - len(found), "glued": glued}


def measure(place: Path, count: int) -> Json:
    """
    Return the figures of one run that prints *count* lines.
    """
    with measuring.daemon_in(place) as daemon:
        daemon.flow("talk.py", FLOW.format(count=count))
        daemon.start()
        assert daemon.process is not None
        pid = daemon.process.pid
        before = measuring.memory_mib(pid, "Rss")
        with closing(measuring.store(daemon)) as asked, MemoryWatch(pid) as memory:
            begun = daemon.begin("talk")
            sql = "SELECT 1 FROM flow_run WHERE id = ? AND ended_at_us IS NOT NULL"
            end_us = measuring.committed(asked, sql, begun)
        run = daemon.rows("SELECT * FROM flow_run WHERE id = :id", id=begun)[0]
        seconds = (end_us - run["started_at_us"]) / 1e6
        tables = {"log": f"run_number = {run['number']} AND stream = 1"}
        bare_s = measuring.bare_insert_s(daemon.state / "orchd.sqlite3", daemon.home, tables)
        return {
            "lines": count,
            "seconds": seconds,
            "lines_per_s": count / seconds,
            "printing_alone_s": (run["ended_at_us"] - run["started_at_us"]) / 1e6,
            **wrong_lines(daemon, run["number"], count),
            "state": run["state"],
            "daemon_rss_mib": {"before": before, "most": max(memory.seen, default=before)},
            "bare_lines_per_s": count / bare_s,
            "ratio": seconds / bare_s,
            "target": "at least 150,000 lines/s, none lost, none glued, the daemon's memory flat",
        }


def main() -> None:
    """
    Measure and print.
    """
    given = measuring.parser(str(__doc__), size=1_000_000, size_help="lines").parse_args()
    measuring.report("printed lines of one run into the store", measure(given.place, given.size), folder=given.place)


if __name__ == "__main__":
    main()
