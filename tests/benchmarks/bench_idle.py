"""
Memory and processor time of daemon and spawner while nothing is due, with 200 schedules.
"""

import subprocess
import sys
import threading
from pathlib import Path

from benchmarks import measuring
from support.daemon import Json

FLOW = """
from orchd import Flow, task


@task
def nothing():
    pass


with Flow("nothing") as flow:
    nothing()
"""
BARE = Path(__file__).with_name("bare.py")
#: Seconds after the start that are not counted.
SETTLING_S = 3


def schedules(count: int) -> str:
    """
    Return *count* schedules of which none is due soon.
    """
    return "".join(f'[schedules.nightly-{n}]\nflow = "nothing"\ncron = "{n % 60} 0 1 1 *"\n' for n in range(count))


def measure(place: Path, count: int, seconds: float) -> Json:
    """
    Return what daemon, spawner and a bare program use in the same *seconds*.
    """
    with measuring.daemon_in(place, schedules=schedules(count)) as daemon:
        daemon.flow("nothing.py", FLOW)
        daemon.start()
        assert daemon.process is not None
        pids = {"daemon": daemon.process.pid, "spawner": measuring.spawner_pid(daemon)}
        with subprocess.Popen(
            [sys.executable, "-I", str(BARE), "idle"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as bare:
            assert bare.stdin is not None
            assert bare.stdout is not None
            bare.stdout.readline()
            pids["bare"] = bare.pid
            pause = threading.Event()
            pause.wait(SETTLING_S)
            before = {name: measuring.cpu_s(pid) for name, pid in pids.items()}
            pause.wait(seconds)
            cpu = {name: (measuring.cpu_s(pid) - before[name]) / seconds * 100 for name, pid in pids.items()}
            pss = {name: measuring.memory_mib(pid, "Pss") for name, pid in pids.items()}
            bare.stdin.close()
        known = len(daemon.client.get("/schedules")["schedules"])
    total = pss["daemon"] + pss["spawner"]
    return {
        "pss_mib": {**pss, "together": total},
        "cpu_percent": {**cpu, "together": cpu["daemon"] + cpu["spawner"]},
        "ratio_of_memory": total / pss["bare"],
        "schedules": known,
        "seconds": seconds,
        "target": "at most 95 MiB together, at most 0.3 % of a core",
    }


def main() -> None:
    """
    Measure and print.
    """
    parser = measuring.parser(str(__doc__), size=200, size_help="schedules")
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    figures = measure(given.place, given.size, given.seconds)
    measuring.report("daemon and spawner while nothing is due", figures, folder=given.place)


if __name__ == "__main__":
    main()
