"""
Priorities, pools, limits of flows, waits and self-pausing, over a real store.
"""

from datetime import timedelta

import pytest

from orchd.config.settings import FlowSettings
from orchd.model.instants import to_us
from orchd.model.specs import Overlap, ScheduleSpec, WaitSpec
from orchd.model.states import FlowRunState
from orchd.scheduler import tick
from orchd.scheduler.board import LiveRun
from orchd.scheduler.ingest import End
from orchd.scheduler.overview import Overview
from orchd.store import queries, schedules
from scheduler.daemon import Daemon
from scheduler.rig import START, Rig, every_minute, finished, minute, started, write_monitor

S = FlowRunState
HOUR_S = 3600.0


def report(name: str = "r", **values: object) -> ScheduleSpec:
    """
    Describe a schedule of flow ``report`` that is due each hour, at a minute past it.
    """
    return every_minute(name, **{"flow": "report", "rule": "1 * * * *"} | values)


def within(hours: float = 1.0, **values: object) -> tuple[WaitSpec, ...]:
    """
    Wait for a run of ``load`` that is so young.
    """
    return (WaitSpec(flow="load", within_s=hours * HOUR_S, **values),)


def why(rig: Rig, *, at: int = 1) -> list[str]:
    """
    Return the reasons of all held runs.
    """
    return list(Overview(rig.board).holds(now=minute(at)).values())


def end(rig: Rig, run: LiveRun, state: FlowRunState = S.SUCCESS, *, at: int = 2) -> None:
    """
    Let *run* end as *state*.
    """
    if run.state is S.PENDING:
        rig.move(run.id, S.RUNNING)
    rig.ingest.step(run, End(state=state, message="over", at=to_us(minute(at))))


def of(rig: Rig, schedule: str) -> LiveRun:
    """
    Return the only live run of *schedule*.
    """
    (run,) = (run for run in rig.board.live.values() if run.row.schedule == schedule)
    return run


def test_the_higher_priority_gets_the_place(rig: Rig) -> None:
    """
    Of runs that are due at once, and before one that has waited longer.
    """
    rig.limit(max_runs=1, flow={"report": FlowSettings(priority=1)})
    rig.use(every_minute("low"), report("high"), report("higher", priority=2))
    rig.tick(minute(1))

    assert {"low scheduled", "high scheduled", "higher pending"} == set(rig.states())
    end(rig, of(rig, "higher"))
    rig.tick(minute(2))

    assert "high pending" in rig.states()


def test_a_pool_is_never_overfilled_and_keeps_nobody_else_back(rig: Rig) -> None:
    """
    Runs of a schedule and runs of a flow share its places, whoever started them.
    """
    rig.limit(pools={"gpu": 2}, flow={"load": FlowSettings(pool="gpu", priority=9)})
    rig.use(every_minute("a"), every_minute("b"), report("r"), report("s", pool="gpu"))
    person = rig.run(state=S.SCHEDULED)
    rig.tick(minute(1))

    assert ["load pending", "a pending", "b scheduled", "r pending", "s scheduled"] == rig.states()
    taken = f"{person.row.name}, {of(rig, 'a').row.name}"
    assert [f"held because both places of pool 'gpu' are taken by {taken}"] * 2 == why(rig)
    end(rig, person)
    rig.tick(minute(2))
    assert S.PENDING is of(rig, "b").state


def test_a_flow_has_a_limit_of_its_own(rig: Rig) -> None:
    """
    Also for runs that a person starts.
    """
    rig.limit(flow={"load": FlowSettings(max_runs=1)})
    rig.use(every_minute("a"), report("r"))
    person = rig.run(state=S.SCHEDULED)
    rig.tick(minute(1))

    assert ["load pending", "a scheduled", "r pending"] == rig.states()
    assert [
        f"held because flow 'load' may have 1 run at once (its max_runs), and so many go on: {person.row.name}"
    ] == why(rig)


@pytest.mark.parametrize("back", [False, True])
def test_a_run_that_waits_for_its_child_holds_no_place(rig: Rig, back: bool) -> None:
    """
    Neither of its pool nor of its flow; and it comes back though they are taken meanwhile.
    """
    rig.limit(max_runs=1, pools={"gpu": 1}, flow={"load": FlowSettings(pool="gpu", max_runs=1)})
    rig.use(every_minute("a"))
    parent = rig.run(state=S.WAITING)
    rig.tick(minute(1))
    assert S.PENDING is of(rig, "a").state

    if back:
        rig.move(parent.id, S.RUNNING)
        rig.run(state=S.SCHEDULED)
        assert (2, 2) == (rig.board.placed, len(rig.board.taken().pools["gpu"]))
        assert [
            f"held because the only place of pool 'gpu' is taken by {parent.row.name}, {of(rig, 'a').row.name}"
        ] == (why(rig))


def test_another_config_sorts_held_runs_anew(rig: Rig) -> None:
    """
    A pool that is opened lets them go.
    """
    closed = {"load": FlowSettings(max_runs=1)}
    rig.limit(flow=closed)
    rig.use(every_minute("a"), every_minute("b"))
    rig.tick(minute(1))
    assert ["a pending", "b scheduled"] == rig.states()

    rig.limit()
    rig.tick(minute(1) + timedelta(seconds=1))

    assert ["a pending", "b pending"] == rig.states()


def test_a_run_waits_until_what_it_waits_for_has_succeeded(rig: Rig) -> None:
    """
    It says for what, wakes with the tick after that end, and knows whom it waited for.
    """
    rig.use(report(wait_for=within()))
    load = rig.run()
    rig.tick(minute(1))
    told = f"a run of flow 'load' at most 1 h old; the newest, {load.row.name}, is Running"
    assert (["load running", "r scheduled"], [f"held because it waits for {told}"]) == (rig.states(), why(rig))

    end(rig, load)
    rig.tick(minute(2))

    assert ["load success", "r pending"] == rig.states()
    assert {"load": load.id} == of(rig, "r").row.upstream_runs


@pytest.mark.parametrize(("state", "starts"), [(S.FAILED, False), (S.CANCELLED, False), (S.SUCCESS, True)])
def test_only_a_success_is_good_enough(rig: Rig, state: FlowRunState, starts: bool) -> None:
    """
    And any later one will do.
    """
    rig.use(report(wait_for=within()))
    end(rig, rig.run(), state)
    rig.tick(minute(1))
    assert starts == (of(rig, "r").state is S.PENDING)

    if not starts:
        end(rig, rig.run(at=minute(5)), at=6)
        rig.tick(minute(7))
        assert S.PENDING is of(rig, "r").state


def test_a_run_does_not_start_on_last_nights_data_when_both_are_due_at_once(rig: Rig) -> None:
    """
    What it waits for is asked when the runs of this moment are there.
    """
    rig.use(every_minute("load", rule="1 * * * *"), report(wait_for=within(hours=2)))
    end(rig, rig.run(at=START), at=0)
    rig.tick(minute(1))

    assert ["load success", "load pending", "r scheduled"] == rig.states()


def test_a_run_may_wait_for_the_same_slot(rig: Rig) -> None:
    """
    Whoever ran meanwhile does not count.
    """
    rig.use(every_minute("load", rule="1 * * * *"), report(wait_for=(WaitSpec(flow="load", same_slot=True),)))
    rig.tick(minute(1))
    end(rig, rig.run(at=minute(1)), at=1)
    rig.tick(minute(2))
    assert S.SCHEDULED is of(rig, "r").state

    load = of(rig, "load")
    end(rig, load)
    rig.tick(minute(3))

    assert {"load": load.id} == of(rig, "r").row.upstream_runs


def test_all_waits_have_to_be_met(rig: Rig) -> None:
    """
    One after the other, and each says how it stands.
    """
    both = (*within(), WaitSpec(flow="clean", within_s=HOUR_S))
    rig.use(report(wait_for=both), flow_names=("load", "report", "clean"))
    rig.tick(minute(1))
    first, second = (f"a run of flow '{flow}' at most 1 h old; there is none yet" for flow in ("load", "clean"))
    assert [f"held because it waits for {first}; and for {second}"] == why(rig)

    end(rig, rig.run(at=minute(1)))
    rig.tick(minute(2))
    assert [f"held because it waits for {second}"] == why(rig)

    end(rig, rig.run("clean", at=minute(1)))
    rig.tick(minute(3))
    assert {"load", "clean"} == set(of(rig, "r").row.upstream_runs)


def test_a_run_that_has_waited_too_long_is_cancelled(rig: Rig) -> None:
    """
    With what it waited for, and how long; the alarm is set to that instant.
    """
    rig.use(report(wait_for=within(timeout_s=600.0)))
    rig.tick(minute(1))
    run = of(rig, "r")
    assert minute(11) == rig.board.next_wake(minute(1))
    assert why(rig)[0].endswith("there is none yet, until 2026-06-01T10:11:00Z")

    rig.tick(minute(11))

    assert ["r cancelled"] == rig.states()
    assert "waited 10 min for a run of flow 'load' at most 1 h old; there is none yet" == rig.detail(run).message


def test_a_herd_that_gives_up_does_so_in_portions(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    So that no start is late for ten thousand cancels in one transaction.
    """
    monkeypatch.setattr(tick, "_GIVEN_UP_AT_ONCE", 2)
    rig.use(*(report(f"r{number}", wait_for=within(timeout_s=600.0)) for number in range(3)))
    rig.tick(minute(1))

    rig.tick(minute(11))
    assert 2 == sum(state.endswith("cancelled") for state in rig.states())
    rig.tick(minute(11))

    assert 3 == sum(state.endswith("cancelled") for state in rig.states())


def test_what_came_just_in_time_counts(rig: Rig) -> None:
    """
    A daemon that was down when the time was up first looks.
    """
    rig.use(report(wait_for=within(timeout_s=600.0)))
    rig.tick(minute(1))
    end(rig, rig.run(at=minute(2)), at=3)
    rig.tick(minute(30))

    assert S.PENDING is of(rig, "r").state


def test_a_run_that_waits_keeps_the_next_of_its_schedule_back(rig: Rig) -> None:
    """
    They start in their order, one after the other.
    """
    waits = (WaitSpec(flow="load", same_slot=True),)
    mine = every_minute("r", flow="report", overlap=Overlap.QUEUE, wait_for=waits)
    rig.use(every_minute("load", overlap=Overlap.ALLOW), mine)
    rig.tick(minute(1))
    rig.tick(minute(2))
    first, second = (run for run in rig.board.live.values() if run.row.schedule == "load")
    end(rig, second)
    rig.tick(minute(2) + timedelta(seconds=1))
    assert ["r scheduled"] * 2 == [state for state in rig.states() if state.startswith("r")]

    end(rig, first)
    rig.tick(minute(2) + timedelta(seconds=2))

    assert ["r pending", "r scheduled"] == [state for state in rig.states() if state.startswith("r")]


def test_a_wait_outlives_the_daemon(rig: Rig) -> None:
    """
    A board that is read anew knows what is met and what is not.
    """
    rig.use(report(wait_for=within()))
    rig.tick(minute(1))
    rig.board.forget_runs()
    end(rig, rig.run(at=minute(1)))
    rig.take_over()
    rig.tick(minute(2))

    assert S.PENDING is of(rig, "r").state


def test_an_edit_changes_what_a_held_run_waits_for(rig: Rig) -> None:
    """
    It goes by the config of this moment.
    """
    rig.use(report(wait_for=within()))
    rig.tick(minute(1))
    rig.use(report(), at=minute(1))
    rig.tick(minute(2))

    assert S.PENDING is of(rig, "r").state


@pytest.fixture
def daemon(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """
    A daemon with a schedule that pauses itself after two failures in a row, and one that needs what load did.
    """
    rig.use(
        every_minute("a", pause_after_failures=2),
        report("old", wait_for=within(hours=24 * 90)),
    )
    made = Daemon(rig, monkeypatch)
    made.load()
    made.tick()
    return made


def _run_of_a(daemon: Daemon, state: str) -> None:
    """
    Let the next fire time of ``a`` start a run that ends as *state*.
    """
    daemon.tick(after=timedelta(seconds=60))
    run = next(run for run in daemon.scheduler.board.live.values() if run.row.schedule == "a")
    if state == "cancelled":
        daemon.scheduler.perform(
            lambda conn: daemon.scheduler.cancel(conn, run.row, reason="no more", now=daemon.now),
            then=lambda touched: daemon.scheduler.take_over(*touched),
        ).result()
    else:
        write_monitor(run.folder, started(daemon.now), finished(state, at=daemon.now))
        daemon.scheduler.stir(run.id)
    daemon.writer.work()


@pytest.mark.parametrize(
    ("ends", "pauses"),
    [
        (("failed",), False),
        (("failed", "timed_out"), True),
        (("failed", "success", "failed"), False),
        (("failed", "cancelled", "failed"), True),
    ],
)
def test_a_schedule_pauses_itself(daemon: Daemon, ends: tuple[str, ...], pauses: bool) -> None:
    """
    After so many failures in a row, and says why.
    """
    for state in ends:
        _run_of_a(daemon, state)
    paused = daemon.scheduler.board.entries["a"].row.paused

    assert pauses == (paused is not None)
    if paused is not None:
        assert "orchd" == paused.who
        assert paused.note.startswith("the last 2 runs in a row failed, ")
        before = len(daemon.rig.states())
        daemon.tick(after=timedelta(seconds=60))
        assert before == len(daemon.rig.states())


def test_a_schedule_that_goes_on_counts_anew(daemon: Daemon) -> None:
    """
    One failure more does not pause it again.
    """
    for _ in range(2):
        _run_of_a(daemon, "failed")
    with daemon.rig.database.writing() as conn:
        schedules.unpause(conn, "a", at_us=to_us(daemon.now))
    daemon.scheduler.take_over_schedule("a")
    _run_of_a(daemon, "failed")
    assert daemon.scheduler.board.entries["a"].row.paused is None

    _run_of_a(daemon, "failed")
    assert daemon.scheduler.board.entries["a"].row.paused is not None


def test_retention_keeps_what_a_wait_still_needs(daemon: Daemon) -> None:
    """
    Of `within` the newest run and the newest success; of `same_slot` those of fire times that are still to be decided.
    """
    names: dict[str, str] = {}
    for end_state in ("success", "success", "failed"):
        _run_of_a(daemon, end_state)
        names = {run.id: run.name for run in _runs(daemon) if run.schedule == "a"}
    newest, success, _ = names
    with daemon.rig.database.writing() as conn:
        kept = set(daemon.scheduler.awaited(conn, to_us(minute(9))))
    assert {newest, success} == kept

    daemon.rig.use(report("same", wait_for=(WaitSpec(flow="load", same_slot=True),)), at=daemon.now)
    daemon.scheduler.take_over_schedules()
    with daemon.rig.database.writing() as conn:
        assert [] == daemon.scheduler.awaited(conn, to_us(minute(9)))
        schedules.set_decided(conn, [(daemon.scheduler.board.entries["same"].row.id, to_us(minute(2)))])
    daemon.scheduler.take_over_schedules()
    with daemon.rig.database.writing() as conn:
        assert [success] == daemon.scheduler.awaited(conn, to_us(minute(9)))


def _runs(daemon: Daemon) -> list[queries.RunView]:
    with daemon.rig.database.reading() as conn:
        return queries.runs(conn, limit=99)
