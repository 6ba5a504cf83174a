"""
What the store knows of runs that somebody waits for.
"""

from orchd.model.states import FlowRunState
from orchd.store import schedules, slots, streaks, waits
from orchd.store.database import Connection, Database
from orchd.store.runs import RunRow
from store.making import add_run, add_schedule, slot

S = FlowRunState


def _run(conn: Connection, wanted: int, state: FlowRunState, *, flow: str = "load") -> RunRow:
    return add_run(conn, state=state, at_us=wanted + 1, flow=flow, wanted_at_us=wanted)


def test_the_newest_run_and_the_newest_success_are_found(store: Database) -> None:
    """
    Of that flow only, and none that was wanted before.
    """
    with store.writing() as conn:
        _run(conn, 10, S.SUCCESS)
        good = _run(conn, 20, S.SUCCESS)
        failed = _run(conn, 30, S.FAILED)
        running = _run(conn, 60, S.RUNNING)
        _run(conn, 25, S.SUCCESS, flow="other")

        assert {failed.id, good.id, running.id} == _ids(conn, since=15, until=50)
        assert {good.id, failed.id, running.id} == _ids(conn, since=15, until=29)
        assert {running.id} == _ids(conn, since=31, until=50)


def test_runs_that_still_go_on_are_among_the_young(store: Database) -> None:
    """
    A held one, too: it is waited for.
    """
    with store.writing() as conn:
        running, held = _run(conn, 10, S.RUNNING), _run(conn, 20, S.SCHEDULED)

        assert {held.id} == _ids(conn, since=5, until=20)
        assert {held.id, running.id} == _ids(conn, since=5, until=19)


def test_of_runs_wanted_at_once_the_later_made_is_newer(store: Database) -> None:
    """
    As the second attempt of a run is.
    """
    with store.writing() as conn:
        _run(conn, 10, S.FAILED)
        again = _run(conn, 10, S.SUCCESS)

        assert {again.id} == _ids(conn, since=10, until=10)


def _ids(conn: Connection, *, since: int, until: int) -> set[str]:
    return {run.run_id for run in waits.young_runs(conn, "load", since_us=since, until_us=until)}


def test_runs_of_one_fire_time_are_found(store: Database) -> None:
    """
    Those of every schedule of that flow, and every attempt.
    """
    with store.writing() as conn:
        night, day = add_schedule(conn, "night"), add_schedule(conn, "day")
        slots.insert_slots(conn, [slot(night, 5), slot(night, 6), slot(day, 5)])
        mine = [
            add_run(conn, schedule_id=night.id, fire_time_us=5, state=S.FAILED).id,
            add_run(conn, schedule_id=night.id, fire_time_us=5, attempt=2).id,
            add_run(conn, schedule_id=day.id, fire_time_us=5).id,
        ]
        add_run(conn, schedule_id=night.id, fire_time_us=6)

        assert sorted(mine) == sorted(run.run_id for run in waits.runs_of_slot(conn, "load", 5))
        assert [] == waits.runs_of_slot(conn, "other", 5)


def test_the_latest_slots_that_succeeded_are_found(store: Database) -> None:
    """
    No more than asked for, and none before the given fire time.
    """
    with store.writing() as conn:
        night = add_schedule(conn, "night")
        slots.insert_slots(conn, [slot(night, at) for at in (4, 5, 6, 7)])
        made = {at: add_run(conn, schedule_id=night.id, fire_time_us=at, state=S.SUCCESS).id for at in (4, 5, 6)}
        add_run(conn, schedule_id=night.id, fire_time_us=7, state=S.FAILED)

        assert [made[6], made[5]] == waits.succeeded_slots(conn, "load", since_us=5, limit=9)
        assert [made[6]] == waits.succeeded_slots(conn, "load", since_us=5, limit=1)


def test_failures_in_a_row_are_kept_until_the_schedule_goes_on(store: Database) -> None:
    """
    A pause that ends begins to count anew.
    """
    with store.writing() as conn:
        add_schedule(conn, "nightly")
        assert () == streaks.get(conn, "nightly")
        streaks.put(conn, "nightly", (5, 6), at_us=7)
        streaks.put(conn, "nightly", (5, 6, 8), at_us=9)
        schedules.pause(conn, "nightly", who="orchd", note="", at_us=9)
        assert (5, 6, 8) == streaks.get(conn, "nightly")
        schedules.unpause(conn, "nightly", at_us=10)

        assert () == streaks.get(conn, "nightly")
