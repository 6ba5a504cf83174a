"""
Why a run or a fire time did or did not start: sentences from the ledger, and of this moment.
"""

import pytest

from orchd import clock
from orchd.model.instants import to_us
from orchd.model.slots import Outcome, Reason
from orchd.model.specs import Overlap, WaitSpec
from orchd.model.states import FlowRunState
from orchd.scheduler.ingest import begin
from orchd.store import jumps
from orchd.store.jumps import JumpRow
from orchd.store.schema import schedule
from orchd.store.slots import NewSlot, insert_slots
from scheduler.rig import START, Rig, every_minute, minute
from web.serving import Serving

S = FlowRunState


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Have the clock stand still, two minutes after the schedules were made.
    """
    monkeypatch.setattr(clock, "now", lambda: minute(2))


def why(api: Serving, of: str) -> list[str]:
    """
    Return the sentences about *of*.
    """
    sentences: list[str] = api.get("/why", of=of)["sentences"]
    return sentences


def test_why_a_run_of_a_schedule_started(api: Serving, rig: Rig) -> None:
    """
    Its slot's reason, and what became of it; by run and by fire time.
    """
    rig.use(every_minute("a"))
    rig.tick(minute(1))
    (run,) = rig.board.live.values()
    rig.move(run.id, S.RUNNING, S.FAILED, at=minute(2))
    told = [
        "a at 2026-06-01T10:01:00Z: started on time",
        "its process began 60.0 s later",
        f"run {run.row.name} is Failed, began at 2026-06-01T10:02:00Z, ended at 2026-06-01T10:02:00Z",
    ]

    assert told == why(api, run.row.name)
    assert told == why(api, "a@2026-06-01T10:01:00Z")
    by_run, by_slot = api.get("/why", of=run.id), api.get("/why", of="a@2026-06-01 10:01")
    assert ("run", "slot") == (by_run["kind"], by_slot["kind"])
    assert by_run["slot"] == by_slot["slot"]
    assert by_run["run"] == by_slot["run"]


def test_why_a_fire_time_was_skipped(api: Serving, rig: Rig) -> None:
    """
    There is a slot and no run.
    """
    rig.use(every_minute("a"))
    rig.tick(minute(1))
    rig.tick(minute(2))
    (run,) = rig.board.live.values()
    told = f"a at 2026-06-01T10:02:00Z: skipped because run {run.row.name} of this schedule was still pending"

    assert [told] == why(api, "a@2026-06-01T10:02:00Z")
    assert api.get("/why", of="a@2026-06-01T10:02:00Z")["run"] is None


def test_why_a_run_is_held(api: Serving, rig: Rig) -> None:
    """
    The reason of this moment.
    """
    rig.limit(max_runs=0)
    rig.use(every_minute("a", overlap=Overlap.ALLOW), at=minute(-1))
    rig.tick(START)
    (run,) = rig.board.live.values()
    assert f"run {run.row.name} is held because all 0 places of max_runs are taken" == why(api, run.id)[-1]


def test_the_ledger_tells_of_a_held_run_what_why_tells(api: Serving, rig: Rig) -> None:
    """
    That it was made and is held, and not that it started.
    """
    rig.limit(max_runs=0)
    rig.use(every_minute("a", overlap=Overlap.ALLOW), at=minute(-1))
    rig.tick(START)
    (run,) = rig.board.live.values()
    (slot,) = api.get("/slots")["slots"]

    told = f"run {run.row.name} was made on time, and is held because all 0 places of max_runs are taken"
    assert told == slot["sentence"]
    assert f"{slot['fire_time']}: {told}" == why(api, "a")[1]


def test_the_ledger_tells_that_a_run_was_given_up_before_it_began(api: Serving, rig: Rig) -> None:
    """
    Its slot does not say that it started, here or there.
    """
    rig.limit(max_runs=0)
    rig.use(every_minute("a", overlap=Overlap.ALLOW), at=minute(-1))
    rig.tick(START)
    (run,) = rig.board.live.values()
    api.post(f"/runs/{run.id}/cancel", {"reason": "no more"})
    (slot,) = api.get("/slots")["slots"]

    made = f"run {run.row.name} was made on time"
    assert f"{made}, and never began: no more" == slot["sentence"]
    assert f"{slot['fire_time']}: {slot['sentence']}" == why(api, "a")[1]
    assert why(api, f"a@{slot['fire_time']}")[0].endswith(made)


def test_why_somebody_started_it(api: Serving) -> None:
    """
    A run without a schedule says who asked for it.
    """
    run = api.post("/runs", {"flow": "load"})["run"]
    api.post(f"/runs/{run['id']}/cancel", {"reason": "no more"})
    first, second = why(api, run["id"])

    assert f"run {run['name']} of flow load was started by " in first
    assert second.startswith(f"run {run['name']} is Cancelled, ended at ")
    assert second.endswith(": no more")


def test_the_story_of_a_schedule(api: Serving, rig: Rig) -> None:
    """
    What it is, its last slots, and what comes.
    """
    rig.use(every_minute("a"))
    assert [
        "schedule a starts flow load every minute (cron * * * * *, UTC)",
        "none of its fire times has come yet",
        "its next fire time is 2026-06-01T10:01:00Z (2026-06-01 10:01:00+00:00)",
    ] == why(api, "a")

    for number in range(1, 9):
        rig.tick(minute(number))
    told = why(api, "a")

    assert 7 == len(told)
    assert told[1].startswith("2026-06-01T10:08:00Z: skipped")


def test_the_story_of_a_paused_schedule(api: Serving, rig: Rig) -> None:
    """
    By whom and since when; what it owes is judged later.
    """
    rig.use(every_minute("a"))
    api.post("/schedules/a/pause", {"note": "holidays"})

    assert "since 2026-06-01T10:00:00Z: holidays" in why(api, "a")[1]
    assert why(api, "a@2026-06-01T10:05:00Z")[0].endswith("this fire time is judged when it goes on")


@pytest.mark.parametrize(
    ("time", "sentence"),
    [
        ("2026-06-01T10:05:00Z", "a at 2026-06-01T10:05:00Z: not decided yet, its time is still to come"),
        (
            "2026-06-01T12:05:00+02:00",
            "a at 2026-06-01T10:05:00Z: not decided yet, its time is still to come",
        ),
        (
            "2026-06-01T10:05:01Z",
            "2026-06-01T10:05:01Z is no fire time of a (cron * * * * *, UTC); the next after it is "
            "2026-06-01T10:06:00Z (2026-06-01 10:06:00+00:00)",
        ),
    ],
)
def test_fire_times_that_are_not_decided(api: Serving, rig: Rig, time: str, sentence: str) -> None:
    """
    One that comes, and one that is none.
    """
    rig.use(every_minute("a"))

    assert [sentence] == why(api, f"a@{time}")


def test_a_schedule_that_will_never_fire_again(api: Serving, rig: Rig) -> None:
    """
    It waits for a flow, and has no fire times of its own.
    """
    rig.use(every_minute("a", kind="after", rule="", after=("report",)))

    assert ["2026-06-01T10:05:00Z is no fire time of a (after report, UTC)"] == why(api, "a@2026-06-01T10:05:00Z")


@pytest.mark.parametrize(("seconds", "word"), [(3600.0, "forward"), (-3600.0, "back")])
def test_a_jump_of_the_clock_is_named(api: Serving, rig: Rig, seconds: float, word: str) -> None:
    """
    At a fire time that it went over, by slot and by run; not at others.
    """
    rig.use(every_minute("a", overlap=Overlap.ALLOW))
    rig.tick(minute(1))
    rig.tick(minute(200))
    with rig.database.writing() as conn:
        jumps.put(conn, JumpRow(at_us=to_us(minute(1)), seconds=seconds))
    before = "2026-06-01T09:01:00Z" if seconds > 0 else "2026-06-01T11:01:00Z"
    told = f"the clock was set {word} by 3600 s then, from {before} to 2026-06-01T10:01:00Z"
    run = next(iter(rig.board.live.values()))

    assert told in why(api, "a@2026-06-01T10:01:00Z")
    assert told in why(api, run.id)
    assert told not in why(api, "a@2026-06-01T13:20:00Z")


def test_a_schedule_that_waits_for_the_clock_says_so(api: Serving, rig: Rig) -> None:
    """
    A clock that was set back makes it wait.
    """
    rig.use(every_minute("a"))
    api.daemon.waits = [{"schedule": "a", "until": "2026-06-01T11:00:00Z"}, {"schedule": "b", "until": "x"}]

    assert [sentence for sentence in why(api, "a") if "up to 2026-06-01T11:00:00Z" in sentence]


def test_a_fire_time_before_the_schedule_was_there(api: Serving, rig: Rig) -> None:
    """
    It had none then, and the answer says since when it has.
    """
    rig.use(every_minute("a"))

    assert [
        "a at 2026-06-01T09:00:00Z: schedule a is new since 2026-06-01T10:00:00Z: it had no fire times before"
    ] == why(api, "a@2026-06-01T09:00:00Z")


def test_past_fire_times_without_a_slot(api: Serving, rig: Rig) -> None:
    """
    Edited since, or out of the config for a while; or the daemon is about to decide.
    """
    rig.use(every_minute("a"))
    rig.use(every_minute("a", rule="*/2 * * * *"), at=minute(10))
    rig.use(at=minute(20))
    rig.use(every_minute("a", rule="*/2 * * * *"), at=minute(30))

    (edited,) = why(api, "a@10:04")
    (away,) = why(api, "a@10:24")

    assert edited.endswith(
        "has its rule of now only since 2026-06-01T10:10:00Z: before that this was no fire time of it"
    )
    assert away.endswith("nothing was decided: schedule a was not in the config then")


def test_a_fire_time_that_has_just_come(api: Serving, rig: Rig) -> None:
    """
    It is decided at the next look.
    """
    rig.use(every_minute("a"))

    assert why(api, "a@10:01")[0].endswith("not decided yet, though its time has come: the daemon is about to")


def test_a_fire_time_that_is_kept_no_longer(api: Serving, rig: Rig) -> None:
    """
    Old slots are purged.
    """
    rig.use(every_minute("a"))
    with rig.database.writing() as conn:
        conn.execute(schedule.update().values(purged_until_us=to_us(minute(5)), decided_until_us=to_us(minute(9))))

    assert why(api, "a@10:01")[0].endswith("so long ago that what was decided is kept no longer")


def test_a_wall_time_that_does_not_exist(api: Serving, rig: Rig) -> None:
    """
    It runs just after the gap.
    """
    rig.use(every_minute("ny", rule="30 2 * * *", timezone="America/New_York"))

    assert [
        "02:30 does not exist on 2027-03-14 in America/New_York: the clock goes forward, and it runs just after that,"
        " at 2027-03-14 03:00:00-04:00 (2027-03-14T07:00:00Z)",
        "ny at 2027-03-14T07:00:00Z (2027-03-14 03:00:00-04:00): not decided yet, its time is still to come",
    ] == why(api, "ny@2027-03-14T02:30")


@pytest.mark.parametrize("time", ["10:01", "10:01:07", "10:01:07.5", "2026-06-01T10:01", "2026-06-01 12:01:07+02:00"])
def test_a_time_is_as_exact_as_it_is_written(api: Serving, rig: Rig, time: str) -> None:
    """
    A slot of that minute, second or fraction is found; alone the time is today's, in the schedule's zone.
    """
    rig.use(every_minute("a", kind="after", rule="", after=("report",)))
    entry = rig.board.entries["a"].row
    new = NewSlot(
        schedule_id=entry.id,
        version_id=entry.version_id,
        fire_time_us=to_us(minute(1)) + 7_543_210,
        outcome=Outcome.SKIPPED,
        reason=Reason.UPSTREAM_FAILED,
        fields={"upstream": "report", "state": "crashed"},
    )
    with rig.database.writing() as conn:
        insert_slots(conn, [new])

    assert ["a at 2026-06-01T10:01:07.543210Z: skipped because upstream report ended as crashed"] == why(
        api, f"a@{time}"
    )


def test_times_are_told_in_the_schedules_zone_too(api: Serving, rig: Rig) -> None:
    """
    Beside UTC, where they differ.
    """
    rig.use(every_minute("a", timezone="Europe/Vienna"))
    rig.tick(minute(1))

    assert why(api, "a@12:01")[0] == "a at 2026-06-01T10:01:00Z (2026-06-01 12:01:00+02:00): started on time"


def test_a_process_that_began_late_is_told_with_the_reason(api: Serving, rig: Rig) -> None:
    """
    The decision was on time; its launch was not.
    """
    rig.use(every_minute("a"))
    rig.tick(minute(1))
    (run,) = rig.board.live.values()
    with rig.database.writing() as conn:
        begin(conn, run, at_us=to_us(minute(1)) + 10_000_000, put_off="the disk is full")

    assert [
        "a at 2026-06-01T10:01:00Z: started on time",
        "its process began 10.0 s later: its launch was put off: the disk is full",
    ] == why(api, "a@10:01")[:2]


def test_local_time_stands_beside_utc_in_every_reason(api: Serving, rig: Rig) -> None:
    """
    In that of a slot, of a pause and of a held run, too; where both are the same, and where it is there already, not.
    """
    zone = {"timezone": "Asia/Tokyo", "overlap": Overlap.ALLOW}
    rig.use(every_minute("a", **zone), every_minute("b", rule="0 20 * * *", **zone))
    api.post("/schedules/b/pause", {"note": "until 2026-06-02T00:00:00Z"})
    rig.limit(max_runs=0)
    rig.tick(minute(2))

    skipped, newest = why(api, "a@10:01Z")[0], "2026-06-01T10:02:00Z (2026-06-01 19:02:00+09:00)"
    assert f"a at 2026-06-01T10:01:00Z (2026-06-01 19:01:00+09:00): skipped because {newest} was owed too" in skipped
    paused = why(api, "b")[1]
    assert "since 2026-06-01T10:00:00Z (2026-06-01 19:00:00+09:00)" in paused
    assert paused.endswith(": until 2026-06-02T00:00:00Z (2026-06-02 09:00:00+09:00)")
    assert all(sentence.count("+09:00") == sentence.count("Z (") for sentence in why(api, "a"))


def test_lists_say_why_a_run_is_held_as_why_does(api: Serving, rig: Rig) -> None:
    """
    In the zone of its schedule, or the daemon's when somebody started it: one reason, with local time beside UTC.
    """
    rig.use(every_minute("a", flow="report", timezone="Asia/Tokyo"))
    rig.limit(max_runs=0)
    rig.tick(minute(1))
    by_hand = api.post("/runs", {"flow": "load", "at": "2026-06-01T14:30:00+02:00"})["run"]
    (of_schedule,) = (run for run in api.get("/runs")["runs"] if run["schedule"])

    assert "wanted at 2026-06-01T10:01:00Z (2026-06-01 19:01:00+09:00), which" in of_schedule["held"]
    for run in (of_schedule, by_hand):
        assert why(api, run["id"])[-1] == f"run {run['name']} is {run['held']}"
    assert {run["held"] for run in api.get("/status")["held"]} == {of_schedule["held"], by_hand["held"]}


def test_the_story_of_a_schedule_tells_of_its_limits(api: Serving, rig: Rig) -> None:
    """
    What its runs wait for, and when it pauses itself.
    """
    waits = (WaitSpec(flow="load", within_s=93600.0), WaitSpec(flow="load", same_slot=True, timeout_s=60.0))
    rig.use(every_minute("a", flow="report", wait_for=waits, pause_after_failures=3, pool="gpu", priority=2))
    (schedule,) = api.get("/schedules")["schedules"]

    told = ["a run of flow 'load' at most 26 h old", "the run of flow 'load' of the same fire time"]
    assert [
        *(f"each of its runs waits for {one}" for one in told),
        "it pauses itself after 3 failed runs in a row",
    ] == (why(api, "a")[1:4])
    assert (told, "gpu", 2, 3) == tuple(
        schedule[key] for key in ("waits_for", "pool", "priority", "pause_after_failures")
    )
    assert told == api.get("/next", n=1)["next"][0]["waits_for"]


def test_a_run_tells_what_it_waits_for(api: Serving, rig: Rig) -> None:
    """
    In `why`, in the status and in the list of runs alike.
    """
    rig.use(every_minute("a", flow="report", wait_for=(WaitSpec(flow="load", same_slot=True),)), at=minute(-1))
    rig.tick(START)
    (run,) = rig.board.live.values()
    rig.limit(pools={"gpu": 2})

    told = "held because it waits for the run of flow 'load' of the same fire time; there is none yet"
    assert f"run {run.row.name} is {told}" == why(api, run.id)[-1]
    assert f"2026-06-01T10:00:00Z: run {run.row.name} was made on time, and is {told}" in why(api, "a")
    assert f"a at 2026-06-01T10:00:00Z: run {run.row.name} was made on time" == why(api, run.id)[0]
    assert why(api, run.id) == why(api, "a@10:00")
    assert told == api.get("/runs")["runs"][0]["held"] == api.get("/status")["held"][0]["held"]
    assert [{"pool": "gpu", "places": 2, "taken": 0}] == api.get("/status")["pools"]
