"""
However a run ends, nothing of it is left alive, and its end is told in words.
"""

import pytest

from orchd.errors import NotFound, StaleRun
from support.checker import check
from support.daemon import Daemon
from support.evidence import COUNTER, PRELUDE, evidence
from support.waiting import eventually

#: Leaves a child in its own group, one in a session of its own, and a double-forked one, all deaf to SIGTERM.
STUBBORN = (
    PRELUDE
    + """
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("deaf")
    while True:
        signal.pause()

@task
def work():
    if os.fork() == 0:
        deaf()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            deaf()
        os._exit(0)
    subprocess.Popen(["sh", "-c", "trap '' TERM; setsid sleep 1000 & sleep 1000"], start_new_session=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("ready")
    while True:
        signal.pause()

with Flow("stubborn") as flow:
    work()

with Flow("slow") as slow:
    work()
"""
)

DYING = (
    PRELUDE
    + """
import ctypes

@task
def work(how):
    print("last words", flush=False)
    sys.stdout.write("not even a line")
    if how == "segv":
        ctypes.string_at(0)
    elif how == "exit":
        os._exit(3)
    elif how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "memory":
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        bytearray(1 << 31)
    else:
        raise ValueError(f"no way to {how}")

with Flow("dying") as flow:
    work(Parameter("how"))
"""
)


@pytest.fixture(scope="module", autouse=True)
def _up(shared: Daemon) -> None:
    """
    One daemon serves all these flows.
    """
    shared.flow("stubborn.py", STUBBORN)
    shared.flow("dying.py", DYING)
    shared.flow("counter.py", COUNTER)
    shared.configure(
        more='[flow.stubborn]\ngrace = "0.3s"\n[flow.slow]\ntimeout = "1s"\ngrace = "0.3s"', daemon="max_runs = 2"
    )
    shared.start()


def is_ready(daemon: Daemon, run: str) -> bool:
    """
    Tell whether the stubborn run and both its forks have said so.
    """
    words = [note.word for note in evidence(daemon.home) if note.run == run]
    return words.count("deaf") == 2 and "ready" in words


def test_a_cancelled_run_leaves_nothing(shared: Daemon) -> None:
    """
    Cancelled is told only when nothing of the run is alive, not even what forked twice and is deaf to SIGTERM.
    """
    run = shared.begin("stubborn")
    eventually(lambda: is_ready(shared, run), what="it is stubborn")
    shared.cli("cancel", run)
    told = shared.finished(run)
    assert told["state"] == "cancelled"
    assert "root" in told["message"] or "by" in told["message"]
    assert not shared.below()
    assert [task["state"] for task in told["tasks"]] == ["cancelled"]


def test_a_run_over_its_time_limit_leaves_nothing(shared: Daemon) -> None:
    """
    TimedOut names the limit.
    """
    run = shared.begin("slow")
    told = shared.finished(run)
    assert told["state"] == "timed_out"
    assert "1 s" in told["message"]
    assert not shared.below()
    assert [task["state"] for task in told["tasks"]] == ["timed_out"]


@pytest.mark.parametrize(
    ("how", "state", "words"),
    [
        ("segv", "crashed", "SIGSEGV"),
        ("kill", "crashed", "SIGKILL"),
        ("exit", "crashed", "code 3"),
        ("memory", "failed", "tasks failed"),
        ("raise", "failed", "tasks failed"),
    ],
)
def test_a_run_that_dies_says_how(shared: Daemon, how: str, state: str, words: str) -> None:
    """
    The state and its message tell the way, and the last line printed is stored, whether or not it was ended.
    """
    told = shared.finished(shared.begin("dying", how=how))
    assert told["state"] == state
    assert words in told["message"], told["message"]
    assert shared.printed(told["id"])[0] == "last words"
    assert [task["state"] for task in told["tasks"] if task["slug"].startswith("work")] == [state]
    check(shared)


def test_a_held_run_is_cancelled_at_once_and_never_entered(shared: Daemon) -> None:
    """
    `why` says what it is held for before, and its end after.
    """
    going = [shared.begin("counter", go="go-1") for _ in range(2)]
    held = shared.begin("counter", go="go-1")
    assert "place" in shared.why(held)
    shared.cli("cancel", held)
    assert shared.run(held)["state"] == "cancelled"
    (shared.home / "go-1").touch()
    assert [shared.finished(run)["state"] for run in going] == ["success", "success"]
    assert held not in {note.run for note in evidence(shared.home)}
    check(shared)


def test_what_cannot_be_cancelled_is_said(shared: Daemon) -> None:
    """
    A run that is over and one that is not there each get their own answer.
    """
    run = shared.finished(shared.begin("dying", how="raise"))["id"]
    with pytest.raises(StaleRun, match="over already: Failed"):
        shared.client.post(f"/runs/{run}/cancel")
    with pytest.raises(NotFound, match="no-such-run"):
        shared.client.post("/runs/no-such-run/cancel")
    assert "over already" in shared.cli("cancel", run, code=75)
