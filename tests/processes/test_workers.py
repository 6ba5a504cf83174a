"""
Worker processes and threads of a run: whose each line is, and that nothing of them outlives the run.
"""

import os
import signal
import textwrap
from pathlib import Path

import pytest

from orchd.model.records import LogRecord, TaskRecord
from orchd.processes import fence
from orchd.processes.folder import RunFolder
from orchd.processes.journal import read_records
from orchd.scheduler.reading import Progress, look
from support.waiting import eventually

from .conftest import PRELUDE, House

MUCH = 1 << 24

TALK = """
import multiprocessing
from orchd import DaskExecutor, LocalDaskExecutor
barrier = multiprocessing.get_context("fork").Barrier(2)

@task
def talk(name):
    barrier.wait(30)
    for number in range(200):
        print(name, number)
        print(name, "error", number, file=sys.stderr)
    subprocess.run(["echo", "nobody knows whose"])

with Flow("f", executor={executor}) as flow:
    talk.map(["a", "b"])
"""

HANG = """
from orchd import DaskExecutor, LocalDaskExecutor

@task
def work(x):
    try:
        if os.fork() == 0:
            hang()
        hang()
    finally:
        say("cleaned", str(os.getpid()))

with Flow("f", executor={executor}) as flow:
    work.map([1, 2])
"""


def written(house: House, text: str, executor: str) -> RunFolder:
    """
    Make the folder of a run of *text* with that executor.
    """
    return house.folder("", flow_text=PRELUDE + textwrap.dedent(text).replace("{executor}", executor))


def is_gone(pid: int) -> bool:
    """
    True when there is no such process.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


LINGER = """
import threading
from orchd import DaskExecutor

@task
def linger(x):
    pause = threading.Event()
    try:
        say("lingers", str(x))
        while True:
            pause.wait(0.05)
    finally:
        say("cleaned", str(x))

with Flow("f", executor={executor}) as flow:
    linger.map([1, 2, 3, 4])
"""


@pytest.mark.parametrize("executor", ["LocalDaskExecutor(num_workers=2)", "LocalDaskExecutor('processes')"])
def test_each_line_has_its_task(house: House, executor: str) -> None:
    """
    Of two tasks that print beside each other, on both streams; what a subprocess prints meanwhile has none.
    """
    folder = written(house, TALK, executor.replace("'processes'", "'processes', num_workers=2"))
    house.spawner.launch(folder.path)
    house.ended(folder)

    progress, printed, has_more = Progress(), [], True
    while has_more:
        found = look(folder, progress, now_us=1 << 60, is_end=True)
        printed += [(line.text, line.owner) for line in found.lines if line.stream != "logger"]
        progress, has_more = found.progress, found.has_more

    lines = {number: [text for text, owner in printed if owner == ("talk-1", number)] for number in (0, 1)}
    for number, name in enumerate("ab"):
        for words in (name, f"{name} error"):
            assert [f"{words} {count}" for count in range(200)] == [
                text for text in lines[number] if text.rpartition(" ")[0] == words
            ]
    assert [owner for text, owner in printed if text == "nobody knows whose"] == [None, None]


def test_a_line_that_is_not_ended_is_its_tasks(house: House) -> None:
    """
    A task that is over has said all that it has to say.
    """
    text = """
    from orchd import LocalDaskExecutor

    @task
    def work():
        print("no newline", end="")

    with Flow("f", executor=LocalDaskExecutor("processes", num_workers=1)) as flow:
        work()
    """
    folder = house.folder("", flow_text=PRELUDE + textwrap.dedent(text))
    house.spawner.launch(folder.path)
    house.ended(folder)

    found = look(folder, Progress(), now_us=1 << 60, is_end=True)

    assert [("no newline", ("work-1", -1))] == [
        (each.text, each.owner) for each in found.lines if each.stream == "stdout"
    ]


@pytest.mark.parametrize("executor", ["LocalDaskExecutor('processes', num_workers=2)", "DaskExecutor()"])
def test_cancel_ends_the_workers_too(house: House, executor: str) -> None:
    """
    Neither a worker nor what a task forked there is left; workers below the run clean up.
    """
    folder = written(house, HANG, executor)
    house.spawner.launch(folder.path)
    hanging = eventually(lambda: len(found := house.said(folder, "hangs")) == 4 and found, within_s=40)
    folder.write_cancel("not wanted", grace_s=3)
    monitor_pid = fence.probe(folder).monitor_pid
    assert monitor_pid is not None
    os.kill(monitor_pid, signal.SIGTERM)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert (finished.state, finished.message) == ("cancelled", "not wanted")
    assert [pid for pid in map(int, hanging) if not is_gone(pid)] == []
    if "processes" in executor:
        assert len(house.said(folder, "cleaned")) >= 2


def test_cancel_does_not_wait_for_dask_workers_in_threads(house: House) -> None:
    """
    Tasks are interrupted in their threads and clean up, others do not begin, and the run ends without being killed.
    """
    folder = written(
        house, LINGER, "DaskExecutor(cluster_kwargs={'processes': False, 'n_workers': 1, 'threads_per_worker': 2})"
    )
    house.spawner.launch(folder.path)
    eventually(lambda: len(house.said(folder, "lingers")) == 2, within_s=40)
    folder.write_cancel("not wanted", grace_s=300)
    monitor_pid = fence.probe(folder).monitor_pid
    assert monitor_pid is not None
    os.kill(monitor_pid, signal.SIGTERM)
    house.ended(folder)

    finished = folder.finished()
    assert finished is not None
    assert (finished.state, finished.message) == ("cancelled", "not wanted")
    assert finished.signal is None
    assert sorted(house.said(folder, "lingers")) == sorted(house.said(folder, "cleaned"))


def test_only_the_run_writes_its_journal(house: House) -> None:
    """
    Moves and lines of worker processes come in the order of each task, and every line of the journal parses.
    """
    text = """
    import orchd
    from orchd import LocalDaskExecutor

    @task(log_stdout=True)
    def work(x):
        print("printed", x)

    with Flow("f", executor=LocalDaskExecutor("processes", num_workers=2)) as flow:
        work.map(list(range(50)))
    """
    folder = house.folder("", flow_text=PRELUDE + textwrap.dedent(text))
    house.spawner.launch(folder.path)
    house.ended(folder)

    records, _, bad = read_records(folder.journal, 0, MUCH)

    assert bad == 0
    for number in range(50):
        of_child = [
            record for record, _ in records if isinstance(record, TaskRecord | LogRecord) and record.map_index == number
        ]
        assert [each.state if isinstance(each, TaskRecord) else each.text.split(":")[-1] for each in of_child] == [
            " Starting task run...",
            "running",
            f"printed {number}",
            "success",
            " 'Success'",
        ]


def test_a_run_whose_worker_is_killed_ends(house: House, tmp_path: Path) -> None:
    """
    ``kill -9`` from outside fails the task with a sentence, and the run.
    """
    text = """
    from orchd import LocalDaskExecutor

    @task
    def work():
        hang()

    with Flow("f", executor=LocalDaskExecutor("processes", num_workers=1)) as flow:
        work()
    """
    folder = house.folder("", flow_text=PRELUDE + textwrap.dedent(text))
    house.spawner.launch(folder.path)
    (pid,) = eventually(lambda: house.said(folder, "hangs"))
    os.kill(int(pid), signal.SIGKILL)
    house.ended(folder)

    records = [record for record, _ in read_records(folder.journal, 0, MUCH).records if isinstance(record, TaskRecord)]
    finished = folder.finished()

    assert finished is not None
    assert finished.state == "failed"
    assert records[-1].message == f"the worker process (pid {pid}) was killed by SIGKILL"
