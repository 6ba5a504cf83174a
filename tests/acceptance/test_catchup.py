"""
What becomes of fire times that nobody was there for: after a downtime, and after a pause.
"""

import json

from orchd import clock
from support.checker import check
from support.daemon import Daemon, Json
from support.evidence import TICKER
from support.waiting import eventually

EVERY_US = 500_000


def schedule(name: str, more: str) -> str:
    """
    Return a schedule of the ticker.
    """
    return f"[schedules.{name}]\nflow = 'ticker'\nevery = '0.5s'\n{more}\n"


def pass_by(instants: int) -> None:
    """
    Return when so many more fire times have come.
    """
    until_us = clock.now_us() + (instants + 1) * EVERY_US
    eventually(lambda: clock.now_us() > until_us, what="time passes")


def during(daemon: Daemon, name: str, since_us: int, until_us: int) -> list[Json]:
    """
    Return the slots of a schedule whose fire time lies between two instants.
    """
    return [slot for slot in daemon.slots(name) if since_us < slot["fire_time_us"] <= until_us]


def decided(daemon: Daemon, names: list[str], until_us: int) -> bool:
    """
    Tell whether each schedule is decided up to an instant.
    """
    rows = {row["name"]: row["decided_until_us"] for row in daemon.rows("SELECT name, decided_until_us FROM schedule")}
    return all(rows[name] >= until_us for name in names)


def test_a_downtime_is_caught_up_as_each_schedule_says(daemon: Daemon) -> None:
    """
    After kill -9 and a while: all starts each owed fire time; latest and none only the newest; a short grace makes
    them missed; max_catchup keeps the newest, and one row says so for the others.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.configure(
        schedule("all", "catchup = 'all'\noverlap = 'allow'")
        + schedule("latest", "")
        + schedule("none", "catchup = 'none'")
        + schedule("short", "catchup = 'all'\noverlap = 'allow'\ngrace = '0.7s'")
        + schedule("few", "catchup = 'all'\noverlap = 'queue'\nmax_catchup = 2")
    )
    daemon.start()
    eventually(lambda: len(daemon.slots("few")) > 1, what="it ticks")
    daemon.kill()
    down_us = max(slot["fire_time_us"] for slot in daemon.rows("SELECT fire_time_us FROM slot"))
    pass_by(5)
    up_us = clock.now_us()
    daemon.start()
    names = ["all", "latest", "none", "short", "few"]
    eventually(lambda: decided(daemon, names, up_us + EVERY_US), what="it ticks again")

    owed = {name: during(daemon, name, down_us, up_us) for name in names}
    assert {slot["outcome"] for slot in owed["all"]} == {"started"}
    assert "catch_up" in {slot["reason"] for slot in owed["all"]}
    for name in ("latest", "none"):
        assert {slot["reason"] for slot in owed[name]} <= {"newer_fire", "catch_up", "in_grace", "on_time"}
        assert [slot["outcome"] for slot in owed[name]].count("started") <= 1
        assert owed[name][0]["reason"] == "newer_fire"
    assert owed["short"][0]["reason"] == "too_late"
    assert json.loads(owed["short"][0]["fields"])["grace_s"] == 0.7
    assert owed["few"][0]["reason"] == "over_max_catchup"
    assert owed["few"][0]["until_us"] > owed["few"][0]["fire_time_us"]
    at = daemon.client.get("/why", of="few")["sentences"]
    assert any("newest 2 owed fire times" in sentence for sentence in at), at
    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    check(daemon, every_us=EVERY_US)


def test_a_pause_owes_and_says_who_paused(daemon: Daemon) -> None:
    """
    While paused nothing is decided, also over a kill -9; afterwards the newest starts and the others say who paused,
    when and why.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.configure(schedule("nightly", ""))
    daemon.start()
    eventually(lambda: daemon.slots("nightly"), what="it ticks")
    daemon.cli("pause", "nightly", "--note", "the database is being moved")
    before = daemon.slots("nightly")
    paused_us = clock.now_us()
    assert "the database is being moved" in daemon.why("nightly")
    daemon.kill()
    daemon.start()
    pass_by(3)
    assert daemon.slots("nightly") == before
    assert daemon.status()["next"] == []
    daemon.cli("unpause", "nightly")
    resumed_us = clock.now_us()
    eventually(lambda: decided(daemon, ["nightly"], resumed_us + EVERY_US), what="it ticks again")

    *skipped, newest = during(daemon, "nightly", paused_us, resumed_us)
    assert len(skipped) >= 3
    assert {(slot["outcome"], slot["reason"]) for slot in skipped} == {("skipped", "paused")}
    assert newest["outcome"] == "started"
    fields = json.loads(skipped[0]["fields"])
    assert "the database is being moved" in fields["note"]
    assert fields["who"]
    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    check(daemon, every_us=EVERY_US)


def test_retention_removes_runs_with_all_that_is_theirs(daemon: Daemon) -> None:
    """
    What is older than retention says goes from the store and the state folder; the cursor stays, nothing runs again.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.configure(schedule("nightly", "catchup = 'all'"))
    daemon.start()
    eventually(lambda: len(daemon.runs()) > 2, what="it runs")
    daemon.configure(more='[retention]\nruns = "1s"\nfiles = "1s"')
    assert daemon.client.post("/reload")["ok"]
    daemon.settled()
    daemon.kill()
    entered = (daemon.home / "evidence").read_text()
    pass_by(5)
    daemon.start()
    eventually(lambda: not daemon.rows("SELECT id FROM flow_run"), what="runs are purged")
    eventually(lambda: not list((daemon.state / "runs").iterdir()), what="folders are removed")
    for table in ("slot", "log", "event", "task_run"):
        assert daemon.rows(f"SELECT * FROM {table}") == []
    assert (daemon.home / "evidence").read_text() == entered
