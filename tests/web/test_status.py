"""
The daemon itself over HTTP: health, status, reload, stop.
"""

import pytest

from orchd import clock
from orchd.model.states import FlowRunState
from scheduler.rig import Rig, every_minute, minute
from web.serving import Serving

S = FlowRunState


def test_health_says_up_or_not_and_no_more(api: Serving) -> None:
    """
    With the status that a watcher looks at.
    """
    assert (200, {"up": True}) == api.ask("GET", "/health")

    api.daemon.is_up = False

    assert (503, {"up": False}) == api.ask("GET", "/health")


def test_the_status_is_the_whole_state_on_one_screen(api: Serving, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What runs, what is held and why, what comes, what failed of late, and how many of each.
    """
    monkeypatch.setattr(clock, "now", lambda: minute(60))
    rig.limit(max_runs=1)
    rig.use(every_minute("a"))
    failed, old = rig.run(at=minute(50)), rig.run(at=minute(-3000))
    rig.move(failed.id, S.FAILED, at=minute(55))
    rig.move(old.id, S.FAILED, at=minute(-2000))
    running, held = rig.run(), rig.run(state=S.SCHEDULED)
    status = api.get("/status")

    assert [running.row.name] == [run["name"] for run in status["running"]]
    assert [(held.row.name, "held because all 1 places of max_runs are taken")] == [
        (run["name"], run["held"]) for run in status["held"]
    ]
    assert [failed.row.name] == [run["name"] for run in status["failed"]]
    assert {"running": 1, "scheduled": 1, "failed": 1} == status["counts"]
    assert (["a"], 0) == ([row["schedule"] for row in status["next"]], status["next_more"])
    assert {"daemon", "broken", "config_error", "clock_jumps", "clock_waits"} < set(status)


def test_a_reload_gives_what_changed(api: Serving) -> None:
    """
    Or why nothing did: both are good answers.
    """
    assert api.daemon.reloaded == api.post("/reload", None)

    api.daemon.reloaded = {"ok": False, "error": "orchd.toml, line 3", "changes": [], "broken": []}

    assert api.daemon.reloaded == api.post("/reload", {})


@pytest.mark.parametrize("cancel", [True, False])
def test_the_daemon_is_stopped(api: Serving, cancel: bool) -> None:
    """
    With or without its runs.
    """
    assert {"stopping": True} == api.post("/stop", {"cancel": cancel})
    assert ("stop", cancel) == api.daemon.asked[-1]


def test_the_api_describes_itself(api: Serving) -> None:
    """
    Every operation has a name of its own, a sentence, and words for its parameters, answers and errors.
    """
    document = api.get("/openapi.json")
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert {"list_runs", "start_run", "show_run", "read_log", "cancel_run", "why", "list_next"} < {
        operation["operationId"] for operation in operations
    }
    for operation in operations:
        assert operation["description"].endswith((".", ")"))
        assert all(parameter["description"] for parameter in operation.get("parameters", ()))
        assert all(answer["description"] != "Successful Response" for answer in operation["responses"].values())
        assert operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].endswith("ErrorBody")
