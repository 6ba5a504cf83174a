"""
The spawner: what it answers, when it ends, and what becomes of its orphans.
"""

import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from orchd.model.specs import Description
from orchd.processes import fence
from orchd.processes.launch import Spawner, SpawnerGone
from orchd.processes.protocol import Describe, Ended, Launched, Refused
from support.waiting import eventually

from .conftest import House, is_alive


def _receive_for_ever(house: House) -> None:
    while True:
        house.receive()


def _launch_for_ever(house: House) -> None:
    while True:
        house.spawner.launch(house.runs / "none")


def test_a_spawner_without_descriptors_refuses_and_goes_on(own_house: House) -> None:
    """
    A launch that cannot be watched is refused before anything of it begins, and may be asked for again.
    """
    assert own_house.run("pass")[1].state == "success"
    folder = own_house.folder("pass")
    own_house.replies.clear()
    _, hard = resource.prlimit(own_house.spawner.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(own_house.spawner.pid, resource.RLIMIT_NOFILE, (3, hard))
    own_house.spawner.launch(folder.path)
    own_house.receive()
    resource.prlimit(own_house.spawner.pid, resource.RLIMIT_NOFILE, (1024, hard))

    (reply,) = own_house.replies
    assert isinstance(reply, Refused)
    assert folder.records() == ()
    assert own_house.finish(folder).state == "success"


def test_a_launch_is_answered_twice(house: House) -> None:
    """
    The monitor's pid comes at once, and its end with exit code 0 when the run is over.
    """
    folder = house.folder("pass")
    house.replies.clear()
    house.spawner.launch(folder.path)
    ended = house.ended(folder)

    assert house.replies == [Launched(folder=str(folder.path), pid=ended.pid)]
    assert ended == Ended(folder=str(folder.path), pid=ended.pid, status=0)


def test_a_folder_that_does_not_exist_ends_its_monitor_only(house: House) -> None:
    """
    A monitor never makes the folder; the spawner goes on.
    """
    folder = house.folder("pass")
    gone = folder.path.with_name("gone")
    house.spawner.launch(gone)
    while not any(isinstance(reply, Ended) and reply.folder == str(gone) for reply in house.replies):
        house.receive()

    assert not gone.exists()
    assert house.finish(folder).state == "success"


def test_a_repeated_launch_runs_once(house: House) -> None:
    """
    Of several monitors for one folder one enters; the others end silently, with exit code 0.
    """
    folder = house.folder("pass")
    for _ in range(5):
        house.spawner.launch(folder.path)
    ended = [house.ended(folder) for _ in range(5)]

    assert [reply.status for reply in ended] == [0] * 5
    assert len(house.said(folder, "entered")) == 1
    assert len(folder.records()) == 2


def test_two_spawners_race_for_one_folder(house: House, own_house: House) -> None:
    """
    Two monitors of two spawners for the same folders: each run is entered exactly once.
    """
    folders = [house.folder("pass") for _ in range(8)]
    for folder in folders:
        house.spawner.launch(folder.path)
        own_house.spawner.launch(folder.path)
    for folder in folders:
        assert (house.ended(folder).status, own_house.ended(folder).status) == (0, 0)
        assert len(house.said(folder, "entered")) == 1


def test_void_and_launch_race_and_one_loses(house: House) -> None:
    """
    When void says yes, user code never runs; when it says no, it runs: never both, never neither.
    """
    wins = []
    for _ in range(12):
        folder = house.folder("pass")
        house.spawner.launch(folder.path)
        if len(wins) % 2:
            eventually(lambda folder=folder: folder.began() or fence.probe(folder).monitor_pid, every_s=0.0005)
        wins.append(fence.void(folder, "race"))
        house.ended(folder)
        assert len(house.said(folder, "entered")) == (0 if wins[-1] else 1)

    assert not all(wins)


def test_a_voided_run_is_never_entered(house: House) -> None:
    """
    A launch that comes after the void ends silently.
    """
    folder = house.folder("pass")
    assert fence.void(folder, "replaced")
    house.spawner.launch(folder.path)

    assert house.ended(folder).status == 0
    assert house.said(folder, "entered") == []


def test_a_spawner_that_is_killed_is_gone_and_can_be_started_again(own_house: House) -> None:
    """
    Its runs go on and finish; sending and receiving say SpawnerGone; a new start serves again.
    """
    folder = own_house.folder("print(sys.stdin.read() + open(os.path.join(HERE, 'pipe')).read())")
    pipe = Path(folder.read_spec().file).with_name("pipe")
    os.mkfifo(pipe)
    own_house.spawner.launch(folder.path)
    eventually(lambda: own_house.said(folder, "entered"))
    os.kill(own_house.spawner.pid, signal.SIGKILL)
    with pytest.raises(SpawnerGone):
        _receive_for_ever(own_house)
    with pytest.raises(SpawnerGone):
        own_house.spawner.launch(folder.path)
    pipe.write_text("went on")
    finished = eventually(folder.finished)
    own_house.spawner.start()

    assert finished is not None
    assert finished.state == "success"
    assert folder.stdout.read_text() == "went on\n"
    assert own_house.run("pass")[1].state == "success"


def test_a_spawner_that_was_never_started_is_gone(tmp_path: Path) -> None:
    """
    Every use before start() says so.
    """
    spawner = Spawner(tmp_path, {})
    for use in (lambda: spawner.pid, spawner.fileno, spawner.receive, lambda: spawner.launch(tmp_path)):
        with pytest.raises(SpawnerGone):
            use()


def test_a_spawner_that_does_not_read_is_gone(own_house: House) -> None:
    """
    A halted spawner fills its queue and then counts as gone; close() ends it all the same.
    """
    own_house.spawner._open_socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 1000))
    pid = own_house.spawner.pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(SpawnerGone, match="takes no requests"):
        _launch_for_ever(own_house)
    own_house.spawner.close()

    assert not is_alive(pid)


def test_at_eof_the_queue_is_not_served(tmp_path: Path) -> None:
    """
    What a dead daemon left in the queue is never started.
    """
    house = House(tmp_path)
    folders = [house.folder("pass") for _ in range(5)]
    os.kill(house.spawner.pid, signal.SIGSTOP)
    for folder in folders:
        house.spawner.launch(folder.path)
    process = house.spawner._process
    assert process is not None
    house.spawner._open_socket().close()
    os.kill(process.pid, signal.SIGCONT)
    process.wait(20)

    assert all(folder.records() == () for folder in folders)
    house.close()


DAEMON = """
import os, select, sys
from pathlib import Path
from orchd.processes.launch import Spawner
spawner = Spawner(Path(sys.argv[1]), os.environ)
spawner.start()
spawner.launch(Path(sys.argv[2]))
print(spawner.pid, flush=True)
while True:
    select.select([spawner], [], [])
    spawner.receive()
"""


def test_a_killed_daemon_takes_its_spawner_and_leaves_its_runs(house: House) -> None:
    """
    After kill -9 of the daemon the spawner ends by itself, and the run goes on to its end under its monitor.
    """
    folder = house.folder("print(open(os.path.join(HERE, 'pipe')).read())")
    pipe = Path(folder.read_spec().file).with_name("pipe")
    os.mkfifo(pipe)
    daemon = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(house.runs), str(folder.path)], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    spawner_pid = int(daemon.stdout.readline())
    eventually(lambda: house.said(folder, "entered"))
    daemon.kill()
    daemon.communicate()
    eventually(lambda: not is_alive(spawner_pid))
    assert fence.probe(folder).monitor_pid is not None
    pipe.write_text("went on")

    finished = eventually(folder.finished)
    assert finished is not None
    assert finished.state == "success"
    assert folder.stdout.read_text() == "went on\n"


def test_orphans_of_a_killed_monitor_are_killed_by_the_spawner(house: House) -> None:
    """
    A killed monitor takes its run along, and the spawner ends the run's escaped children that come to it.
    """
    folder = house.folder("""
        for _ in range(2):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    hang()
                os._exit(0)
            os.wait()
        hang()
        """)
    house.spawner.launch(folder.path)
    pids = eventually(lambda: len(found := house.said(folder, "hangs")) == 3 and found)
    assert pids
    monitor_pid = fence.probe(folder).monitor_pid
    assert monitor_pid is not None
    os.kill(monitor_pid, signal.SIGKILL)

    assert house.ended(folder).status == -signal.SIGKILL
    eventually(lambda: not any(is_alive(int(pid)) for pid in pids))
    assert folder.finished() is None


def test_a_flow_file_is_described(house: House, tmp_path: Path) -> None:
    """
    The description is in the file that was asked for, made with the environment that runs get.
    """
    file = tmp_path / "flow_file.py"
    file.write_text(
        "import os\nfrom orchd import Flow, Parameter\nwith Flow(os.environ['NAME']) as flow:\n    Parameter('p')()\n"
    )
    env_file = tmp_path / "flows.env"
    env_file.write_text("NAME=named\n")
    out = tmp_path / "out.json"
    house.spawner.describe(Describe(id=7, file=str(file), out=str(out), time_limit_s=30.0, env_file=str(env_file)))
    reply = house.described()

    assert (reply.id, reply.ok, reply.error) == (7, True, None)
    description = msgspec.json.decode(out.read_bytes(), type=Description)
    assert [flow.name for flow in description.flows] == ["named"]
    assert (description.file, description.error) == (str(file), None)


@pytest.mark.parametrize(
    ("text", "time_limit_s", "part"),
    [
        ("import os; os._exit(4)", 30.0, "exit code 4"),
        ("import ctypes; ctypes.string_at(0)", 30.0, "SIGSEGV"),
        ("import signal; signal.pause()", 0.2, "longer than 0.2 s"),
        ("while True: pass", 0.2, "longer than 0.2 s"),
    ],
)
def test_a_file_that_takes_its_process_along_is_described_by_a_sentence(
    house: House, tmp_path: Path, text: str, time_limit_s: float, part: str
) -> None:
    """
    The reply says what happened, and the spawner goes on.
    """
    file = tmp_path / "flow_file.py"
    file.write_text(text)
    out = tmp_path / "out.json"
    house.spawner.describe(Describe(id=8, file=str(file), out=str(out), time_limit_s=time_limit_s))
    reply = house.described()

    assert (reply.id, reply.ok) == (8, False)
    assert reply.error is not None
    assert part in reply.error
    assert not out.exists()


def test_a_file_that_starts_processes_while_described_leaves_none(house: House, tmp_path: Path) -> None:
    """
    A daemon that module-level code double-forks is killed when the description is done.
    """
    file = tmp_path / "flow_file.py"
    file.write_text(
        "import os, signal\nfrom orchd import Flow, Parameter\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n        while True: signal.pause()\n    os._exit(0)\n"
        f"os.wait()\nwhile not os.path.exists({str(tmp_path / 'pid')!r}): pass\n"
        "with Flow('f') as flow:\n    Parameter('p')()\n"
    )
    house.spawner.describe(Describe(id=9, file=str(file), out=str(tmp_path / "out.json"), time_limit_s=30.0))
    assert house.described().ok

    eventually(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_describing_children_end_with_their_spawner(tmp_path: Path) -> None:
    """
    A spawner whose daemon is gone leaves no describing child behind.
    """
    house = House(tmp_path)
    file = tmp_path / "flow_file.py"
    file.write_text(
        f"import os, signal\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\nsignal.pause()\n"
    )
    house.spawner.describe(Describe(id=1, file=str(file), out=str(tmp_path / "out.json"), time_limit_s=1000.0))
    pid = int(eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    house.close()

    eventually(lambda: not is_alive(pid))


def test_the_spawner_is_ready_for_the_loop(house: House) -> None:
    """
    With nothing to say its descriptor is not readable, and receive() returns at once with nothing.
    """
    house.replies.clear()
    ready, _, _ = select.select([house.spawner.fileno()], [], [], 0)

    assert ready == []
    assert house.spawner.receive() == []


def test_the_spawner_imports_no_store_and_no_server() -> None:
    """
    What the spawner keeps warm is the engine, and nothing of the daemon.
    """
    code = "import sys, orchd.processes.spawner; print(*sys.modules)"
    modules = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())

    assert "orchd.flow.execute" in modules
    roots = {name.split(".")[0] for name in modules}
    assert not roots & {
        "sqlalchemy",
        "pydantic",
        "fastapi",
        "uvicorn",
        "structlog",
        "apscheduler",
        "alembic",
        "asyncio",
    }


def test_the_daemons_side_imports_no_flow_code() -> None:
    """
    The daemon may use launch, folder, fence, journal, reaper and describe without the engine.
    """
    names = "launch folder fence journal reaper describe protocol verdict"
    code = f"import sys, {', '.join('orchd.processes.' + name for name in names.split())}; print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", code], text=True).split()

    assert not [name for name in modules if name.startswith(("orchd.flow", "orchd.engine"))]
