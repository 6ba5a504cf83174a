"""
Stopping runs: cancel, time limit, shutdown. Whatever user code does, nothing of it is left.
"""

import os
import shutil
import signal
from pathlib import Path

import pytest

from orchd.model.records import Started
from orchd.processes import fence
from orchd.processes.folder import RunFolder
from support.waiting import eventually

from .conftest import House

#: A child in a session of its own whose parents are gone and that ignores SIGTERM.
ESCAPED = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        {last}
    os._exit(0)
os.wait()
hang()
"""
NEVER_EXECED = ESCAPED.format(last="hang()")
EXECED = ESCAPED.format(
    last='os.execvp("sh", ["sh", "-c", "echo $$ >> \\"$1\\"; exec sleep 1000", "sh", os.path.join(HERE, "hangs")])'
)
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nhang()"


def _hanging(house: House, folder: RunFolder, processes: int = 1) -> list[int]:
    """
    Launch, and wait until so many processes of the run hang.
    """
    house.spawner.launch(folder.path)
    pids = eventually(lambda: len(found := house.said(folder, "hangs")) == processes and found)
    assert pids
    return [int(pid) for pid in pids]


def _cancel(folder: RunFolder, reason: str = "not wanted", *, grace_s: float | None = None) -> None:
    folder.write_cancel(reason, grace_s=grace_s)
    _terminate_monitor(folder)


def _terminate_monitor(folder: RunFolder) -> None:
    monitor_pid = fence.probe(folder).monitor_pid
    assert monitor_pid is not None
    os.kill(monitor_pid, signal.SIGTERM)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_cancelled_run_cleans_up_and_is_cancelled(house: House) -> None:
    """
    User code's ``finally`` runs within the grace, and the message is the reason.
    """
    folder = house.folder("try:\n    hang()\nfinally:\n    say('cleaned', 'yes')")
    _hanging(house, folder)
    _cancel(folder)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert (finished.state, finished.message) == ("cancelled", "not wanted")
    assert house.said(folder, "cleaned") == ["yes"]


@pytest.mark.parametrize("body", [NEVER_EXECED, EXECED], ids=["never-exec", "exec"])
def test_cancel_leaves_no_escaped_child(house: House, body: str) -> None:
    """
    A double-forked child in its own session that ignores SIGTERM is gone when the run is cancelled.
    """
    folder = house.folder(body, grace_s=30.0)
    pids = _hanging(house, folder, processes=2)
    _cancel(folder)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert finished.state == "cancelled"
    assert all(map(_is_gone, pids))


@pytest.mark.parametrize(
    ("body", "processes"), [(NEVER_EXECED, 2), (EXECED, 2), (STUBBORN, 1)], ids=["never-exec", "exec", "stubborn"]
)
def test_the_time_limit_leaves_nothing(house: House, body: str, processes: int) -> None:
    """
    After its time limit and grace a run has timed out, and nothing of it is alive.
    """
    folder, finished = house.run(body, time_limit_s=1.0, grace_s=0.1)

    assert (finished.state, finished.message) == ("timed_out", "ran longer than its time limit of 1 s")
    pids = house.said(folder, "hangs")
    assert len(pids) == processes
    assert all(_is_gone(int(pid)) for pid in pids)


def test_children_of_the_group_get_the_grace_too(house: House) -> None:
    """
    A subprocess that cleans up on SIGTERM may finish, although the run itself has ended by then.
    """
    folder = house.folder("""
        script = 'trap "echo cleaned; exit" TERM; echo $$ >> "$1"; while :; do read line; done'
        subprocess.Popen(["sh", "-c", script, "sh", os.path.join(HERE, "hangs")], stdin=os.pipe()[0])
        hang()
        """)
    _hanging(house, folder, processes=2)
    _cancel(folder)
    house.ended(folder)

    assert folder.stdout.read_bytes() == b"cleaned\n"


def test_a_stubborn_run_is_killed_after_its_grace(house: House) -> None:
    """
    A run that ignores SIGTERM is cancelled all the same.
    """
    folder = house.folder(STUBBORN, grace_s=0.1)
    _hanging(house, folder)
    _cancel(folder)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert (finished.state, finished.signal) == ("cancelled", signal.SIGKILL)


def test_a_cancel_may_be_raised_again_with_a_shorter_grace(house: House) -> None:
    """
    A second request ends a long grace; the first reason stands.
    """
    folder = house.folder("signal.signal(signal.SIGTERM, lambda *_: say('heard', 'it'))\nhang()", grace_s=1000.0)
    _hanging(house, folder)
    _cancel(folder, "first")
    eventually(lambda: house.said(folder, "heard"))
    _cancel(folder, "second", grace_s=0.0)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert (finished.state, finished.message) == ("cancelled", "first")


def test_a_stopped_run_can_be_cancelled(house: House) -> None:
    """
    A run that was halted by SIGSTOP is woken to hear its SIGTERM.
    """
    folder = house.folder("hang()", grace_s=1000.0)
    (pid,) = _hanging(house, folder)
    os.kill(pid, signal.SIGSTOP)
    _cancel(folder)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert finished.state == "cancelled"


def test_sigterm_without_a_cancel_file_is_a_shutdown(house: House) -> None:
    """
    A monitor that the host ends cancels its run and says so.
    """
    folder = house.folder("hang()")
    _hanging(house, folder)
    _terminate_monitor(folder)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert finished.state == "cancelled"
    assert "shuts down" in finished.message


def test_a_monitor_whose_folder_was_removed_ends(house: House) -> None:
    """
    With nowhere to write the end, the monitor ends its run and itself all the same.
    """
    folder = house.folder("hang()")
    (pid,) = _hanging(house, folder)
    monitor_pid = fence.probe(folder).monitor_pid
    assert monitor_pid is not None
    shutil.rmtree(folder.path)
    os.kill(monitor_pid, signal.SIGTERM)

    assert house.ended(folder).status == 0
    assert _is_gone(pid)


def test_a_cancel_before_the_launch_keeps_user_code_out(house: House) -> None:
    """
    The monitor looks for the cancel file after it began and before it opens the gate.
    """
    folder = house.folder("pass")
    folder.write_cancel("never mind")
    finished = house.finish(folder)

    assert (finished.state, finished.message) == ("cancelled", "never mind")
    assert isinstance(folder.began(), Started)
    assert house.said(folder, "entered") == []


def test_a_success_reached_while_stopping_stands(house: House) -> None:
    """
    What was really done is not called cancelled.
    """
    folder = house.folder("try:\n    hang()\nexcept KeyboardInterrupt:\n    pass")
    _hanging(house, folder)
    _cancel(folder)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert finished.state == "success"


def test_a_fork_bomb_is_gone_after_the_time_limit(house: House) -> None:
    """
    Children that only fork and exit, again and again, do not outrun the monitor.
    """
    body = """
        def breed():
            while True:
                if os.fork() != 0:
                    os._exit(0)
                os.setsid()
        for _ in range(3):
            if os.fork() == 0:
                breed()
        hang()
        """
    folder, finished = house.run(body, time_limit_s=0.2, grace_s=0.05)

    assert finished.state == "timed_out"
    assert not _carriers(folder.read_spec().run_id)


def _carriers(run_id: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and run_id.encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found
