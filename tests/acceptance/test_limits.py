"""
Waits, pools, priorities, limits of flows and self-pausing, with a real daemon and real runs.
"""

from support.daemon import Daemon
from support.waiting import eventually

#: Flows that go on until a file is there, that say whom they waited for, and that fail.
FLOWS = """
import os, threading
import orchd
from orchd import Flow, Parameter, task

@task
def go_on(until):
    pause = threading.Event()
    while not os.path.exists(os.path.join(os.environ["HOME"], until)):
        pause.wait(0.005)

@task(log_stdout=True)
def told():
    print("waited for", dict(orchd.context.upstream_runs))

@task
def fail():
    raise ValueError("no")

with Flow("load") as load:
    go_on(Parameter("until", default="go"))
with Flow("train") as train:
    go_on(Parameter("until", default="go"))
with Flow("report") as report:
    told()
with Flow("broken") as broken:
    fail()
"""


def state(daemon: Daemon, run_id: str) -> str:
    """
    Return the state of a run as the API says it.
    """
    return str(daemon.run(run_id)["state"])


def test_a_run_waits_for_the_run_of_another_flow(daemon: Daemon) -> None:
    """
    It says for whom, over a restart too, begins as soon as that one has succeeded, and its code knows whom it waited
    for; one that has waited too long is cancelled with a sentence.
    """
    daemon.flow("flows.py", FLOWS)
    daemon.configure(
        """
        [schedules.patient]
        flow = "report"
        every = "1s"
        wait_for = { flow = "load", within = "1h" }
        [schedules.short]
        flow = "report"
        every = "1s"
        wait_for = [{ flow = "train", same_slot = true, timeout = "1s" }]
        [schedules.train]
        flow = "train"
        every = "1s"
        parameters = { until = "the end" }
        """
    )
    daemon.start()
    told = daemon.cli("next", "patient", "-n", "1", "--json")
    assert "a run of flow 'load' at most 1 h old" in told
    (held,) = eventually(lambda: [run for run in daemon.runs() if run["schedule"] == "patient"], what="one is due")
    assert held["held"] == "held because it waits for a run of flow 'load' at most 1 h old; there is none yet"

    load = daemon.begin("load")
    eventually(lambda: state(daemon, load) == "running", what="load runs")
    name = daemon.run(load)["name"]
    told = f"the newest, {name}, is Running"
    eventually(lambda: told in daemon.why(held["id"]), what="the next tick knows it")
    daemon.kill()
    daemon.start()
    eventually(lambda: told in daemon.why(held["id"]), what="the next daemon knows it")
    (daemon.home / "go").touch()

    ended, after = daemon.finished(load), daemon.finished(held["id"])
    assert ("success", "success") == (ended["state"], after["state"])
    assert after["upstream_runs"] == {"load": load}
    assert f"waited for {{'load': '{load}'}}" in "\n".join(
        line["text"] for line in daemon.lines(held["id"], stream=None)
    )
    (given_up, *_) = eventually(
        lambda: [run for run in daemon.runs(limit=500) if run["schedule"] == "short" and run["state"] == "cancelled"],
        what="one has waited too long",
    )
    assert given_up["message"].startswith("waited 1 s for the run of flow 'train' of the same fire time; the")


def test_places_are_given_by_pool_flow_and_priority(daemon: Daemon) -> None:
    """
    Never more than there are, whoever starts the runs; what is full keeps nobody else back, and the higher priority
    gets the next place. A reload opens a pool.
    """
    daemon.flow("flows.py", FLOWS)
    limits = """
        [pools]
        gpu = {places}
        [flow.train]
        pool = "gpu"
        priority = 5
        [flow.load]
        max_runs = 1
        """
    daemon.configure(more=limits.format(places=2))
    daemon.start()
    loads = [daemon.begin("load", until="go-load") for _ in range(2)]
    trains = [daemon.begin("train", until=f"go-{number}") for number in range(4)]
    report = daemon.begin("report")
    assert daemon.finished(report)["state"] == "success"
    eventually(lambda: state(daemon, trains[1]) == "running", what="two have a place of the pool")

    assert [state(daemon, run) for run in trains] == ["running", "running", "scheduled", "scheduled"]
    names = ", ".join(daemon.run(run)["name"] for run in trains[:2])
    assert f"held because both places of pool 'gpu' are taken by {names}" in daemon.why(trains[2])
    assert "flow 'load' may have 1 run at once (its max_runs), and so many go on" in daemon.why(loads[1])
    assert "2 of 2 taken" in daemon.cli("status")
    (daemon.home / "go-1").touch()
    eventually(lambda: state(daemon, trains[2]) == "running", what="the next gets the place")
    assert state(daemon, trains[3]) == "scheduled"

    daemon.configure(more=limits.format(places=3))
    assert daemon.client.post("/reload")["ok"]
    eventually(lambda: state(daemon, trains[3]) == "running", what="the pool has one place more")
    assert state(daemon, loads[1]) == "scheduled"
    for name in ("go-0", "go-2", "go-3", "go-load"):
        (daemon.home / name).touch()
    daemon.settled()
    assert {"success"} == {run["state"] for run in daemon.runs()}


def test_a_schedule_pauses_itself_and_goes_on_when_told(daemon: Daemon) -> None:
    """
    After so many failures in a row; the pause outlives the daemon, and says who and why.
    """
    daemon.flow("flows.py", FLOWS)
    schedule = '[schedules.b]\nflow = "broken"\nevery = "0.2s"\npause_after_failures = 2\n'
    daemon.configure(schedule)
    daemon.start()

    def paused() -> dict[str, str] | None:
        (one,) = daemon.client.get("/schedules")["schedules"]
        return one["paused"]

    pause = eventually(paused, what="it pauses itself")
    daemon.settled()
    failed = [run for run in daemon.runs() if run["state"] == "failed"]
    assert (pause["who"], len(failed)) == ("orchd", 2)
    assert pause["note"] == f"the last 2 runs in a row failed, {failed[-1]['name']} as Failed"
    daemon.kill()
    daemon.start()
    assert paused() == pause
    assert "it is paused by orchd since" in daemon.why("b")
    assert "it pauses itself after 2 failed runs in a row" in daemon.why("b")

    daemon.cli("unpause", "b")
    eventually(paused, what="two more have failed")
    daemon.settled()
    assert 4 == len([run for run in daemon.runs() if run["state"] == "failed"])
