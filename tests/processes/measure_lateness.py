"""
Measures, on this machine: from the launch message to the first line of a flow file and of its task, and the spawner.

Run it on an idle machine: ``python tests/processes/measure_lateness.py [runs]``. It asserts nothing.
"""

import os
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path

from orchd.model.records import RunSpec
from orchd.processes.folder import RunFolder
from orchd.processes.launch import Spawner
from orchd.processes.protocol import Ended

FLOW = """
import time
loaded = time.monotonic()
from orchd import Flow, task

@task
def note():
    print(loaded, time.monotonic())

with Flow("f") as flow:
    note()
"""


def main(runs: int) -> None:
    """
    Launch *runs* runs, one after the other, and print medians and 99th percentiles in milliseconds.
    """
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "flow_file.py")
        file.write_text(FLOW)
        spawner = Spawner(Path(place), os.environ)
        spawner.start()
        rows = [_one(spawner, Path(place), file, number) for number in range(runs + 3)][3:]
        for name, values in zip(
            ("first line of the file", "first line of the task", "end"), zip(*rows, strict=True), strict=True
        ):
            ordered = sorted(values)
            print(
                f"launch to {name}: median {statistics.median(ordered):.2f} ms, p99 {ordered[runs * 99 // 100]:.2f} ms"
            )
        usage = Path(f"/proc/{spawner.pid}/smaps_rollup").read_text().splitlines()
        print(*(line for line in usage if line.startswith(("Rss", "Pss:"))), sep="\n")
        spawner.close()


def _one(spawner: Spawner, place: Path, file: Path, number: int) -> tuple[float, ...]:
    spec = RunSpec(run_id=f"{number:036d}", run_name="n", run_key="k", flow="f", file=str(file), source_hash="")
    folder = RunFolder.create(place, spec)
    begun = time.monotonic()
    spawner.launch(folder.path)
    while True:
        select.select([spawner], [], [])
        if any(isinstance(reply, Ended) for reply in spawner.receive()):
            break
    moments = [*map(float, folder.stdout.read_text().split()), time.monotonic()]
    return tuple((moment - begun) * 1000 for moment in moments)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200)
