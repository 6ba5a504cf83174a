"""
Strays: whatever carries a run's id is found and killed, also after spawner and monitor are dead.
"""

import os
import signal
import subprocess
import sys
import uuid

import pytest

from orchd.processes import fence, linux
from orchd.processes.reaper import kill_strays
from support.waiting import eventually

from .conftest import House, is_alive

ESCAPE = """
for exec_it in (False, True):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            say("hangs", str(os.getpid()))
            if exec_it:
                os.execvp("sleep", ["sleep", "1000"])
            hang()
        os._exit(0)
    os.wait()
hang()
"""


def test_strays_of_a_run_without_spawner_and_monitor_are_killed(own_house: House) -> None:
    """
    With spawner and monitor dead, both an exec'ed and a never exec'ed stray are found by the id in their environment.
    """
    folder = own_house.folder(ESCAPE)
    own_house.spawner.launch(folder.path)
    eventually(lambda: len(own_house.said(folder, "hangs")) == 4)
    pids = {int(pid) for pid in own_house.said(folder, "hangs")}
    probe = fence.probe(folder)
    assert probe.monitor_pid is not None
    assert probe.run_pid is not None
    os.kill(own_house.spawner.pid, signal.SIGKILL)
    os.kill(probe.monitor_pid, signal.SIGKILL)
    eventually(lambda: not is_alive(probe.run_pid or 0))

    assert kill_strays(folder.read_spec().run_id) == 2
    assert not any(map(is_alive, pids))


def test_no_stray_is_no_work() -> None:
    """
    An id that nobody carries kills nobody.
    """
    assert kill_strays(str(uuid.uuid4())) == 0


def test_an_id_that_is_a_part_of_anothers_is_not_matched() -> None:
    """
    Only the whole value counts.
    """
    run_id = str(uuid.uuid4())
    child = subprocess.Popen(["sleep", "1000"], env={**os.environ, "ORCHD_RUN_ID": run_id})

    assert kill_strays(run_id[:-1]) == 0
    assert child.poll() is None
    assert kill_strays(run_id) == 1
    assert child.wait() == -signal.SIGKILL


ADOPTER = """
import os, subprocess, sys
from orchd.processes import linux
from orchd.processes.reaper import reap_adopted
linux.become_subreaper()
own = subprocess.Popen(["true"])
os.waitid(os.P_PID, own.pid, os.WEXITED | os.WNOWAIT)
reader, writer = os.pipe()
parent = os.fork()
if parent == 0:
    if os.fork() == 0:
        os.read(reader, 1)
        os._exit(5)
    os._exit(0)
os.waitpid(parent, 0)
(orphan,) = set(linux.children_of_this_process()) - {own.pid}
assert reap_adopted({own.pid}) == []
os.close(reader); os.close(writer)
os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOWAIT)
assert reap_adopted({own.pid}) == [(orphan, 5)]
assert own.wait() == 0
"""


def test_adopted_children_are_reaped_and_own_ones_left() -> None:
    """
    The daemon buries what a killed spawner left to it, and never what its own code waits for.
    """
    code = ADOPTER.replace(
        "os.fork() == 0:\n        os.read", "os.fork() == 0:\n        os.close(writer)\n        os.read"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_children_are_found_without_the_kernels_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    On a kernel that lists no children, all processes are looked through.
    """
    child = subprocess.Popen(["sleep", "1000"])

    assert child.pid in linux.children_of_this_process()
    assert child.pid in linux._children_by_walk(os.getpid())

    child.kill()
    child.wait()
