"""
A house: a runs folder, a flow file and a real spawner in it.
"""

import hashlib
import os
import select
import signal
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchd.model.records import Finished, RunSpec
from orchd.processes import fence
from orchd.processes.folder import RunFolder
from orchd.processes.launch import Spawner
from orchd.processes.protocol import Described, Ended, Reply
from orchd.processes.reaper import kill_strays

PRELUDE = """
import ctypes, os, resource, signal, subprocess, sys
import orchd
from orchd import Flow, task

HERE = os.path.dirname(os.path.abspath(__file__))

def say(name, text):
    fd = os.open(os.path.join(HERE, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (text + chr(10)).encode())
    os.close(fd)

def hang():
    say("hangs", str(os.getpid()))
    while True:
        signal.pause()

say("entered", os.environ["ORCHD_RUN_KEY"])
"""

FLOW = """
@task
def work():
{body}

with Flow("f") as flow:
    work()
"""


class House:
    """
    What a daemon would hold of its runs.
    """

    def __init__(self, path: Path, env: dict[str, str] | None = None) -> None:
        self.path = path
        self.runs = path / "runs"
        self.runs.mkdir()
        self.env = dict(os.environ) | (env or {})
        self.spawner = Spawner(self.runs, self.env)
        self.spawner.start()
        self.replies: list[Reply] = []

    def close(self) -> None:
        """
        End the spawner, and whatever a failed test left running.
        """
        self.spawner.close()
        for path in self.runs.iterdir():
            monitor_pid = fence.probe(RunFolder(path)).monitor_pid
            if monitor_pid is not None:
                os.kill(monitor_pid, signal.SIGKILL)
                kill_strays(path.name)

    def folder(self, body: str, *, flow_text: str | None = None, **changes: object) -> RunFolder:
        """
        Write a flow file whose only task has this body, and make a run folder for it.
        """
        run_id = str(uuid.uuid4())
        place = self.path / f"flows-{run_id}"
        place.mkdir()
        file = place / "flow_file.py"
        text = FLOW.format(body=textwrap.indent(textwrap.dedent(body).strip(), "    "))
        file.write_text(PRELUDE + text if flow_text is None else textwrap.dedent(flow_text))
        spec = RunSpec(
            run_id=run_id,
            run_name="calm-otter",
            run_key=f"{run_id}#1",
            flow="f",
            file=str(file),
            source_hash=hashlib.sha256(file.read_bytes()).hexdigest(),
        )
        for name, value in changes.items():
            spec = RunSpec(**{field: getattr(spec, field) for field in spec.__struct_fields__} | {name: value})
        return RunFolder.create(self.runs, spec)

    def said(self, folder: RunFolder, name: str) -> list[str]:
        """
        Return the lines that user code of this run put into its file *name*.
        """
        file = Path(folder.read_spec().file).with_name(name)
        return file.read_text().splitlines() if file.exists() else []

    def receive(self) -> None:
        """
        Wait for something that the spawner says, its end among it.
        """
        ready, _, _ = select.select([self.spawner], [], [], 30)
        assert ready, "the spawner said nothing for 30 s"
        self.replies += self.spawner.receive()

    def ended(self, folder: RunFolder) -> Ended:
        """
        Wait for the end of the monitor of *folder*.
        """
        while True:
            for reply in self.replies:
                if isinstance(reply, Ended) and reply.folder == str(folder.path):
                    self.replies.remove(reply)
                    return reply
            self.receive()

    def described(self) -> Described:
        """
        Wait for the next description.
        """
        while True:
            for reply in self.replies:
                if isinstance(reply, Described):
                    self.replies.remove(reply)
                    return reply
            self.receive()

    def finish(self, folder: RunFolder) -> Finished:
        """
        Launch, and return how the run finished.
        """
        self.spawner.launch(folder.path)
        assert self.ended(folder).status == 0
        finished = folder.finished()
        assert finished is not None
        return finished

    def run(self, body: str, **changes: object) -> tuple[RunFolder, Finished]:
        """
        Make, launch and finish a run of a task with this body.
        """
        folder = self.folder(body, **changes)
        return folder, self.finish(folder)


def is_alive(pid: int) -> bool:
    """
    True while *pid* is a process that is not dead and waiting to be reaped.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="session")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """
    One house for all tests that leave its spawner alone.
    """
    house = House(tmp_path_factory.mktemp("house"))
    yield house
    house.close()


@pytest.fixture
def house(shared_house: House) -> House:
    """
    The shared house, with its spawner alive.
    """
    return shared_house


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[House]:
    """
    A house whose spawner the test may kill.
    """
    house = House(tmp_path)
    yield house
    house.close()
