"""
``orchd serve`` that also writes down when it took each step towards a run: one JSON line for each launch.

``python -m benchmarks.traced_serve orchd serve --config ...`` with the file's name in ``$ORCHD_BENCH_TRACE``.
"""

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from orchd.cli.main import main
from orchd.processes.folder import RunFolder
from orchd.processes.launch import Spawner
from orchd.scheduler.core import Scheduler
from orchd.store.database import Connection, Database

TRACE: Final = "ORCHD_BENCH_TRACE"

P = ParamSpec("P")
R = TypeVar("R")

#: Step -> wall clock in nanoseconds when it was last taken.
_taken: dict[str, int] = {}


def note(step: str) -> None:
    """
    Note that *step* is taken now.
    """
    _taken[step] = time.clock_gettime_ns(time.CLOCK_REALTIME)


def noted(work: Callable[P, R], *, before: str | None = None, after: str | None = None) -> Callable[P, R]:
    """
    Return *work* that notes the time before and after it.
    """

    @functools.wraps(work)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if before is not None:
            note(before)
        result = work(*args, **kwargs)
        if after is not None:
            note(after)
        return result

    return call


def trace_to(path: Path) -> None:
    """
    Have every launch append its steps to *path*.
    """
    writing, launch = Database.writing, Spawner.launch

    @contextmanager
    def noted_writing(self: Database) -> Iterator[Connection]:
        note("transaction_open")
        with writing(self) as conn:
            yield conn
            note("rows_written")
        note("committed")

    def noted_launch(self: Spawner, folder: Path) -> None:
        launch(self, folder)
        note("sent")
        with path.open("a") as file:
            file.write(json.dumps({"run": folder.name, **_taken}) + "\n")

    for owner, name, replacement in (
        (Scheduler, "wake", noted(Scheduler.wake, before="alarm")),
        (Scheduler, "_tick", noted(Scheduler._tick, before="tick")),
        (RunFolder, "create", noted(RunFolder.create, before="folder_begun", after="folder_written")),
        (Database, "writing", noted_writing),
        (Spawner, "launch", noted_launch),
    ):
        setattr(owner, name, replacement)


if __name__ == "__main__":
    trace_to(Path(os.environ[TRACE]))
    sys.exit(main(sys.argv[2:]))
