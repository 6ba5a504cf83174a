"""
Every list is given page by page, and no row is lost between two pages.
"""

from typing import Any

import pytest

from orchd.store import flows, projects, queries
from scheduler.rig import Rig, every_minute, minute
from store.making import flow_spec
from web.serving import Serving

NAMES = list("abcde")


def pages(api: Serving, path: str, *, by: str = "after", **query: object) -> list[list[Any]]:
    """
    Return the rows of each page of a list of two rows a page.
    """
    noun = path.strip("/")
    found: list[list[Any]] = []
    begin: object = None
    while True:
        answer = api.get(path, limit=2, **query | {by: begin})
        found.append(answer[noun])
        begin = answer["next"]
        if begin is None:
            return found


@pytest.fixture
def filled(api: Serving, rig: Rig) -> Serving:
    """
    Five of each thing that there is a list of, called a to e.
    """
    rig.use(*(every_minute(name) for name in NAMES))
    rig.tick(minute(1))
    with rig.database.writing() as conn:
        flows.record_flows(conn, [flow_spec(name) for name in NAMES], at_us=1)
        for name in NAMES:
            projects.create(conn, name, at_us=1)
    for name in NAMES:
        api.post("/tokens", {"name": name})
    return api


@pytest.mark.parametrize("path", ["/schedules", "/projects", "/tokens"])
def test_lists_go_on_after_a_name(filled: Serving, path: str) -> None:
    """
    Whole pages and a last one, whose `next` is null.
    """
    assert [["a", "b"], ["c", "d"], ["e"]] == [[row["name"] for row in rows] for rows in pages(filled, path)]


def test_flows_go_on_after_a_name(filled: Serving) -> None:
    """
    A last page that is full has no `next` either.
    """
    rows = [row["name"] for page in pages(filled, "/flows") for row in page]

    assert sorted(rows) == rows
    assert {*NAMES, "load", "report"} == set(rows)


def test_runs_go_on_before_a_number(filled: Serving) -> None:
    """
    Newest first.
    """
    numbers = [[row["number"] for row in rows] for rows in pages(filled, "/runs", by="before")]

    assert [[5, 4], [3, 2], [1]] == numbers


def test_slots_go_on_after_a_key(filled: Serving) -> None:
    """
    The latest fire time first, then by schedule.
    """
    assert [["a", "b"], ["c", "d"], ["e"]] == [[row["schedule"] for row in rows] for rows in pages(filled, "/slots")]


def test_only_the_rows_of_a_page_are_looked_into(filled: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Their last slots, one more than are given.
    """
    asked: list[int] = []
    last_slots = queries.last_slots

    def counted(conn: Any, ids: list[int]) -> Any:
        asked.append(len(ids))
        return last_slots(conn, ids)

    monkeypatch.setattr("orchd.store.queries_schedules.last_slots", counted)
    filled.get("/schedules", limit=1)

    assert [2] == asked


@pytest.mark.parametrize("path", ["/flows", "/schedules", "/projects", "/tokens", "/runs", "/slots", "/runs/x/tasks"])
def test_no_page_has_more_than_500_rows(shared_api: Serving, path: str) -> None:
    """
    Whatever is asked for.
    """
    status, body = shared_api.ask("GET", f"/api/v1{path}?limit=501")

    assert (400, "limit: '501' is too large; write 500 or less") == (status, body["error"]["message"])


def test_one_schedule_is_shown(filled: Serving) -> None:
    """
    As in the list; one that is not in the config is not found.
    """
    listed = filled.get("/schedules", limit=1)["schedules"][0]
    status, body = filled.ask("GET", "/api/v1/schedules/nothing")

    assert {"schedule": listed} == filled.get("/schedules/a")
    assert (404, "there is no schedule 'nothing': `orchd schedules` lists those that there are") == (
        status,
        body["error"]["message"],
    )


def test_a_project_that_is_made_is_given(filled: Serving) -> None:
    """
    It alone, however many there are.
    """
    made = filled.post("/projects", {"name": "f"})

    assert ("f", True) == (made["project"]["name"], made["is_new"])
