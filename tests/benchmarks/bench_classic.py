"""
Tasks per second of ``flow.run()`` without a daemon, beside Prefect 1.4.1 in a virtual environment of its own.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks import measuring
from support.daemon import Json

FLOW = Path(__file__).with_name("classic_flow.py")
SHAPES = ("fan", "chain", "map")
#: Children of the map whose memory is measured beside that of *size*; only orchd's, the classic tool takes minutes.
MANY = 10_000


def run(python: Path, tool: str, shape: str, count: int, *, folder: Path) -> Json:
    """
    Return the figures of one flow run in a process of its own; its log lines go to a file in *folder*.
    """
    answer, log = folder / "answer.json", folder / "log"
    words = [str(python), str(FLOW), tool, shape, str(count), str(answer)]
    with log.open("wb") as file:
        if subprocess.run(words, stdout=file, stderr=file, check=False).returncode != 0:
            raise SystemExit(log.read_text()[-2000:])

    figures: Json = json.loads(answer.read_text())
    seconds = figures["built_s"] + figures["run_s"]
    return {**figures, "tasks_per_s": count / seconds, "kib_per_task": figures["kept_kib"] / count}


def pair(shape: str, count: int, classic: Path | None, *, folder: Path) -> Json:
    """
    Return ours, theirs, and ours once more, so that a machine that slows down in between is not taken for a tool.
    """
    ours = [run(Path(sys.executable), "orchd", shape, count, folder=folder)]
    theirs = None if classic is None else run(classic, "prefect", shape, count, folder=folder)
    ours.append(run(Path(sys.executable), "orchd", shape, count, folder=folder))
    rate = statistics.median(each["tasks_per_s"] for each in ours)
    cpu_s = statistics.median(each["cpu_s"] for each in ours)
    ratio = None if theirs is None else rate / theirs["tasks_per_s"]
    return {
        "ratio": ratio,
        "ratio_of_processor_time": None if theirs is None else theirs["cpu_s"] / cpu_s,
        "orchd": ours,
        "prefect": theirs,
    }


def main() -> None:
    """
    Measure and print.
    """
    parser = measuring.parser(str(__doc__), size=5000, size_help="tasks")
    parser.add_argument("--classic", type=Path, help="the interpreter of the environment that has Prefect 1.4.1")
    parser.add_argument("--pairs", type=int, default=1, help="how often each shape is measured (default: 1)")
    parser.add_argument("--shape", choices=SHAPES, action="append", help="only this one; may be given again")
    parser.add_argument("--many", type=int, default=MANY, help=f"children of the larger map (default: {MANY})")
    given = parser.parse_args()
    if given.classic is None:
        print("SKIPPED: Prefect 1.4.1 (--classic PYTHON; README.md says how to install it)", file=sys.stderr)

    with measuring.scratch(given.place) as folder:
        figures: Json = {}
        for shape in given.shape or SHAPES:
            pairs = [pair(shape, given.size, given.classic, folder=folder) for _ in range(given.pairs)]
            ratios = [each["ratio"] for each in pairs if each["ratio"] is not None]
            figures[shape] = {
                "tasks": given.size,
                "ratio": statistics.median(ratios) if ratios else None,
                "pairs": pairs,
            }

        figures["many"] = {
            "children": given.many,
            **run(Path(sys.executable), "orchd", "map", given.many, folder=folder),
        }
        figures["target"] = "at least 50 times the tasks per second of Prefect 1.4.1"
        measuring.report("tasks of flow.run(), beside Prefect 1.4.1", figures, folder=folder)


if __name__ == "__main__":
    main()
