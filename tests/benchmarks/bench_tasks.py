"""
No-op tasks of one run, from its start until the last of their rows is committed, as a fan-out and as a chain.
"""

from contextlib import closing
from pathlib import Path

from benchmarks import measuring
from support.daemon import Daemon, Json

FLOW = """
import time

from orchd import Flow, task

imported_us = time.time_ns() // 1000


@task
def nothing(value=None):
    pass


with Flow("{name}") as flow:
    above = None
    for _ in range({count}):
        above = nothing({argument})

print(imported_us, time.time_ns() // 1000)
"""
SHAPES = {"fan": "", "chain": "above"}
#: How many times as many tasks show that the rate does not fall.
MORE = 4


def one(daemon: Daemon, name: str, count: int) -> Json:
    """
    Run the flow *name* of *count* tasks once, and say how quick it was and what of it is in the store.
    """
    with closing(measuring.store(daemon)) as asked:
        begun = daemon.begin(name)
        sql = "SELECT 1 FROM flow_run WHERE id = ? AND ended_at_us IS NOT NULL"
        end_us = measuring.committed(asked, sql, begun)
    run = daemon.rows("SELECT * FROM flow_run WHERE id = :id", id=begun)[0]
    number = run["number"]
    built_us = sum(map(int, reversed_pair(daemon.printed(begun)[0])))
    seconds = (end_us - run["started_at_us"]) / 1e6
    done = daemon.rows("SELECT count(*) AS n FROM task_run WHERE run_number = :n AND state = 'success'", n=number)
    moves = daemon.rows("SELECT count(*) AS n FROM event WHERE run_number = :n AND slug IS NOT NULL", n=number)
    lines = daemon.rows("SELECT count(*) AS n FROM log WHERE run_number = :n AND slug IS NOT NULL", n=number)
    mine = f"run_number = {number}"
    tables = {"task_run": mine, "event": f"{mine} AND slug IS NOT NULL", "log": f"{mine} AND slug IS NOT NULL"}
    bare_s = measuring.bare_insert_s(daemon.state / "orchd.sqlite3", daemon.home, tables)
    return {
        "tasks": count,
        "seconds": seconds,
        "tasks_per_s": count / seconds,
        "building_the_graph_s": built_us / 1e6,
        "run_ended_s": (run["ended_at_us"] - run["started_at_us"]) / 1e6,
        "drained_s": (end_us - run["ended_at_us"]) / 1e6,
        "lost": {
            "tasks": count - done[0]["n"],
            "moves": 2 * count - moves[0]["n"],
            "lines": 2 * count - lines[0]["n"],
        },
        "state": run["state"],
        "bare_tasks_per_s": count / bare_s,
        "ratio": seconds / bare_s,
    }


def reversed_pair(line: str) -> tuple[int, int]:
    """
    Return minus the first and the second number of *line*: their sum is the time between them.
    """
    begun, ended = line.split()
    return -int(begun), int(ended)


def measure(place: Path, count: int) -> Json:
    """
    Return the figures of both shapes at both sizes.
    """
    figures: Json = {}
    with measuring.daemon_in(place) as daemon:
        for shape, argument in SHAPES.items():
            for size in (count, count * MORE):
                name = f"{shape}-{size}"
                daemon.flow(f"{name}.py", FLOW.format(name=name, count=size, argument=argument))
        daemon.start()
        for shape in SHAPES:
            # The first run of a daemon imports and compiles what the later ones have.
            one(daemon, f"{shape}-{count}", count)
            small, big = (one(daemon, f"{shape}-{size}", size) for size in (count, count * MORE))
            linear = big["tasks_per_s"] / small["tasks_per_s"]
            figures[shape] = {"small": small, "big": big, "rate_of_big_to_small": linear}
    return figures


def main() -> None:
    """
    Measure and print.
    """
    given = measuring.parser(str(__doc__), size=5000, size_help="tasks").parse_args()
    figures = measure(given.place, given.size)
    figures["target"] = "at least 15,000 tasks/s, linear to 20,000, nothing lost"
    measuring.report("no-op tasks, from the run's start to the last row committed", figures, folder=given.place)


if __name__ == "__main__":
    main()
