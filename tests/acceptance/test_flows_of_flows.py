"""
Flows that start flows, by real runs under a real daemon.
"""

import os
import signal

import pytest

from support.daemon import Daemon, Json
from support.evidence import PRELUDE, evidence
from support.waiting import eventually

#: Twenty flows, each of which starts the next and waits for it; the last one does the work.
CHAIN = (
    PRELUDE
    + """
@task
def work():
    note("work")

for number in range(20):
    with Flow(f"link-{number}") as flow:
        StartFlowRun(f"link-{number + 1}", "chain", wait=True)()
    globals()[f"link_{number}"] = flow

with Flow("link-20") as last:
    work()
""".replace("@task", "from orchd import StartFlowRun\n@task", 1)
)

FAMILY = (
    PRELUDE
    + """
from orchd import StartFlowRun, create_flow_run, get_task_run_result, wait_for_flow_run

@task
def work(ends, number):
    note(f"work {number}")
    if ends == "waits":
        until("go")
    if ends == "failed" and not os.path.exists(os.path.join(os.path.dirname(HERE), "go")):
        raise ValueError("as told")
    return number * 10

@task
def more(numbers):
    note(f"more {numbers}")

with Flow("child") as child:
    work(Parameter("ends", default="success"), Parameter("number", default=1))

with Flow("parent") as parent:
    StartFlowRun("child", "", wait=True)(parameters={"ends": Parameter("ends", default="success")})

with Flow("grandparent") as grandparent:
    StartFlowRun("parent", wait=True)(parameters={"ends": Parameter("ends", default="success")})

with Flow("many") as many:
    ids = create_flow_run.map(
        flow_name=orchd.unmapped("child"), parameters=[{"number": number} for number in range(50)]
    )
    ended = wait_for_flow_run.map(ids, raise_final_state=orchd.unmapped(True))
    more(get_task_run_result.map(ids, orchd.unmapped("work-1"), upstream_tasks=[ended]))

with Flow("retrying") as retrying:
    StartFlowRun(
        "child", wait=True, max_retries=1, retry_delay=timedelta(0)
    )(parameters={"ends": Parameter("ends", default="failed")})

for kind in ("threads", "processes"):
    with Flow(f"beside-{kind}", executor=orchd.LocalDaskExecutor(scheduler=kind, num_workers=4)) as flow:
        StartFlowRun(flow_name="child", wait=True).map(parameters=[{"number": number} for number in range(4)])
    globals()[f"beside_{kind}"] = flow

with Flow("circle") as circle:
    StartFlowRun("circle", wait=True)()
"""
)


def family(daemon: Daemon, **settings: object) -> None:
    """
    Start a daemon that knows the family, with *settings* of its config.
    """
    daemon.flow("family.py", FAMILY)
    daemon.configure(daemon="\n".join(f"{key} = {value}" for key, value in settings.items()))
    daemon.start()


def child_of(daemon: Daemon, run: str) -> Json:
    """
    Wait until *run* has started a run, and return that.
    """
    return eventually(lambda: daemon.run(run)["children"], what="a child is there")[0]


def words(daemon: Daemon) -> list[str]:
    """
    Return what tasks have noted.
    """
    return [note.word for note in evidence(daemon.home) if note.word != "entered"]


def test_a_chain_of_twenty_parents_ends_with_one_place(daemon: Daemon) -> None:
    """
    A run that waits holds none: with ``max_runs = 1`` each lets the next one in, and all end well.
    """
    daemon.flow("chain.py", CHAIN)
    daemon.configure(daemon="max_runs = 1")
    daemon.start()
    first = daemon.begin("link-0")

    assert daemon.finished(first, within_s=60)["state"] == "success", daemon.run(first)["message"]
    assert words(daemon) == ["work"]
    assert len(daemon.runs(limit=50)) == 21
    moves = [event["to"] for event in daemon.run(first)["events"] if event["task"] is None]
    assert moves == ["scheduled", "pending", "running", "waiting", "running", "success"]


def test_parent_and_child_are_shown_with_each_other(daemon: Daemon) -> None:
    """
    By the API, and by ``orchd show``.
    """
    family(daemon)
    parent = daemon.finished(daemon.begin("parent"))
    child = daemon.run(parent["children"][0]["id"])

    assert (parent["state"], child["state"], child["trigger"]) == ("success", "success", "parent")
    assert child["parent"]["id"] == child["parent_run_id"] == parent["id"]
    assert child["created_by"] == f"task Flow child-1 of run {parent['name']}"
    assert child["name"] in daemon.cli("show", parent["id"])
    assert parent["name"] in daemon.cli("show", child["id"])


def test_a_failed_child_fails_the_task_that_waits(daemon: Daemon) -> None:
    """
    With the child's id in its message; its name follows.
    """
    family(daemon)
    parent = daemon.finished(daemon.begin("parent", ends="failed"))
    child = parent["children"][0]
    [task] = [task for task in parent["tasks"] if task["name"] == "Flow child"]

    assert (parent["state"], child["state"], task["state"]) == ("failed", "failed", "failed")
    assert task["message"].startswith(f"{child['id']} finished in state <Failed: ")
    assert child["name"] in task["message"]
    assert child["id"] in parent["message"]


def test_a_cancelled_child_fails_the_task_that_waits(daemon: Daemon) -> None:
    """
    As a failed one does.
    """
    family(daemon)
    parent = daemon.begin("parent", ends="waits")
    child = child_of(daemon, parent)
    eventually(lambda: "work 1" in words(daemon))
    daemon.cli("cancel", child["name"])
    told = daemon.finished(parent)

    assert told["state"] == "failed"
    assert f"{child['id']} finished in state <Cancelled: " in told["message"]


def test_cancelling_goes_down_all_levels(daemon: Daemon) -> None:
    """
    Whoever waits is cancelled with what it waits for, and nothing is left of any.
    """
    family(daemon)
    top = daemon.begin("grandparent", ends="waits")
    eventually(lambda: "work 1" in words(daemon), what="the grandchild works")
    daemon.cli("cancel", top)
    states = [daemon.finished(run["id"])["state"] for run in daemon.runs()]

    assert states == ["cancelled"] * 3
    eventually(lambda: not daemon.below(), what="no process is left")


def test_a_wait_outlives_the_daemon(daemon: Daemon) -> None:
    """
    kill -9 while a parent waits: it asks the next daemon, is still waiting there, and starts nothing twice.
    """
    family(daemon, max_runs=1)
    parent = daemon.begin("parent", ends="waits")
    eventually(lambda: "work 1" in words(daemon), what="the child works")
    daemon.kill()
    daemon.start()

    assert daemon.run(parent)["state"] == "waiting"
    (daemon.home / "go").touch()
    told = daemon.finished(parent)
    assert (told["state"], len(told["children"])) == ("success", 1)
    assert words(daemon) == ["work 1"]


def test_a_child_that_ends_without_a_daemon_lets_its_parent_go_on_with_the_next(daemon: Daemon) -> None:
    """
    Nobody hears of its end before.
    """
    family(daemon)
    parent = daemon.begin("parent", ends="waits")
    eventually(lambda: daemon.run(parent)["state"] == "waiting", what="the parent waits")
    eventually(lambda: "work 1" in words(daemon), what="the child works")
    daemon.kill()
    (daemon.home / "go").touch()
    eventually(lambda: len(daemon.processes(name="orchd-run")) == 1, what="the child has ended")
    daemon.start()

    assert daemon.finished(parent)["state"] == "success"


def test_fifty_mapped_children_run_in_eight_places(daemon: Daemon) -> None:
    """
    Created, waited for and read by mapped tasks: each runs once, and each result is found.
    """
    family(daemon, max_runs=8)
    many = daemon.finished(daemon.begin("many"), within_s=90)

    assert many["state"] == "success", many["message"]
    assert len(many["children"]) == 50
    assert sorted(words(daemon)[:-1]) == sorted(f"work {number}" for number in range(50))
    assert words(daemon)[-1] == f"more {[number * 10 for number in range(50)]}"


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_tasks_that_wait_beside_each_other_hold_no_place_together(daemon: Daemon, kind: str) -> None:
    """
    In threads and in processes of their own: the run waits when all of them do, and each child gets the one place.
    """
    family(daemon, max_runs=1)
    told = daemon.finished(daemon.begin(f"beside-{kind}"), within_s=60)

    assert told["state"] == "success", told["message"]
    assert sorted(words(daemon)) == [f"work {number}" for number in range(4)]
    assert len({child["id"] for child in told["children"]}) == 4


def test_a_retry_starts_another_child_for_one_that_failed(daemon: Daemon) -> None:
    """
    The same one again could only fail again.
    """
    family(daemon)
    told = daemon.finished(daemon.begin("retrying"))

    assert (told["state"], [child["state"] for child in told["children"]]) == ("failed", ["failed", "failed"])


def test_a_child_goes_on_when_its_parent_crashes(daemon: Daemon) -> None:
    """
    It is a run of its own; only a wish to cancel goes down.
    """
    family(daemon)
    parent = daemon.begin("parent", ends="waits")
    eventually(lambda: daemon.run(parent)["state"] == "waiting", what="the parent waits")
    child = child_of(daemon, parent)
    eventually(lambda: "work 1" in words(daemon), what="the child works")
    pids = {note.pid for note in evidence(daemon.home) if note.run == child["id"]}
    [victim] = [pid for pid in daemon.processes(name="orchd-run") if pid not in pids]
    os.kill(victim, signal.SIGKILL)

    assert daemon.finished(parent)["state"] == "crashed"
    (daemon.home / "go").touch()
    assert daemon.finished(child["id"])["state"] == "success"


def resume(daemon: Daemon, run: str) -> str:
    """
    Resume *run*, and return the id of the new attempt.
    """
    daemon.cli("resume", run)
    [after] = [each for each in daemon.runs() if each["resumed_from"] == run]
    return str(after["id"])


def test_a_resumed_parent_starts_another_child_for_one_that_failed(daemon: Daemon) -> None:
    """
    What failed is what is to be done again.
    """
    family(daemon)
    first = daemon.finished(daemon.begin("parent", ends="failed"))
    (daemon.home / "go").touch()
    second = daemon.finished(resume(daemon, first["id"]))

    assert (first["state"], second["state"]) == ("failed", "success")
    assert [child["state"] for child in second["children"]] == ["success"]


def test_a_resumed_parent_goes_on_waiting_for_a_child_that_goes_on(daemon: Daemon) -> None:
    """
    The call of the attempt before is not repeated.
    """
    family(daemon)
    parent = daemon.begin("parent", ends="waits")
    eventually(lambda: "work 1" in words(daemon), what="the child works")
    eventually(lambda: daemon.run(parent)["state"] == "waiting", what="the parent waits")
    working = {note.pid for note in evidence(daemon.home) if note.word == "work 1"}
    [victim] = [pid for pid in daemon.processes(name="orchd-run") if pid not in working]
    os.kill(victim, signal.SIGKILL)
    assert daemon.finished(parent)["state"] == "crashed"
    after = resume(daemon, parent)
    eventually(lambda: daemon.run(after)["state"] == "waiting", what="the next attempt waits")
    (daemon.home / "go").touch()
    second = daemon.finished(after)

    assert (second["state"], [child["trigger"] for child in second["children"]]) == ("success", ["parent"])
    assert words(daemon) == ["work 1"]


def test_a_parent_that_waits_too_long_is_ended_and_its_child_goes_on(daemon: Daemon) -> None:
    """
    Its time limit goes on while it waits; the child has a limit of its own, or none.
    """
    daemon.flow("family.py", FAMILY)
    daemon.configure(more='[flow.parent]\ntimeout = "1s"')
    daemon.start()
    parent = daemon.finished(daemon.begin("parent", ends="waits"))
    (daemon.home / "go").touch()

    assert (parent["state"], [event["from"] for event in parent["events"]][-1]) == ("timed_out", "running")
    assert daemon.finished(parent["children"][0]["id"])["state"] == "success"


def test_flows_that_start_each_other_in_a_circle_come_to_an_end(daemon: Daemon) -> None:
    """
    At a depth that says in a sentence what is wrong.
    """
    family(daemon, max_runs=1)
    told = daemon.finished(daemon.begin("circle"), within_s=100)
    last = daemon.runs(limit=100)[-1]

    assert told["state"] == "failed"
    assert len(daemon.runs(limit=100)) == 51
    assert "50 runs have started one another already" in last["message"]
