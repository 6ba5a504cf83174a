"""
From the instant at which a schedule is due to the first line of user code in its own process, on an idle machine.
"""

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks import measuring
from benchmarks.traced_serve import TRACE
from support.daemon import Daemon, Json
from support.waiting import eventually

FLOW = """
import time

first_line_ns = time.time_ns()
from orchd import Flow, task


@task
def note():
    print(first_line_ns, time.time_ns())


with Flow("note") as flow:
    note()
"""
SCHEDULE = """
[schedules.often]
flow = "note"
every = "0.5s"
overlap = "allow"
catchup = "all"
"""
#: Runs at the beginning that are not counted: imports and caches of daemon and spawner.
WARM_UP = 6
BARE = Path(__file__).with_name("bare.py")


def runs_of(daemon: Daemon, count: int) -> list[Json]:
    """
    Let the daemon run until *count* runs have ended, beside those of the warm-up, and return these *count*.
    """
    wanted = count + WARM_UP
    seconds = 60 + wanted
    with closing(measuring.store(daemon)) as asked:
        eventually(
            lambda: asked.execute("SELECT count(*) >= ? FROM flow_run WHERE ended_at_us > 0", (wanted,)).fetchone()[0],
            within_s=seconds,
            every_s=0.5,
            what=f"{wanted} runs have ended",
        )
    daemon.stop()
    daemon.settled()
    return daemon.rows("SELECT * FROM flow_run WHERE ended_at_us IS NOT NULL ORDER BY fire_time_us")[WARM_UP:wanted]


def phases_of(daemon: Daemon, run: Json) -> dict[str, float]:
    """
    Return how many milliseconds after its fire time each step towards *run* was done.
    """
    due_us = run["fire_time_us"]
    module_ns, task_ns = map(int, Path(daemon.state, "runs", run["id"], "stdout").read_text().split())
    found = {
        "monitor_began": run["started_at_us"],
        "module_line": module_ns / 1000,
        "task_line": task_ns / 1000,
        "end_in_monitor": run["ended_at_us"],
    }
    return {name: (at_us - due_us) / 1000 for name, at_us in found.items()}


def measure(place: Path, count: int) -> tuple[list[dict[str, float]], Json]:
    """
    Return the steps of *count* runs of a real ``orchd serve``, and what was lost.
    """
    with measuring.daemon_in(place, schedules=SCHEDULE) as daemon:
        daemon.flow("note.py", FLOW)
        daemon.start()
        runs = runs_of(daemon, count)
        slots = daemon.rows("SELECT count(*) AS n, sum(outcome = 'started') AS started FROM slot")[0]
        return [phases_of(daemon, run) for run in runs], {
            "runs": len(runs),
            "not_successful": sum(run["state"] != "success" for run in runs),
            "slots_not_started": slots["n"] - slots["started"],
        }


def traced(place: Path, count: int) -> dict[str, float]:
    """
    Return the median of each step inside the daemon too, from a second daemon that writes them down.
    """
    with measuring.daemon_in(place, schedules=SCHEDULE) as daemon:
        daemon.flow("note.py", FLOW)
        trace = daemon.home / "trace"
        daemon.env[TRACE] = str(trace)
        daemon.env["PYTHONPATH"] = str(Path(__file__).parents[1])
        daemon.start(command=[sys.executable, "-m", "benchmarks.traced_serve"])
        steps: dict[str, list[float]] = {}
        rows = {run["id"]: run for run in runs_of(daemon, count)}
        for line in trace.read_text().splitlines():
            said = json.loads(line)
            run = rows.get(said.pop("run"))
            if run is not None:
                at = {name: (at_ns / 1000 - run["fire_time_us"]) / 1000 for name, at_ns in said.items()}
                for name, value in (at | phases_of(daemon, run)).items():
                    steps.setdefault(name, []).append(value)
        medians = {name: measuring.spread(values)["median"] for name, values in steps.items()}
        return dict(sorted(medians.items(), key=lambda step: step[1]))


def bare(rounds: int) -> list[float]:
    """
    Return the lateness of a bare timer and fork.
    """
    done = subprocess.run(
        [sys.executable, "-I", str(BARE), "timer", str(rounds)], stdout=subprocess.PIPE, check=True, text=True
    )
    return list(map(float, json.loads(done.stdout)))


def main() -> None:
    """
    Measure and print.
    """
    parser = measuring.parser(str(__doc__), size=120, size_help="runs")
    parser.add_argument("--phases", type=int, default=30, help="runs of the daemon that writes its steps down")
    given = parser.parse_args()
    begun = time.monotonic()
    limit = bare(given.size)
    steps, counts = measure(given.place, given.size)
    limit += bare(given.size)
    module = measuring.spread([step["module_line"] for step in steps])
    bare_ms = measuring.spread(limit)
    figures: Json = {
        "lateness_ms": module,
        "task_line_ms": measuring.spread([step["task_line"] for step in steps]),
        "early": sum(step["module_line"] < 0 for step in steps),
        **counts,
        "bare_ms": bare_ms,
        "ratio": module["median"] / bare_ms["median"],
        "target": "median <= 8 ms, p99 <= 20 ms, never early",
        "phases_ms": traced(given.place, given.phases) if given.phases else {},
        "seconds": time.monotonic() - begun,
    }
    measuring.report("due instant to first line of user code", figures, folder=given.place)


if __name__ == "__main__":
    main()
