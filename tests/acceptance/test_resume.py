"""
Attempts that go on from another: by hand, after a crash, and whoever is killed meanwhile.
"""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter

import pytest

from support.checker import check
from support.daemon import Daemon
from support.evidence import PRELUDE, evidence
from support.waiting import eventually

STEPS = (
    PRELUDE
    + """
@task
def first():
    note("first")
    return 7

@task
def second(x):
    note(f"second {x}")
    until("go")
    return x + 1

@task
def third(x):
    note(f"third {x}")

with Flow("steps") as flow:
    third(second(first()))
"""
)
FAILING = (
    PRELUDE
    + """
@task
def load(n):
    note(f"load {n} {orchd.context.scheduled_start_time.isoformat()}")
    return list(range(n))

@task
def double(x):
    note(f"double {x}")
    if x == 1 and not os.path.exists(os.path.join(os.path.dirname(HERE), "mended")):
        raise ValueError("broken")
    return 2 * x

@task(name="sum up")
def total(xs):
    note(f"total {sum(xs)}")

with Flow("failing") as flow:
    total(double.map(load(Parameter("n", default=3))))
"""
)
#: Ends its own process, each time.
SUICIDAL = (
    PRELUDE
    + """
@task
def first():
    note("first")

@task
def second():
    note("second")
    os.kill(os.getpid(), signal.SIGKILL)

with Flow("suicidal") as flow:
    second(upstream_tasks=[first()])
"""
)
RESUME = "[flow.{}]\non_crash = 'resume'\n"


def words(daemon: Daemon) -> list[tuple[str, str]]:
    """
    Return what user code has noted, with the attempt that did it.
    """
    return [(note.key.rpartition("#")[2], note.word) for note in evidence(daemon.home) if note.word != "entered"]


def kill(daemon: Daemon, name: str) -> None:
    """
    Kill the process of the run that is called *name*.
    """
    for pid in daemon.processes(name=name):
        os.kill(pid, signal.SIGKILL)


def test_a_resumed_run_runs_what_did_not_succeed(daemon: Daemon) -> None:
    """
    With the same parameters and time; `orchd show` says what was reused and from where; it is resumed only once.
    """
    daemon.flow("failing.py", FAILING)
    daemon.start()
    first = daemon.begin("failing", n=3)
    assert daemon.finished(first)["state"] == "failed"
    (daemon.home / "mended").touch()
    told = daemon.cli("resume", first, "--follow")
    second = daemon.run(first)["after"]["id"]
    run = daemon.run(second)

    assert "Success" in told
    assert (run["attempt"], run["resumed_from"], run["before"]["state"]) == (2, first, "failed")
    assert [word for attempt, word in words(daemon) if attempt == "2"] == ["double 1", "total 6"]
    name = daemon.run(first)["name"]
    messages = {(task["slug"], task["map_index"]): task["message"] for task in run["tasks"]}
    assert messages["load-1", -1] == messages["double-1", 2] == f"Reused from attempt 1 ({name})."
    shown = daemon.cli("show", second)
    assert f"{name}, attempt 1, Failed" in shown
    assert f"Reused from attempt 1 ({name})." in shown
    assert "was resumed before: its last attempt is" in daemon.cli("resume", first, code=75)
    assert "--from TASK runs a task of it" in daemon.cli("resume", second, code=75)


def test_a_task_and_all_below_it_run_anew_from_a_changed_file(daemon: Daemon) -> None:
    """
    By its name or its slug; the change of the file is said with both hashes; an unknown task is named beside those
    that there are.
    """
    daemon.flow("failing.py", FAILING)
    daemon.start()
    (daemon.home / "mended").touch()
    first = daemon.begin("failing")
    assert daemon.finished(first)["state"] == "success"
    assert "there are: n, load-1, double-1, sum up-1" in daemon.cli("resume", first, "--from", "nope", code=66)
    daemon.flow("failing.py", FAILING + "\n# changed\n")
    assert daemon.client.post("/reload")["ok"]
    daemon.cli("resume", first, "--from", "sum up", "--wait")
    second = daemon.run(first)["after"]["id"]

    assert [word for attempt, word in words(daemon) if attempt == "2"] == ["total 6"]
    assert "The flow file has changed since attempt 1 (" in daemon.cli("logs", second)
    third = daemon.client.post(f"/runs/{second}/resume", {"from_task": "double-1"})["run"]["id"]
    assert daemon.finished(third)["state"] == "success"
    assert Counter(word for attempt, word in words(daemon) if attempt == "3") == Counter(
        ["double 0", "double 1", "double 2", "total 6"]
    )
    times = {word.split()[-1] for _, word in words(daemon) if word.startswith("load")}
    assert len(times) == 1


def test_a_run_that_goes_on_is_not_resumed(daemon: Daemon) -> None:
    """
    Nor is one that is being resumed.
    """
    daemon.flow("steps.py", STEPS)
    daemon.start()
    run = daemon.begin("steps")
    eventually(lambda: ("1", "second 7") in words(daemon), what="it runs")
    assert "is not over: it is Running" in daemon.cli("resume", run, code=75)
    daemon.cli("cancel", run)
    assert daemon.finished(run)["state"] == "cancelled"
    daemon.cli("resume", run)
    assert "is being resumed already: attempt 2 is" in daemon.cli("resume", run, code=75)
    (daemon.home / "go").touch()
    assert daemon.finished(daemon.run(run)["after"]["id"])["state"] == "success"
    assert [word for attempt, word in words(daemon) if attempt == "2"] == ["second 7", "third 8"]


@pytest.mark.parametrize("victims", [("orchd-run",), ("orchd-monitor", "orchd-run"), ("daemon", "orchd-monitor")])
def test_a_crashed_run_goes_on_by_itself(daemon: Daemon, victims: tuple[str, ...]) -> None:
    """
    Whoever was killed, the daemon included; what had succeeded is not entered again, and only the last attempt counts
    for who waits for the flow.
    """
    daemon.flow("steps.py", STEPS)
    daemon.flow("after.py", STEPS.replace('"steps"', '"after"').replace('until("go")', ""))
    daemon.configure(
        "[schedules.joined]\nflow = 'after'\nafter = ['steps']\nwhen = 'finished'\n", more=RESUME.format("steps")
    )
    daemon.start()
    run = daemon.begin("steps")
    eventually(lambda: ("1", "second 7") in words(daemon), what="the second task runs")
    if "daemon" in victims:
        daemon.kill()
    for name in victims:
        kill(daemon, name)
    if "daemon" in victims:
        daemon.start()
    eventually(lambda: ("2", "second 7") in words(daemon), what="the next attempt runs")
    assert daemon.run(run)["state"] == "crashed"
    assert not daemon.slots("joined")
    (daemon.home / "go").touch()
    last = daemon.run(run)["after"]["id"]
    assert daemon.finished(last)["state"] == "success"
    daemon.settled()

    of_steps = [note.word for note in evidence(daemon.home) if note.run in (run, last) and note.word != "entered"]
    assert of_steps == ["first", "second 7", "second 7", "third 8"]
    assert len(daemon.slots("joined")) == 1
    assert daemon.run(last)["created_by"] == "on_crash"
    made = daemon.run(last)["events"][0]["message"]
    assert made == f"goes on from {daemon.run(run)['name']}, which is Crashed; resumed by on_crash"
    check(daemon)


def test_a_flow_that_ends_its_own_process_is_given_up(daemon: Daemon) -> None:
    """
    After three attempts, of which the last counts.
    """
    daemon.flow("suicidal.py", SUICIDAL)
    daemon.flow("after.py", STEPS.replace('"steps"', '"after"').replace('until("go")', ""))
    daemon.configure(
        "[schedules.joined]\nflow = 'after'\nafter = ['suicidal']\nwhen = 'failure'\n", more=RESUME.format("suicidal")
    )
    daemon.start()
    run = daemon.finished(daemon.begin("suicidal"))
    while run["after"]:
        run = daemon.finished(run["after"]["id"])
    daemon.settled()

    assert (run["attempt"], run["state"]) == (3, "crashed")
    own = [word for attempt, word in words(daemon) if word in ("first", "second")]
    assert own == ["first", "second", "second", "second", "first"]
    assert len(daemon.slots("joined")) == 1


def test_random_kills_enter_no_attempt_twice(daemon: Daemon) -> None:
    """
    Daemon, spawners, monitors and runs are killed while runs are resumed: each attempt of each fire time is entered at
    most once, and what one attempt has stored is not done again by the next.
    """
    text = STEPS.replace('until("go")', "threading.Event().wait(0.05)")
    daemon.flow("steps.py", text)
    daemon.configure(
        "[schedules.all]\nflow = 'steps'\nevery = '0.5s'\ncatchup = 'all'\noverlap = 'allow'\nmax_catchup = 1000\n",
        more=RESUME.format("steps"),
    )
    chance = random.Random(7)
    stop = threading.Event()
    kills: Counter[str] = Counter()

    def killer() -> None:
        while not stop.wait(chance.uniform(0.02, 0.15)):
            below = [(pid, name) for pid, name in daemon.below().items() if name in ("orchd-monitor", "orchd-run")]
            if below:
                pid, name = chance.choice(below)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    kills[name] += 1

    daemon.start()
    thread = threading.Thread(target=killer)
    thread.start()
    try:
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            if not stop.wait(chance.uniform(0.5, 2.0)):
                daemon.kill()
                kills["orchd"] += 1
                daemon.start(wait=chance.random() < 0.7)
    finally:
        stop.set()
        thread.join()
    daemon.wait_until_up()
    daemon.configure(more=RESUME.format("steps"))
    assert daemon.client.post("/reload")["ok"]
    daemon.settled(within_s=60)
    picture = check(daemon, every_us=500_000)

    entered = Counter(note.key for note in picture.notes if note.word == "entered")
    assert max(entered.values()) == 1
    assert any(run["attempt"] > 1 for run in picture.runs)
    assert kills["orchd-run"] + kills["orchd-monitor"] >= 5


def test_caches_outlive_their_process(daemon: Daemon) -> None:
    """
    A result with cache_for stands for the next run of the flow, another process; a new fire time takes nothing else.
    """
    daemon.flow(
        "cached.py",
        PRELUDE
        + """
@task(cache_for=timedelta(hours=1), cache_validator=orchd.cache_validators.all_inputs)
def slow(n):
    note(f"slow {n}")
    return n

@task
def always(n):
    note(f"always {n}")

with Flow("cached") as flow:
    always(slow(Parameter("n", default=1)))
""",
    )
    daemon.start()
    for n in (1, 2, 1):
        assert daemon.finished(daemon.begin("cached", n=n))["state"] == "success"

    assert [word for _, word in words(daemon)] == ["slow 1", "always 1", "slow 2", "always 2", "always 1"]
