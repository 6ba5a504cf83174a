"""
The four words of `overlap`, with real runs that do not end until they are told to.
"""

import json

from support.checker import check, take
from support.daemon import Daemon, Json
from support.evidence import COUNTER, evidence
from support.waiting import eventually

EVERY = "0.3s"


def schedule(name: str, more: str = "") -> str:
    """
    Return a schedule that starts the counter with a file of its own to wait for.
    """
    return (
        f"[schedules.{name}]\nflow = 'counter'\nevery = '{EVERY}'\noverlap = '{name}'\n"
        f"parameters = {{ go = 'go-{name}' }}\n{more}\n"
    )


def began(daemon: Daemon, name: str) -> list[str]:
    """
    Return the runs of a schedule whose code was entered, in that order.
    """
    return [n.run for n in evidence(daemon.home) if n.word == "entered" and n.key.startswith(f"{name}@")]


def reasons(daemon: Daemon, name: str) -> list[str]:
    """
    Return the reason of each slot of a schedule, in order of fire time.
    """
    return [slot["reason"] for slot in daemon.slots(name)]


def test_overlap(daemon: Daemon) -> None:
    """
    skip skips and names the run in its way; queue holds so many and starts them one after the other, in order; allow
    runs them side by side; replace cancels the one before and begins when nothing of it is alive.
    """
    daemon.flow("counter.py", COUNTER)
    words = [schedule("skip"), schedule("queue", "max_catchup = 3"), schedule("allow"), schedule("replace")]
    daemon.configure("".join(words), daemon="max_runs = 40")
    daemon.start()

    eventually(lambda: "queue_full" in reasons(daemon, "queue"), what="the queue is full")
    eventually(lambda: reasons(daemon, "skip").count("overlap") >= 3, what="some are skipped")
    eventually(lambda: len(began(daemon, "allow")) >= 3, what="several run side by side")
    eventually(lambda: len(began(daemon, "replace")) >= 3, what="some are replaced")
    in_the_way = json.loads(daemon.slots("skip")[-1]["fields"])["run"]
    assert began(daemon, "skip") == [in_the_way]
    assert len(began(daemon, "queue")) == 1
    held = [run for run in daemon.status()["held"] if run["schedule"] == "queue"]
    assert len(held) == 3
    assert "of the same schedule is not final yet" in daemon.why(held[0]["id"])
    names = [told["schedule"] for told in daemon.status()["running"]]
    assert names.count("allow") >= 3
    assert names.count("skip") == names.count("queue") == 1

    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    for name in ("skip", "queue", "allow", "replace"):
        (daemon.home / f"go-{name}").touch()
    picture = check(daemon, every_us=300_000)

    runs = {name: [r for r in picture.runs if r["schedule"] == name] for name in ("queue", "replace", "allow")}
    queued = sorted(runs["queue"], key=by_fire_time)
    assert began(daemon, "queue") == [run["id"] for run in queued]
    assert {run["state"] for run in queued} == {"success"}
    one_at_a_time(daemon, "queue")
    one_at_a_time(daemon, "replace")
    assert {run["message"] for run in runs["replace"] if run["state"] == "cancelled"} == {
        "replaced by the next run of its schedule"
    }
    assert [run["state"] for run in sorted(runs["replace"], key=by_fire_time)][-1] == "success"
    assert sum(run["state"] == "success" for run in runs["replace"]) == 1


def by_fire_time(run: Json) -> int:
    """
    Order runs of a schedule.
    """
    return int(run["fire_time_us"])


def one_at_a_time(daemon: Daemon, name: str) -> None:
    """
    Check that no run of a schedule was entered before the one before it was over.
    """
    runs = {run["id"]: run for run in take(daemon).runs}
    before = 0
    for note in evidence(daemon.home):
        if note.word == "entered" and note.key.startswith(f"{name}@"):
            assert note.at_us >= before
            before = runs[note.run]["ended_at_us"]
