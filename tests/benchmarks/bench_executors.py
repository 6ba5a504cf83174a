"""
No-op tasks through each executor, in one process without a daemon: tasks in a second, and what the first one waits for.
"""

import os
import time

from benchmarks import measuring
from orchd import DaskExecutor, Flow, LocalDaskExecutor, LocalExecutor, task
from orchd.engine.executors.executor import Executor
from orchd.engine.recorder import NullRecorder
from orchd.flow.execute import execute
from support.daemon import Json

WORKERS = os.cpu_count() or 1
#: What runs as many tasks as there are workers at once, in the order in which it is measured.
EXECUTORS = {
    "local": LocalExecutor,
    "threads": lambda: LocalDaskExecutor("threads", num_workers=WORKERS),
    "processes": lambda: LocalDaskExecutor("processes", num_workers=WORKERS),
    "dask": lambda: DaskExecutor(cluster_kwargs={"n_workers": WORKERS, "threads_per_worker": 1}),
}


@task
def nothing(value: int) -> int:
    """
    Do nothing.
    """
    return value


def seconds(executor: Executor[object], count: int) -> tuple[float, int]:
    """
    Run *count* mapped children once; return how long that took, and how many results are not what they should be.
    """
    with Flow("bench", executor=executor) as flow:
        mapped = nothing.map(list(range(count)))
    begun = time.perf_counter()
    state = execute(flow, spec_parameters={}, recorder=NullRecorder(), context={"checkpointing": False})
    taken = time.perf_counter() - begun
    found = state.result[mapped].result
    return taken, sum(value != number for number, value in enumerate(found)) + count - len(found)


def measure(count: int) -> Json:
    """
    Return the figures of each executor, after one run that is not counted.
    """
    figures: Json = {}
    for name, make in EXECUTORS.items():
        seconds(make(), 1)
        start_s, _ = seconds(make(), 1)
        taken, wrong = seconds(make(), count)
        figures[name] = {"tasks_per_s": count / taken, "one_task_s": start_s, "wrong": wrong}
        local = figures["local"]["tasks_per_s"]
        figures[name]["times_slower_than_local"] = local / figures[name]["tasks_per_s"]
    return figures


def main() -> None:
    """
    Measure and print.
    """
    given = measuring.parser(str(__doc__), size=5000, size_help="tasks").parse_args()
    figures = {"tasks": given.size, "workers": WORKERS, **measure(given.size)}
    measuring.report("no-op tasks through each executor", figures, folder=given.place)


if __name__ == "__main__":
    main()
