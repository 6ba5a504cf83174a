"""
Task runs over HTTP: page by page, one by one, and with the run.
"""

from typing import Any

import pytest

from orchd.model.records import TaskRecord
from orchd.scheduler.board import LiveRun
from orchd.store import tasks
from scheduler.rig import Rig
from web.serving import Serving


def a_run(rig: Rig, *, children: int) -> LiveRun:
    """
    Make a run with the task ``a/b``, and ``m`` mapped over *children*, of which the first failed at its second try.
    """
    run = rig.run()
    moves = [("a/b", -1, "running"), ("a/b", -1, "success"), ("m", -1, "mapped")]
    moves += [("m", 0, state) for state in ("running", "retrying", "running", "failed")]
    moves += [("m", index, state) for index in range(1, children) for state in ("running", "success")]
    with rig.database.writing() as conn:
        records = [TaskRecord(at=1, slug=slug, map_index=index, state=state) for slug, index, state in moves]
        assert tasks.apply(conn, run.row.number, records) == 0
    return run


def keys(answer: Any) -> list[tuple[str, int]]:
    """
    Return what tells the task runs of an answer apart.
    """
    return [(task["slug"], task["map_index"]) for task in answer["tasks"]]


def test_task_runs_are_listed_page_by_page(api: Serving, rig: Rig) -> None:
    """
    By slug and map index; `next` asks for the page after, and is null on the last one, also when that is full.
    """
    run = a_run(rig, children=4)
    first = api.get(f"/runs/{run.id}/tasks", limit=3)
    second = api.get(f"/runs/{run.row.name}/tasks", limit=3, after=first["next"])

    assert [("a/b", -1), ("m", -1), ("m", 0)] == keys(first)
    assert [("m", 1), ("m", 2), ("m", 3)] == keys(second)
    assert second["next"] is None


def test_task_runs_are_chosen_by_slug_and_state(api: Serving, rig: Rig) -> None:
    """
    Either or both; pages go on within what is chosen.
    """
    run = a_run(rig, children=4)
    first = api.get(f"/runs/{run.id}/tasks", slug="m", state=["success", "mapped"], limit=2)

    assert [("m", -1), ("m", 1)] == keys(first)
    assert [("m", 2), ("m", 3)] == keys(
        api.get(f"/runs/{run.id}/tasks", slug="m", state=["success", "mapped"], limit=2, after=first["next"])
    )
    assert [("m", 0)] == keys(api.get(f"/runs/{run.id}/tasks", state="failed"))
    assert [] == keys(api.get(f"/runs/{run.id}/tasks", slug="nothing"))


def test_one_task_run_is_shown_with_its_moves(api: Serving, rig: Rig) -> None:
    """
    The task itself, or a child of it; a slug may have a slash.
    """
    run = a_run(rig, children=2)
    plain = api.get(f"/runs/{run.id}/tasks/a/b")
    child = api.get(f"/runs/{run.id}/tasks/m", map_index=0)

    assert ("a/b", ["running", "success"]) == (plain["task"]["slug"], [move["to"] for move in plain["moves"]])
    assert ["running", "retrying", "running", "failed"] == [move["to"] for move in child["moves"]]
    assert (0, "failed") == (child["task"]["map_index"], child["task"]["state"])


def test_a_run_is_shown_with_its_first_task_runs(api: Serving, rig: Rig) -> None:
    """
    And where the others begin, so that one who wants all of them loses none; moves of so many are not with it.
    """
    run = a_run(rig, children=1200)
    shown = api.get(f"/runs/{run.id}")
    found = keys(shown)
    after = shown["tasks_next"]
    while after is not None:
        page = api.get(f"/runs/{run.id}/tasks", after=after)
        found += keys(page)
        after = page["next"]

    assert 500 == len(shown["tasks"])
    assert [("a/b", -1), *(("m", index) for index in range(-1, 1200))] == sorted(found)
    assert not shown["has_all_events"]
    assert {None} == {event["task"] for event in shown["events"]}


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/runs/{id}/tasks/nothing", 404, "has no task run 'nothing'"),
        ("/runs/{id}/tasks/m?map_index=7", 404, "has no task run 'm[7]'"),
        ("/runs/{id}/tasks/", 404, "has no task run ''"),
        ("/runs/{id}/tasks?after=m", 400, "'m' is no `next` of a page of task runs"),
        ("/runs/{id}/tasks?state=sleeping", 400, "state: 'sleeping' is none of"),
        ("/runs/{id}/tasks?limit=501", 400, "limit: '501' is too large; write 500 or less"),
        ("/runs/{id}/tasks/m?map_index=-2", 400, "map_index: '-2' is too small; write -1 or more"),
        ("/runs/nothing/tasks", 404, "there is no run 'nothing'"),
        ("/runs/nothing/tasks/m", 404, "there is no run 'nothing'"),
    ],
)
def test_what_cannot_be_meant_is_said(api: Serving, rig: Rig, path: str, status: int, said: str) -> None:
    """
    In one sentence.
    """
    run = a_run(rig, children=1)
    answered, body = api.ask("GET", f"/api/v1{path.format(id=run.id)}")

    assert status == answered
    assert said in body["error"]["message"]
