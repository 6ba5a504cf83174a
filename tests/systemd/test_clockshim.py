"""
The clock that tests move.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.clockshim import ClockShim

TELL = """
import sys, time
for _ in sys.stdin:
    print(time.time_ns(), time.monotonic_ns(), flush=True)
"""


def clocks(child: subprocess.Popen[str]) -> list[int]:
    """
    Ask *child* for its wall clock and its monotonic clock, in nanoseconds.
    """
    assert child.stdin
    assert child.stdout
    child.stdin.write("\n")
    child.stdin.flush()
    return [int(word) for word in child.stdout.readline().split()]


@pytest.mark.parametrize("hours", [5, -5])
def test_only_the_wall_clock_moves_and_in_a_running_process(tmp_path: Path, hours: int) -> None:
    """
    A jump reaches a process that is already running, its wall clock alone, and can be taken back.
    """
    shim = ClockShim(tmp_path)
    command = [sys.executable, "-c", TELL]
    with subprocess.Popen(
        command, env=os.environ | shim.env(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        before = clocks(child)
        shim.set(hours * 3600)
        jumped = clocks(child)
        shim.set(0)
        after = clocks(child)

    moved_s = [(later - before[0]) / 1e9 for later in (jumped[0], after[0])]
    assert moved_s == pytest.approx([hours * 3600, 0], abs=60)
    assert (after[1] - before[1]) / 1e9 < 60
