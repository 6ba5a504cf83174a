"""
Runs over HTTP: list, start, look at, cancel, and wait for what is new.
"""

import getpass
import itertools
import threading
from typing import Any

import pytest

from orchd.model.records import TaskRecord
from orchd.model.states import FlowRunState
from scheduler.rig import Rig, every_minute, minute, write_journal
from web.serving import Serving

S = FlowRunState


def names(answer: Any) -> list[str]:
    """
    Return the names of the runs in a list.
    """
    return [run["name"] for run in answer["runs"]]


def test_runs_are_listed_newest_first_and_page_by_page(api: Serving, rig: Rig) -> None:
    """
    By number: `before` gives the next page, `after` what is new.
    """
    made = [rig.run() for _ in range(5)]
    expected = [run.row.name for run in reversed(made)]

    first = api.get("/runs", limit=2)["runs"]
    assert expected[:2] == [run["name"] for run in first]
    assert expected[2:4] == names(api.get("/runs", limit=2, before=first[-1]["number"]))
    assert expected[:3] == names(api.get("/runs", after=made[1].row.number))


def test_runs_are_chosen_by_flow_state_and_time(api: Serving, rig: Rig) -> None:
    """
    Several states may be wanted at once.
    """
    load = rig.run("load", state=S.RUNNING)
    report = rig.run("report", at=minute(5))

    assert [load.row.name] == names(api.get("/runs", flow="load"))
    assert [report.row.name] == names(api.get("/runs", since="2026-06-01T10:05:00Z"))
    assert [report.row.name, load.row.name] == names(api.get("/runs", state=["running", "failed"]))
    assert [] == names(api.get("/runs", state="failed"))


def test_a_run_is_started(api: Serving) -> None:
    """
    By the user at the other end of the socket.
    """
    run = api.post("/runs", {"flow": "load"})["run"]
    detail = api.get(f"/runs/{run['id']}")

    assert ("load", "scheduled", "manual") == (run["flow"], run["state"], run["trigger"])
    assert getpass.getuser() == detail["created_by"]
    assert 201 == api.ask("POST", "/api/v1/runs", {"flow": "load"})[0]


def test_a_run_wanted_later_is_held_and_says_why(api: Serving) -> None:
    """
    The time may be of any zone.
    """
    run = api.post("/runs", {"flow": "load", "at": "2026-06-01T14:30:00+02:00"})["run"]

    assert "held because it is wanted at 2026-06-01T12:30:00Z, which is still to come" == run["held"]
    assert run["held"] == api.get("/runs")["runs"][0]["held"]
    assert run["held"] == api.get(f"/runs/{run['id']}")["held"]
    assert run["held"] == api.get(f"/runs/{run['id']}/logs")["run"]["held"]


def test_a_key_starts_a_run_only_once(api: Serving) -> None:
    """
    Asked for again, the same run is given.
    """
    wish = {"flow": "load", "idempotency_key": "2026-06-01"}

    assert api.post("/runs", wish) == api.post("/runs", wish)
    assert 1 == len(api.get("/runs")["runs"])


def test_one_run_is_shown_with_its_tasks_and_events(api: Serving, rig: Rig) -> None:
    """
    By its id, the beginning of its id, or its name.
    """
    run = rig.run()
    write_journal(run.folder, TaskRecord(at=1, slug="t", state="running"))
    rig.ingest.step(run, None)
    shown = [api.get(f"/runs/{ref}") for ref in (run.id, run.id[:13], run.row.name)]

    assert shown[0] == shown[1] == shown[2]
    assert [("t", "Running")] == [(task["slug"], task["shown"]) for task in shown[0]["tasks"]]
    assert {"at", "from", "to", "message", "task", "map_index"} == set(shown[0]["events"][0])


def test_a_run_is_cancelled(api: Serving, rig: Rig) -> None:
    """
    With the reason and the caller.
    """
    run = api.post("/runs", {"flow": "load"})["run"]
    cancelled = api.post(f"/runs/{run['name']}/cancel", {"reason": "no more"})["run"]

    assert ("cancelled", "no more") == (cancelled["state"], cancelled["message"])
    assert ("cancel", "no more", getpass.getuser()) == api.daemon.asked[-1]
    assert 409 == api.ask("POST", f"/api/v1/runs/{run['id']}/cancel", {})[0]


def test_a_long_poll_of_the_runs_returns_with_the_next_run(api: Serving, rig: Rig) -> None:
    """
    Only runs after the given number are new.
    """
    old = rig.run()
    answers: list[Any] = []
    poll = threading.Thread(target=lambda: answers.append(api.get("/runs", after=old.row.number, wait_s=20)))
    poll.start()
    assert api.daemon.waited.acquire(timeout=10)
    new = rig.run()
    api.daemon.changes.notify()
    poll.join(10)

    assert [new.row.name] == names(answers[0])


def test_a_long_poll_ends_when_nothing_comes(api: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With an empty list.
    """
    # The clock stands until it has waited, however long the first look takes.
    times = itertools.chain([0.0, 0.0], itertools.repeat(1.0))
    monkeypatch.setattr(api.daemon, "monotonic", lambda: next(times))

    assert {"runs": [], "next": None} == api.get("/runs", wait_s=0.05)
    assert api.daemon.waited.acquire(blocking=False)


def test_reasons_are_asked_for_only_where_there_is_one(api: Serving, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    In a herd there are thousands of them.
    """
    rig.run()
    monkeypatch.setattr(api.daemon, "holds", lambda: pytest.fail("nobody is held"))

    assert 1 == len(api.get("/runs")["runs"])


def test_a_run_that_is_held_no_more_has_no_reason(api: Serving, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It may have got its place between the two looks.
    """
    api.post("/runs", {"flow": "load"})
    monkeypatch.setattr(api.daemon, "holds", dict)

    assert api.get("/runs")["runs"][0]["held"] is None


def test_runs_of_a_schedule_know_it(api: Serving, rig: Rig) -> None:
    """
    With their fire time.
    """
    rig.use(every_minute("a"))
    rig.tick(minute(1))
    (run,) = api.get("/runs")["runs"]

    assert ("a", "2026-06-01T10:01:00Z", "schedule") == (run["schedule"], run["fire_time"], run["trigger"])


def test_the_state_of_a_run_is_waited_for(api: Serving, rig: Rig) -> None:
    """
    Until it is another than the one that is known, or final; without one it is given at once.
    """
    run = rig.run(state=S.RUNNING)
    assert "running" == api.get(f"/runs/{run.id}/state")["run"]["state"]
    assert "running" == api.get(f"/runs/{run.id}/state", unless="pending", wait_s=30)["run"]["state"]

    found: list[Any] = []
    waiting = threading.Thread(
        target=lambda: found.append(api.get(f"/runs/{run.id}/state", unless="running", wait_s=30)["run"]["state"])
    )
    waiting.start()
    rig.move(run.id, S.WAITING)
    api.daemon.changes.notify()
    waiting.join(20)
    rig.move(run.id, S.RUNNING, S.SUCCESS)

    assert ["waiting"] == found
    assert "success" == api.get(f"/runs/{run.id}/state", unless="success", wait_s=30)["run"]["state"]


def test_a_task_asks_for_a_run_by_its_call(api: Serving, rig: Rig) -> None:
    """
    Asked again the same run is given; it has the name that was wanted.
    """
    parent = rig.run()
    body = {"flow": "load", "name": "mine", "call": {"run": parent.id, "call": "t.1-0", "attempt": 1}}
    run = api.post("/runs", body)["run"]

    assert run["id"] == api.post("/runs", body)["run"]["id"]
    assert ("mine", parent.id, "parent") == (run["name"], run["parent_run_id"], run["trigger"])
    assert [run["id"]] == [child["id"] for child in api.get(f"/runs/{parent.id}")["children"]]


def test_a_run_is_renamed(api: Serving, rig: Rig) -> None:
    """
    To anything that may be a name.
    """
    run = rig.run()

    assert "better" == api.post(f"/runs/{run.id}/rename", {"name": "better"})["run"]["name"]
    assert run.id == api.get("/runs/better")["id"]
    status, answer = api.ask("POST", f"/api/v1/runs/{run.id}/rename", {"name": "a/b"})
    assert (400, "usage_error") == (status, answer["error"]["code"])
