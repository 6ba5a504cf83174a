"""
Classic flows under the daemon: every child, branch and state of theirs reaches the store.
"""

from collections import Counter
from pathlib import Path

import pytest

from orchd.compat.fixing import fix
from support.daemon import Daemon
from support.waiting import eventually

#: Flow files of 2021, whose outcome without a daemon tests/compat knows.
OLD_FILES = Path(__file__).parents[1] / "compat" / "flows"

FLOW = """
import orchd
from orchd import Flow, Parameter, case, merge, signals, task
from datetime import timedelta


@task
def numbers(n):
    return list(range(n))


@task(max_retries=1, retry_delay=timedelta(milliseconds=10))
def work(x):
    orchd.context.logger.info("works on %s", x)
    if x == 0:
        raise signals.SKIP("nothing to do")
    if x == 1 and orchd.context.task_run_count == 1:
        raise ValueError("once")
    return x * 10


@task(skip_on_upstream_skip=False, log_stdout=True)
def total(xs):
    print("total", sum(x for x in xs if isinstance(x, int)))
    return len(xs)


with Flow("classic") as flow:
    count = total(work.map(numbers(Parameter("n", default=5))))
    with case(count > 3, True):
        many = task(lambda: "many", name="many")()
    with case(count > 3, False):
        few = task(lambda: "few", name="few")()
    merge(many, few)
"""


def test_maps_and_branches_reach_the_store(daemon: Daemon) -> None:
    """
    Children have rows, tries and lines of their own; the branch that is not taken is skipped.
    """
    daemon.flow("classic.py", FLOW)
    daemon.configure()
    daemon.start()
    told = daemon.finished(daemon.begin("classic"), within_s=60)
    tasks = {(each["slug"], each["map_index"]): each for each in told["tasks"]}

    assert told["state"] == "success", told["message"]
    assert [tasks["work-1", index]["state"] for index in range(-1, 5)] == [
        "mapped",
        "skipped",
        "success",
        "success",
        "success",
        "success",
    ]
    assert (tasks["work-1", 1]["attempt"], tasks["work-1", 2]["attempt"]) == (2, 1)
    assert tasks["few-1", -1]["state"] == "skipped"
    assert tasks["Merge-1", -1]["state"] == "success"
    lines = daemon.lines(told["id"], stream=None)
    assert Counter(line["map_index"] for line in lines if line["text"].startswith("works on")) == {
        0: 1,
        1: 2,
        2: 1,
        3: 1,
        4: 1,
    }
    assert any(line["text"] == "total 100" for line in lines)


def test_ten_thousand_children_reach_the_store(daemon: Daemon) -> None:
    """
    A wide map is one run like any other.
    """
    daemon.flow("classic.py", FLOW)
    daemon.configure()
    daemon.start()
    told = daemon.finished(daemon.begin("classic", n=10_000), within_s=100)

    assert told["state"] == "success", told["message"]
    assert len([each for each in daemon.tasks(told["id"]) if each["slug"] == "work-1"]) == 10_001


OLD = """
import prefect
from prefect import Flow, task


@task
def speaks():
    prefect.context.logger.info("an old flow")


with Flow("old") as flow:
    speaks()
"""


def test_an_old_file_runs_as_it_is(daemon: Daemon) -> None:
    """
    With prefect_imports in the config, the old imports mean orchd's names.
    """
    daemon.flow("old.py", OLD)
    daemon.configure(flows="prefect_imports = true")
    daemon.start()
    told = daemon.finished(daemon.begin("old"), within_s=60)

    assert told["state"] == "success", told["message"]
    assert any(line["text"] == "an old flow" for line in daemon.lines(told["id"], stream=None))


@pytest.mark.parametrize("is_rewritten", [False, True], ids=["as they are", "rewritten"])
def test_old_files_run_on_demand(daemon: Daemon, is_rewritten: bool) -> None:
    """
    Unchanged with prefect_imports, and with our imports without it.
    """
    for name in ("branches", "handlers", "imperative", "module_aliases", "scheduled", "subclass"):
        source = (OLD_FILES / f"{name}.py").read_bytes()
        daemon.flow(f"{name}.py", (fix(source).source if is_rewritten else source).decode())
    daemon.configure(flows="" if is_rewritten else "prefect_imports = true")
    daemon.start()

    names = ("branches", "handlers", "imperative", "aliases", "scheduled report", "team flow")
    runs = {name: daemon.begin(name) for name in names}
    told = {name: daemon.finished(run, within_s=60) for name, run in runs.items()}
    assert {(run["state"], run["message"]) for run in told.values()} == {("success", "All reference tasks succeeded.")}


def test_without_the_key_old_imports_are_told(daemon: Daemon) -> None:
    """
    The status names the key and the command.
    """
    daemon.flow("old.py", OLD)
    daemon.start()

    [broken] = eventually(lambda: daemon.status()["broken"], within_s=30)
    assert broken["error"].startswith("line 2: import failed: No module named 'prefect'; set `prefect_imports = true`")
    assert "orchd check --fix" in broken["error"]
