"""
No-op tasks in ``flow.run()``, without a daemon: ``python classic_flow.py orchd|prefect fan|chain|map COUNT FILE``.

The same file runs with orchd and with the classic tool, so that both do the same. Standard library only beside them.
"""

import gc
import importlib
import json
import resource
import sys
import time


def flow_of(tool, shape, count):
    """
    Return a flow of *count* tasks that do nothing.
    """

    @tool.task
    def nothing(value=None):
        return value

    @tool.task
    def numbers():
        return list(range(count))

    with tool.Flow(shape) as flow:
        if shape == "map":
            nothing.map(numbers())
        else:
            above = None
            for _ in range(count):
                above = nothing(above) if shape == "chain" else nothing()

    return flow


def resident_kib():
    """
    Return the resident memory of this process.
    """
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def main(name, shape, count, answer):
    """
    Run a small flow to have everything loaded, then one of *count* tasks; write the figures to *answer*.
    """
    tool = importlib.import_module(name)
    flow_of(tool, shape, 10).run()
    before_kib = resident_kib()
    begun, begun_cpu = time.perf_counter(), time.process_time()
    flow = flow_of(tool, shape, count)
    built = time.perf_counter()
    state = flow.run()
    ended, ended_cpu = time.perf_counter(), time.process_time()
    figures = {
        "state": type(state).__name__,
        "built_s": built - begun,
        "run_s": ended - built,
        "cpu_s": ended_cpu - begun_cpu,
        "kept_kib": resident_kib() - before_kib,
    }
    with open(answer, "w", encoding="ascii") as file:
        json.dump(figures, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
