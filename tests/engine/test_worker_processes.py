"""
Worker processes: what cannot cross over, what becomes of those that die, and what a cluster of one's own listens on.
"""

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchd import Flow, task
from orchd.engine.executors import cluster
from orchd.engine.executors.cluster import DaskExecutor
from orchd.engine.executors.threads import LocalDaskExecutor
from support.recording import executed, is_legal

SOON = timedelta(milliseconds=1)
KINDS = ["local", "threads", "processes", "dask"]
Make = Callable[[str], Any]


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_result_that_cannot_be_sent_fails_its_task(make: Make, kind: str) -> None:
    """
    The message names the type, and nobody is told that the task went well.
    """

    @task
    def lock():
        return threading.Lock()

    @task
    def other():
        return 1

    with Flow("f", executor=make(kind)) as flow:
        locked, fine = lock(), other()

    state, told = executed(flow)

    assert "result, of the type _thread.lock, cannot be sent from its worker process" in state.result[locked].message
    assert told.states("lock-1") == ["running", "failed"]
    assert state.result[fine].is_successful()


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_result_that_cannot_be_read_back_fails_its_task(make: Make, kind: str) -> None:
    """
    The journal says Failed, as the state does.
    """

    class Bottle:
        def __reduce__(self) -> Any:
            return int, ("no number",)

    @task
    def send():
        return Bottle()

    with Flow("f", executor=make(kind)) as flow:
        sent = send()

    state, told = executed(flow)

    assert "cannot be read back from its worker process" in state.result[sent].message
    assert told.states("send-1") == ["running", "failed"]


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_killed_worker_fails_its_task_or_has_it_tried_again(make: Make, kind: str, tmp_path: Path) -> None:
    """
    ``kill -9`` costs one try of one task; the run ends, and the next task finds a worker.
    """
    seen = tmp_path / "seen"

    @task(max_retries=1, retry_delay=SOON)
    def die():
        if not seen.exists():
            seen.touch()
            # What says that the task runs has left the process by then.
            threading.Event().wait(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        return "alive"

    @task
    def die_for_good():
        threading.Event().wait(0.5)
        os._exit(3)

    with Flow("f", executor=make(kind)) as flow:
        again = die()
        dead = die_for_good(upstream_tasks=[again])

    state, told = executed(flow)

    assert state.result[again].result == "alive"
    assert type(state.result[dead]).__name__ == "Failed"
    words = "ended itself with exit code 3" if kind == "processes" else "the task's Dask worker has ended"
    assert words in state.result[dead].message
    assert told.states("die-1") == ["running", "retrying", "running", "success"]
    assert is_legal(told)


def test_prints_of_worker_processes_come_out_here(capfd: pytest.CaptureFixture[str]) -> None:
    """
    Plain prints by the flow run's own stream, whole lines; what a subprocess prints, by the descriptor.
    """

    @task
    def speak():
        print("one", "line")
        os.write(1, b"raw\n")

    with Flow("f", executor=LocalDaskExecutor("processes", num_workers=2)) as flow:
        speak()

    executed(flow)

    assert sorted(capfd.readouterr().out.splitlines()) == ["one line", "raw"]


def test_no_worker_process_is_left() -> None:
    """
    After the run, and after one that was broken off, there are no children.
    """

    @task
    def fine():
        return os.getpid()

    @task
    def broken():
        raise KeyboardInterrupt

    with Flow("f", executor=LocalDaskExecutor("processes", num_workers=2)) as flow:
        fine()
        broken()

    before = psutil.Process().children()
    with pytest.raises(KeyboardInterrupt):
        executed(flow)

    assert psutil.Process().children() == before


def test_without_dask_the_executor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One sentence, when the executor is made: before any task has run.
    """
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ImportError, match=r"DaskExecutor needs the package distributed: pip install 'orchd\[dask\]'"):
        DaskExecutor()


def test_a_cluster_of_its_own_listens_on_loopback_only() -> None:
    """
    Scheduler and workers take connections of this machine alone, and none at Dask's usual port for its page.
    """

    @task
    def listening():
        pids = [os.getppid(), os.getpid()]
        return [each.laddr for pid in pids for each in psutil.Process(pid).net_connections() if each.status == "LISTEN"]

    with Flow("f", executor=DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 1})) as flow:
        found = listening()

    state, _ = executed(flow)

    addresses = state.result[found].result
    assert {address for address, _ in addresses} == {"127.0.0.1"}
    assert 8787 not in {port for _, port in addresses}
