"""
What a person may ask a daemon for, with the real commands.
"""

import json
from datetime import timedelta

import pytest

from orchd import clock
from orchd.errors import NotFound, UsageError
from support.checker import check
from support.daemon import Daemon
from support.evidence import PRELUDE, evidence
from support.waiting import eventually

FLOW = (
    PRELUDE
    + """
@task(log_stdout=True)
def greet(name, times):
    for _ in range(times):
        print(f"hello {name}")
    if name == "nobody":
        raise ValueError("nobody to greet")

with Flow("greeter") as flow:
    greet(Parameter("name"), Parameter("times", default=1))
"""
)


@pytest.fixture(scope="module", autouse=True)
def _up(shared: Daemon) -> None:
    """
    One daemon serves all of this module.
    """
    shared.flow("greeter.py", FLOW)
    shared.configure("[schedules.yearly]\nflow = 'greeter'\ncron = '0 0 1 1 *'\nparameters = { name = 'year' }\n")
    shared.start()


def test_start_at_waits_until_then(shared: Daemon) -> None:
    """
    The run is held with that reason, starts in time, never early; over a kill -9 too.
    """
    at = clock.now() + timedelta(seconds=2.5)
    run = shared.begin("greeter", at=at.isoformat(), name="later")
    assert shared.run(run)["state"] == "scheduled"
    assert at.strftime("%H:%M:%S") in shared.why(run)
    shared.kill()
    shared.start()
    assert shared.finished(run)["state"] == "success"
    (entered,) = [note for note in evidence(shared.home) if note.run == run and note.word == "entered"]
    assert entered.at_us >= at.timestamp() * 1_000_000


def test_an_idempotency_key_makes_one_run(shared: Daemon) -> None:
    """
    Asked twice, also across a kill -9, the same run comes back, and it ran once.
    """
    run = shared.begin("greeter", key="only-once", name="you")
    assert shared.begin("greeter", key="only-once", name="you") == run
    shared.kill()
    shared.start()
    assert shared.begin("greeter", key="only-once", name="you") == run
    assert shared.finished(run)["state"] == "success"
    assert [note.run for note in evidence(shared.home) if note.word == "entered"].count(run) == 1


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"name": "x", "tims": 2}, "has no parameter 'tims': it takes name, times"),
        ({}, "needs a value for parameter 'name'"),
        ({"name": "x" * 70_000}, "larger than 65536 bytes"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(shared: Daemon, parameters: dict[str, object], words: str) -> None:
    """
    One sentence says which and what the flow takes, and no run is made.
    """
    count = len(shared.runs(limit=500))
    with pytest.raises(UsageError, match=words):
        shared.begin("greeter", **parameters)
    assert len(shared.runs(limit=500)) == count


def test_an_unknown_flow_is_refused(shared: Daemon) -> None:
    """
    The sentence names those that there are.
    """
    with pytest.raises(NotFound, match="no flow 'greter'; there are: greeter"):
        shared.begin("greter")


def test_a_person_starts_follows_and_looks_back(shared: Daemon) -> None:
    """
    start --wait, start --follow, logs, show, runs, next and why do what they say, with their exit codes.
    """
    said = shared.cli("start", "greeter", "--param", "name=you", "--param", "times=2", "--follow")
    assert said.count("hello you") == 2
    shared.cli("start", "greeter", "--param", "name=nobody", "--wait", code=1)
    failed = shared.runs(flow="greeter")[-1]
    assert "nobody to greet" in shared.cli("logs", failed["name"])
    assert "nobody to greet" in shared.cli("logs", "-f", failed["id"][:8], code=1)
    shown = json.loads(shared.cli("show", failed["name"], "--json"))
    assert shown["state"] == "failed"
    assert failed["name"] in shared.cli("runs", "--state", "failed")
    assert str(clock.now().year + 1) in shared.cli("next", "yearly", "-n", "1")
    assert "Failed" in shared.cli("why", failed["name"])
    check(shared)


def test_a_follower_waits_through_a_restart(shared: Daemon) -> None:
    """
    A start that waits for the end of its run does so over a kill -9 of the daemon.
    """
    at = clock.now() + timedelta(seconds=2)
    run = shared.begin("greeter", at=at.isoformat(), name="you")
    shared.kill()
    shared.start()
    assert "hello you" in shared.cli("logs", "-f", run)
    eventually(lambda: shared.run(run)["state"] == "success", what="it is told")
