"""
Flows that wait for flows, by real runs.
"""

import json

from support.checker import check
from support.daemon import Daemon
from support.evidence import PRELUDE, evidence
from support.waiting import eventually

UPSTREAM = (
    PRELUDE
    + """
@task
def work(ends):
    if ends == "failed":
        raise ValueError("as told")
    if ends == "cancelled":
        note("waits")
        until("never")

with Flow("left") as left:
    work(Parameter("ends", default="success"))

with Flow("right") as right:
    work(Parameter("ends", default="success"))
"""
)

DOWNSTREAM = (
    PRELUDE
    + """
@task
def look():
    note("upstream " + repr(dict(orchd.context.upstream_runs)))

for name in ("on-success", "on-failure", "on-finished", "on-both"):
    with Flow(name) as flow:
        look()
    globals()[name] = flow
"""
)

SCHEDULES = """
[schedules.good]
flow = "on-success"
after = ["left"]

[schedules.bad]
flow = "on-failure"
after = ["left"]
when = "failure"

[schedules.any]
flow = "on-finished"
after = ["left"]
when = "finished"

[schedules.both]
flow = "on-both"
after = ["left", "right"]
"""


def ended(daemon: Daemon, flow: str, how: str) -> str:
    """
    Have a run of *flow* end as told, when nothing that an earlier one started goes on any more, and return its id.
    """
    daemon.settled()
    run = daemon.begin(flow, ends=how)
    if how == "cancelled":
        eventually(lambda: any(n.run == run and n.word == "waits" for n in evidence(daemon.home)), what="it waits")
        daemon.cli("cancel", run)
    assert daemon.finished(run)["state"] == how
    return run


def ledger(daemon: Daemon, schedule: str) -> list[str]:
    """
    Return the reason of each slot of a schedule, in order.
    """
    return [slot["reason"] for slot in daemon.slots(schedule)]


def up(daemon: Daemon) -> None:
    """
    Start a daemon with these flows and schedules.
    """
    daemon.flow("upstream.py", UPSTREAM)
    daemon.flow("downstream.py", DOWNSTREAM)
    daemon.configure(SCHEDULES)
    daemon.start()


def test_each_end_of_an_upstream_run_starts_what_waits_for_it(daemon: Daemon) -> None:
    """
    Success, failure and cancellation each start the schedules that count them, once; the others get a row that says
    why not; a join takes the newest finish of each; the new run is told which runs it waited for.
    """
    up(daemon)
    first = ended(daemon, "left", "success")
    assert ledger(daemon, "good") == ledger(daemon, "any") == ["join"]
    assert ledger(daemon, "bad") == ["upstream_failed"]
    assert ledger(daemon, "both") == []

    ended(daemon, "left", "failed")
    assert ledger(daemon, "good") == ["join", "upstream_failed"]
    assert ledger(daemon, "bad") == ["upstream_failed", "join"]
    assert ledger(daemon, "any") == ["join", "join"]
    assert ledger(daemon, "both") == ["upstream_failed"]

    right = ended(daemon, "right", "success")
    assert ledger(daemon, "both") == ["upstream_failed", "join"]
    ended(daemon, "left", "cancelled")
    assert ledger(daemon, "any") == ["join", "join", "join"]
    assert ledger(daemon, "bad") == ["upstream_failed", "join", "upstream_failed"]

    picture = check(daemon)
    (both,) = [run for run in picture.runs if run["schedule"] == "both"]
    assert json.loads(both["upstream_runs"]) == {"left": first, "right": right}
    assert f"upstream {json.loads(both['upstream_runs'])}" in {note.word for note in picture.notes}
    assert "left, right finished" in daemon.why(both["id"])
    assert "ended as failed" in daemon.why("both") or "ended as failed" in daemon.why("good")


def test_a_held_upstream_run_that_is_cancelled_counts_as_finished(daemon: Daemon) -> None:
    """
    It never ran, but it is over: `when = "finished"` starts, `when = "success"` says why not.
    """
    up(daemon)
    held = daemon.begin("left", at="2099-01-01T00:00:00Z")
    daemon.cli("cancel", held)
    assert daemon.run(held)["state"] == "cancelled"
    assert ledger(daemon, "any") == ["join"]
    assert ledger(daemon, "good") == ["upstream_failed"]
    check(daemon)


def test_a_finish_that_comes_while_there_is_no_daemon_still_counts(daemon: Daemon) -> None:
    """
    The next daemon stores the end and what it causes together.
    """
    daemon.flow("upstream.py", UPSTREAM.replace('until("never")', 'until("go")'))
    daemon.flow("downstream.py", DOWNSTREAM)
    daemon.configure(SCHEDULES)
    daemon.start()
    run = daemon.begin("left", ends="cancelled")
    eventually(lambda: any(note.word == "waits" for note in evidence(daemon.home)), what="it waits")
    daemon.kill()
    (daemon.home / "go").touch()
    eventually(lambda: not daemon.below(), what="it has ended")
    daemon.start()
    assert daemon.finished(run)["state"] == "success"
    eventually(lambda: len([note for note in evidence(daemon.home) if note.word.startswith("upstream ")]) == 2)
    check(daemon)
