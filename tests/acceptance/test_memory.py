"""
A run that takes more memory than there is, ended by the kernel itself.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support.checker import check
from support.daemon import Daemon
from support.evidence import PRELUDE
from support.needs import cannot_run
from support.waiting import eventually

LIMIT = 256 * 1024 * 1024
#: Where control groups of memory are, old and new, and the file of their limit.
PLACES = ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"), (Path("/sys/fs/cgroup"), "memory.max"))

GREEDY = (
    PRELUDE
    + """
@task
def take():
    print("before")
    found = []
    while True:
        found.append(b"x" * (16 << 20))

with Flow("greedy") as flow:
    take()
"""
)


@pytest.fixture
def group() -> Iterator[Path]:
    """
    A control group with little memory.
    """
    for place, limit in PLACES:
        made = place / f"orchd-test-{os.getpid()}"
        try:
            made.mkdir()
            (made / limit).write_text(str(LIMIT))
        except OSError:
            with suppress(OSError):
                made.rmdir()
            continue
        yield made
        made.rmdir()
        return
    cannot_run("there is no control group of memory that can be made here (root, and a memory hierarchy)")


def test_a_run_that_is_out_of_memory_says_so(group: Path, daemon: Daemon) -> None:
    """
    The kernel kills it; it is Crashed with the signal and the reason in its message, and the daemon goes on.
    """
    daemon.flow("greedy.py", GREEDY)
    daemon.start()
    (spawner,) = eventually(lambda: daemon.processes(name="orchd-spawner"), what="the spawner is up")
    (group / "cgroup.procs").write_text(str(spawner))
    told = daemon.finished(daemon.begin("greedy"), within_s=60)
    assert told["state"] == "crashed"
    assert told["signal"] == 9
    assert "SIGKILL" in told["message"]
    assert "out of memory" in told["message"]
    assert ["before"] == daemon.printed(told["id"])
    check(daemon)
