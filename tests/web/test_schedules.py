"""
Flows and schedules over HTTP: lists, coming fire times, pause and unpause.
"""

import getpass

import pytest

from orchd.errors import NotFound
from scheduler.rig import Rig, every_minute, minute
from web.serving import Serving


def test_flows_are_listed_with_what_the_daemon_knows(api: Serving, rig: Rig) -> None:
    """
    A broken file says why; the last run is beside it.
    """
    api.daemon.errors = {"/flows/load.py": "line 3: no such name"}
    rig.use(every_minute("a"))
    run = rig.run("load")
    load, report = api.get("/flows")["flows"]

    assert ("load", False, "line 3: no such name", ["a"]) == (
        load["name"],
        load["loaded"],
        load["error"],
        load["schedules"],
    )
    assert run.row.name == load["last_run"]["name"]
    assert ("report", True, None, None) == (report["name"], report["loaded"], report["error"], report["last_run"])


def test_schedules_are_listed_with_their_next_fire_time_and_last_slot(api: Serving, rig: Rig) -> None:
    """
    One that is paused has no next.
    """
    rig.use(every_minute("a"), every_minute("b", rule="0 12 * * *", timezone="Europe/Vienna"))
    rig.tick(minute(1))
    api.post("/schedules/b/pause", {})
    rig.take_over()
    a, b = api.get("/schedules")["schedules"]

    assert (["2026-06-01T10:01:00Z"], "started") == (a["next"], a["last"]["outcome"])
    assert ("cron 0 12 * * *", "Europe/Vienna", [], None) == (b["rule"], b["timezone"], b["next"], b["last"])
    assert b["words"] == "at 12:00 every day"


def test_a_schedule_that_the_board_does_not_know_yet_has_no_next(
    api: Serving, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In the middle of a reload the list is given all the same.
    """
    rig.use(every_minute("a"))

    def unknown(*_: object, **__: object) -> None:
        raise NotFound("there is no schedule 'a'")

    monkeypatch.setattr(api.daemon, "upcoming", unknown)

    assert [("a", [])] == [(schedule["name"], schedule["next"]) for schedule in api.get("/schedules")["schedules"]]


def test_pause_and_unpause(api: Serving, rig: Rig) -> None:
    """
    Who did it, and the note, are shown.
    """
    rig.use(every_minute("a"))
    paused = api.post("/schedules/a/pause", {"note": "holidays"})["schedule"]
    going_on = api.post("/schedules/a/unpause", {})["schedule"]

    assert {"who": getpass.getuser(), "at": "2026-06-01T10:00:00Z", "note": "holidays"} == paused["paused"]
    assert going_on["paused"] is None
    assert ("unpause", "a", getpass.getuser()) == api.daemon.asked[-1]


def test_coming_fire_times(api: Serving, rig: Rig) -> None:
    """
    Of one schedule or of all, from now or from a time, with the local time and why it moves.
    """
    rig.use(every_minute("a"), every_minute("b", rule="30 2 * * *", timezone="Europe/Vienna"))
    both = api.get("/next", n=3)["next"]
    moved = api.get("/next", schedule="b", n=2, **{"from": "2027-03-27T12:00:00Z"})["next"]

    assert ["a", "a", "a"] == [row["schedule"] for row in both]
    assert ["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"] == [row["fire_time"] for row in moved]
    assert moved[0]["note"]
    assert moved[1]["note"] is None
    assert {"schedule", "flow", "fire_time", "local", "timezone", "note", "waits_for"} == set(moved[0])


def test_paused_schedules_are_not_among_the_coming_ones(api: Serving, rig: Rig) -> None:
    """
    Asked for by name, one is told all the same.
    """
    rig.use(every_minute("a"))
    api.post("/schedules/a/pause", {})
    rig.take_over()

    assert [] == api.get("/next")["next"]
    assert 10 == len(api.get("/next", schedule="a")["next"])


def test_the_next_fire_times_of_a_paused_schedule_say_so(api: Serving, rig: Rig) -> None:
    """
    When only its own are asked for; in those of all it does not come.
    """
    rig.use(every_minute("a"))
    assert api.get("/next", schedule="a", n=1)["paused"] is None

    api.post("/schedules/a/pause", {"note": "disk"})

    assert "disk" == api.get("/next", schedule="a", n=1)["paused"]["note"]
