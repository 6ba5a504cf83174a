"""
Tasks beside each other under a real daemon: whose line is whose is known to ``orchd logs``, whoever is killed.
"""

import pytest

from support.daemon import Daemon
from support.evidence import PRELUDE
from support.waiting import eventually

FLOW = (
    PRELUDE
    + """
from orchd import LocalDaskExecutor

@task
def talk(name):
    for number in range(300):
        print(name, number)
        if number == 100:
            note("half")
            until("go")

with Flow("both", executor=LocalDaskExecutor({scheduler!r}, num_workers=2)) as flow:
    talk.map(["a", "b"])
"""
)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_restart_of_the_daemon_mixes_no_lines_up(daemon: Daemon, scheduler: str) -> None:
    """
    The daemon is killed while two tasks print beside each other; the next one knows each line's task all the same.
    """
    daemon.flow("both.py", FLOW.replace("{scheduler!r}", repr(scheduler)))
    daemon.start()
    begun = daemon.begin("both")
    evidence = daemon.home / "evidence"
    eventually(lambda: evidence.exists() and evidence.read_text().count(" half\n") == 2)
    daemon.kill()
    (daemon.home / "go").touch()
    daemon.start()
    run = daemon.finished(begun)

    assert run["state"] == "success"
    lines = daemon.rows(
        "SELECT slug, map_index, text FROM log WHERE run_number = :number AND stream = 1 ORDER BY seq",
        number=daemon.rows("SELECT number FROM flow_run WHERE id = :id", id=begun)[0]["number"],
    )
    for index, name in enumerate("ab"):
        found = [line["text"] for line in lines if (line["slug"], line["map_index"]) == ("talk-1", index)]
        assert found == [f"{name} {number}" for number in range(300)]
