"""
The main job: the shipped iris flows under the shipped schedules, on both stores.
"""

import shutil
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.waiting import eventually

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_iris_is_loaded_split_trained_and_told(daemon: Daemon, store: str, request: pytest.FixtureRequest) -> None:
    """
    data-engineer stores its split, data-science follows by itself and reports its accuracy, also over a kill -9.
    """
    if store == "postgres":
        daemon.store = request.getfixturevalue("postgres_url")
    shutil.copytree(PROJECT / "flows", daemon.flows, dirs_exist_ok=True, ignore=shutil.ignore_patterns("processed"))
    daemon.configure((PROJECT / "config" / "schedules.toml").read_text())
    daemon.start()
    first = daemon.begin("data-engineer")
    eventually(lambda: daemon.run(first)["state"] != "scheduled", what="it begins")
    daemon.kill()
    daemon.start()
    assert daemon.finished(first, within_s=60)["state"] == "success"
    science = eventually(lambda: daemon.runs(flow="data-science"), what="data-science follows")[0]
    told = daemon.finished(science["id"], within_s=60)
    assert told["state"] == "success", told["message"]
    assert told["upstream_runs"] == {"data-engineer": first}
    (accuracy,) = [line["text"] for line in daemon.lines(told["id"], stream=None) if "accuracy" in line["text"]]
    assert float(accuracy.rpartition(" ")[2]) > 80
    assert "Model accuracy on test set:" in daemon.cli("logs", "data-science")
    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    daemon.settled(within_s=60)
