"""
Schedules of flow files, and the whole of the config's rules, under a real daemon.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

from orchd import clock
from orchd.model.instants import to_us
from support.checker import check
from support.clockshim import ClockShim
from support.daemon import Daemon
from support.evidence import PRELUDE
from support.waiting import eventually

EVERY_US = 400_000

IN_CODE = PRELUDE + dedent("""
    from datetime import datetime, timedelta, timezone
    import orchd
    from orchd import Flow, Parameter, task
    from orchd.flow.classic_schedules import CronSchedule, IntervalSchedule, Schedule, filters
    from orchd.flow.classic_schedules.clocks import CronClock, IntervalClock

    @task
    def say(x):
        print(x, orchd.context.scheduled_start_time)
        note(x)

    clocks = [
        IntervalClock(
            timedelta(seconds=0.4), start_date=datetime.now(timezone.utc), parameter_defaults={"x": "often"}
        ),
        CronClock("0 9 * * 1-5", parameter_defaults={"x": "workdays"}, labels=["gpu"]),
    ]
    with Flow("often", schedule=Schedule(clocks, not_filters=[filters.on_date(2, 30)])) as flow:
        say(Parameter("x", default="none"))
""")

UNSCHEDULED = IN_CODE.replace(", schedule=Schedule(clocks, not_filters=[filters.on_date(2, 30)])", "")

OWN_FILTER = """
    from datetime import datetime, timedelta
    from orchd import Flow, task
    from orchd.flow.classic_schedules import Schedule
    from orchd.flow.classic_schedules.clocks import IntervalClock

    @task
    def work():
        pass

    def at_whole_seconds(moment):
        return moment.microsecond == 0

    # So often that asking it looks no further ahead than twenty seconds.
    clock = IntervalClock(timedelta(milliseconds=2), datetime(2026, 1, 1))
    with Flow("own", schedule=Schedule([clock], filters=[at_whole_seconds])) as flow:
        work()
"""


def schedules(daemon: Daemon) -> dict[str, dict[str, object]]:
    """
    Return the daemon's schedules by name.
    """
    return {row["name"]: row for row in daemon.client.get("/schedules")["schedules"]}


def fire_times(daemon: Daemon, schedule: str, *, every_us: int = EVERY_US) -> list[int]:
    """
    Return every fire time that has a row, as the planner counts them: a row for several counts each.
    """
    found: list[int] = []
    for slot in daemon.slots(schedule):
        found += range(slot["fire_time_us"], (slot["until_us"] or slot["fire_time_us"]) + 1, every_us)
    return found


def test_a_schedule_in_code_keeps_its_phase_over_reloads_and_deaths(daemon: Daemon) -> None:
    """
    Its start is the time of each import, and yet no fire time is lost, made twice or moved, and its runs have the
    parameters of their clock.
    """
    daemon.flow("often.py", IN_CODE)
    daemon.start()
    for turn in range(3):
        count = len(daemon.slots("often"))
        eventually(lambda count=count: len(daemon.slots("often")) > count + 2, what="it fires")
        assert daemon.client.post("/reload")["changes"] == []
        if turn < 2:
            daemon.kill()
            daemon.start()
    fires = fire_times(daemon, "often")

    assert {late - early for early, late in pairwise(fires)} == {EVERY_US}
    assert len({slot["schedule_version_id"] for slot in daemon.slots("often")}) == 1
    assert [flow["version"] for flow in daemon.rows("SELECT version FROM flow_version")] == [1]
    run = next(run for run in daemon.runs(flow="often", state="success"))
    assert daemon.printed(run["id"])[0].startswith("often 20")
    assert run["parameters"] == {"x": "often"}
    check(daemon)


def test_a_schedule_in_code_is_a_schedule_like_any_other(daemon: Daemon) -> None:
    """
    It is listed, comes next, is explained, pauses, gives way to the config, and leaves with its flow.
    """
    file = daemon.flow("often.py", IN_CODE)
    daemon.start()
    listed = eventually(lambda: schedules(daemon), what="the flow file is loaded")
    assert listed["often-2"]["rule"] == "cron 0 9 * * 1-5"
    assert listed["often-2"]["parameters"] == {"x": "workdays"}
    assert "often-2" in daemon.cli("next", "often-2", "-n", "2", "--explain")
    said = "starts flow often at 09:00 from Monday to Friday, never on February 30 (cron 0 9 * * 1-5, UTC)"
    assert said in daemon.why("often-2")

    daemon.cli("pause", "often")
    daemon.kill()
    file.write_text("def broken(:\n")
    daemon.start()
    eventually(lambda: daemon.status()["broken"], what="the broken file is told of")
    assert {name: bool(row["paused"]) for name, row in schedules(daemon).items()} == {"often": True, "often-2": False}

    daemon.flow("often.py", IN_CODE)
    daemon.configure("[schedules.mine]\nflow = 'often'\ncron = '@yearly'\n")
    changes = daemon.client.post("/reload")["changes"]
    assert changes[:3] == ["schedule mine is new", "schedule often is gone", "schedule often-2 is gone"]
    daemon.configure()
    daemon.client.post("/reload")
    file.unlink()
    assert "schedule often is gone" in daemon.client.post("/reload")["changes"]


def known_until(daemon: Daemon) -> datetime:
    """
    Return until when the fire times of the schedule with its own filter are known.
    """
    return datetime.fromisoformat(str(schedules(daemon)["own"]["known_until"]))


def test_a_filter_of_ones_own_is_asked_ahead_and_again(daemon: Daemon) -> None:
    """
    The daemon starts what the function says, and asks it for more by itself, so that no second is lost or comes twice;
    next, why, check and the status say where the fire times come from, and until when they are known.
    """
    file = daemon.flow("own.py", OWN_FILTER)
    daemon.configure()
    config = str(daemon.home / "config")
    assert "own" in daemon.cli("next", "--config", config)
    daemon.start()
    eventually(lambda: schedules(daemon), what="the flow file is loaded")
    first_known = known_until(daemon)
    assert timedelta(0) < first_known - clock.now() < timedelta(seconds=20)
    assert schedules(daemon)["own"]["rule"] == "the flow's own code"
    assert daemon.client.get("/next", n=1)["next"][0]["note"] == "the flow's own code says so"
    assert "schedule own starts flow own when the flow's own code says (the flow's own code, UTC)" in daemon.why("own")
    assert "its fire times are asked of the flow's code ahead, and known until 20" in daemon.why("own")
    assert "the fire times of schedule own are asked of its code ahead" in daemon.cli("check", "--config", config)

    eventually(
        lambda: daemon.slots("own")[-1:] and daemon.slots("own")[-1]["fire_time_us"] > to_us(first_known),
        within_s=60,
        what="it is asked again by itself, and fires beyond what was known first",
    )
    fires = fire_times(daemon, "own", every_us=1_000_000)
    assert {late - early for early, late in pairwise(fires)} == {1_000_000}
    assert [row["version"] for row in daemon.rows("SELECT version FROM flow_version")] == [1]

    file.write_text("def broken(:\n")
    broken = daemon.client.post("/reload")["broken"]
    assert "; the fire times of its schedule own are known until 20" in broken[0]["error"]
    assert "own" in schedules(daemon)


def test_dates_are_consumed_once_each(daemon: Daemon) -> None:
    """
    Each of them starts one run, also over a death, and then the schedule is over: check says so.
    """
    daemon.flow("often.py", UNSCHEDULED)
    daemon.start()
    dates = [clock.now() + timedelta(seconds=seconds) for seconds in (5, 6)]
    written = ", ".join(each.isoformat() for each in dates)
    daemon.configure(f"[schedules.once]\nflow = 'often'\ndates = [{written}]\n")
    daemon.client.post("/reload")
    eventually(lambda: daemon.slots("once"), what="the first comes")
    daemon.kill()
    daemon.start()
    eventually(lambda: len(daemon.slots("once")) == 2, what="the second comes")

    assert [slot["fire_time_us"] for slot in daemon.slots("once")] == [to_us(each) for each in dates]
    assert "[schedules.once] is over: its last fire time was" in daemon.cli(
        "check", "--config", str(daemon.home / "config"), code=78
    )
    assert daemon.client.get("/next")["next"] == []


def test_an_rrule_keeps_its_wall_clock_over_a_change_of_the_clocks(daemon: Daemon, tmp_path: Path) -> None:
    """
    At the end of the gap that swallowed its time it starts once; and the explanation says why, and what a calendar did.
    """
    gap = datetime(2027, 3, 14, 7, tzinfo=UTC)
    shim = ClockShim(tmp_path)
    shim.set((gap - timedelta(hours=2) - clock.now()).total_seconds())
    daemon.env |= shim.env()
    daemon.flow("often.py", UNSCHEDULED)
    daemon.configure("""
        [calendars.holidays]
        days = ["2027-03-15/2027-03-16"]
        [schedules.night]
        flow = "often"
        rrule = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"
        timezone = "America/New_York"
        skip = ["holidays"]
    """)
    daemon.start()
    eventually(lambda: daemon.client.get("/flows")["flows"], what="the flow file is loaded")
    shim.set((gap - timedelta(seconds=1) - clock.now()).total_seconds())
    eventually(lambda: daemon.slots("night"), what="it fires at the end of the gap")

    assert [slot["fire_time_us"] for slot in daemon.slots("night")] == [to_us(gap)]
    [coming] = daemon.client.get("/next", schedule="night", n=1)["next"]
    assert coming["fire_time"] == "2027-03-17T06:30:00Z"
    assert coming["note"].startswith("2027-03-15 02:30 is left out: a day of calendar holidays")
    explained = daemon.cli("next", "night", "-n", "1", "--from", "2027-03-14T00:00:00Z", "--explain")
    assert "02:30 does not exist on 2027-03-14" in explained
