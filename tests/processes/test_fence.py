"""
The fence: of all who want to decide about a run, one does.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchd.model.records import RunSpec, Started, Void
from orchd.processes import fence
from orchd.processes.folder import RunFolder

HOLD = """
import sys
from pathlib import Path
from orchd.processes import fence
from orchd.processes.folder import RunFolder
fd = fence.open_lock(RunFolder(Path(sys.argv[1])))
print(fence.take(fd, int(sys.argv[2]), wait=False), flush=True)
sys.stdin.read()
"""

VOID = """
import sys
from pathlib import Path
from orchd.processes import fence
from orchd.processes.folder import RunFolder
sys.stdin.read()
print(fence.void(RunFolder(Path(sys.argv[1])), sys.argv[2]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """
    A run folder that nobody has begun.
    """
    spec = RunSpec(run_id="r" * 36, run_name="n", run_key="k", flow="f", file="/f.py", source_hash="h")
    return RunFolder.create(tmp_path, spec)


def _start(code: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _hold(folder: RunFolder, byte: int) -> subprocess.Popen[str]:
    holder = _start(HOLD, str(folder.path), str(byte))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    return holder


@pytest.mark.parametrize(("byte", "read"), [(0, lambda p: p.monitor_pid), (1, lambda p: p.run_pid)])
def test_a_probe_names_the_holder_of_each_byte(
    folder: RunFolder, byte: int, read: Callable[[fence.Probe], int | None]
) -> None:
    """
    The pid of who holds a byte is given while it lives, the other byte is free, and both are after its death.
    """
    holder = _hold(folder, byte)
    probe = fence.probe(folder)
    assert read(probe) == holder.pid
    assert {probe.monitor_pid, probe.run_pid} == {holder.pid, None}

    holder.kill()
    holder.communicate()

    assert fence.probe(folder) == fence.Probe(monitor_pid=None, run_pid=None)


def test_a_folder_that_is_gone_is_held_by_nobody(tmp_path: Path) -> None:
    """
    Probing a purged run is no error.
    """
    assert fence.probe(RunFolder(tmp_path / "gone")) == fence.Probe(monitor_pid=None, run_pid=None)


def test_a_lock_does_not_cross_fork(folder: RunFolder) -> None:
    """
    A child that inherits the descriptor does not keep the byte of its dead parent.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        fd = fence.open_lock(folder)
        fence.take(fd, fence.MONITOR_BYTE, wait=False)
        if os.fork() == 0:
            os.close(writer)
            os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    os.waitpid(child, 0)

    assert fence.probe(folder).monitor_pid is None

    os.close(writer)


def test_void_is_for_ever(folder: RunFolder) -> None:
    """
    A voided run is void, and voiding it again keeps the first reason.
    """
    assert fence.void(folder, "cancelled") is True
    assert fence.void(folder, "again") is True

    began = folder.began()
    assert isinstance(began, Void)
    assert began.reason == "cancelled"


def test_void_loses_to_a_monitor_that_holds_the_lock(folder: RunFolder) -> None:
    """
    While a monitor holds byte 0, void says no and writes nothing.
    """
    holder = _hold(folder, fence.MONITOR_BYTE)

    assert fence.void(folder, "late") is False
    assert folder.records() == ()

    holder.communicate("")


def test_void_loses_to_a_run_that_began(folder: RunFolder) -> None:
    """
    A run with a whole started record cannot be voided, even when its monitor is dead.
    """
    folder.begin(Started(at=1, host="h", boot_id="b", pid=2, start_time=3))

    assert fence.void(folder, "late") is False
    assert isinstance(folder.began(), Started)


def test_several_voids_at_once_leave_one_record(folder: RunFolder) -> None:
    """
    Processes that void the same run in the same moment leave one whole record of one of them.
    """
    racers = [_start(VOID, str(folder.path), str(number)) for number in range(4)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.close()
        racer.stdin = None
    for racer in racers:
        racer.communicate()

    assert len(folder.records()) == 1
    assert isinstance(folder.began(), Void)
