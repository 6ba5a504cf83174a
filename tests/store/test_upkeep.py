"""
Retention, and the daemon's own values.
"""

import sqlalchemy as sa

from orchd.model.records import TaskRecord
from orchd.model.states import FlowRunState
from orchd.store import logs, queries, runs, slots, tasks, upkeep
from orchd.store.database import Connection, Database
from orchd.store.schema import metadata
from store.making import add_run, add_schedule, skipped, slot

S = FlowRunState
_OF_RUNS = ("event", "flow_run", "log", "slot", "slot_upstream", "task_run")


def sizes(conn: Connection) -> dict[str, int]:
    """
    Count the rows of all tables that a purge touches.
    """
    return {
        name: conn.execute(sa.select(sa.func.count()).select_from(metadata.tables[name])).scalar_one()
        for name in _OF_RUNS
    }


def test_a_purged_run_leaves_nothing_behind(store: Database) -> None:
    """
    Slot, tasks, events, log lines and used marks go with their run.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        slots.insert_slots(conn, [slot(row, 5)])
        run = add_run(conn, state=S.RUNNING, schedule_id=row.id, fire_time_us=5)
        tasks.apply(conn, run.number, [TaskRecord(at=1, slug="a", state="running")])
        logs.append(conn, [(run.number, 0, 0, 20, 0, None, -1, "line")])
        slots.mark_used(conn, row.id, [run.id], 5)
        runs.move(conn, run.id, S.SUCCESS, at_us=10)
        full = sizes(conn)
        purged = upkeep.purge(conn, before_us=11, failed_before_us=0, limit=10)

        assert min(full.values()) == 1
        assert purged == [run.id]
        assert set(sizes(conn).values()) == {0}


def test_only_old_enough_final_runs_go(store: Database) -> None:
    """
    Runs that go on stay, and so do failures until their own, later limit; the oldest go first.
    """
    with store.writing() as conn:
        made = {state: add_run(conn, state=state, at_us=20) for state in FlowRunState}
        older = add_run(conn, state=S.SUCCESS, at_us=10)
        young = add_run(conn, state=S.SUCCESS, at_us=90)
        first = upkeep.purge(conn, before_us=50, failed_before_us=20, limit=1)
        then = upkeep.purge(conn, before_us=50, failed_before_us=20, limit=10)
        later = upkeep.purge(conn, before_us=50, failed_before_us=21, limit=10)

        assert first == [older.id]
        assert set(then) == {made[S.SUCCESS].id, made[S.CANCELLED].id}
        assert set(later) == {made[S.FAILED].id, made[S.TIMED_OUT].id, made[S.CRASHED].id}
        assert runs.get(conn, young.id) == young


def test_slots_without_a_run_go_by_their_last_fire_time(store: Database) -> None:
    """
    A row that stands for several fire times stays as long as the last of them would.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        slots.insert_slots(conn, [skipped(row, 10), skipped(row, 20, until_us=90), skipped(row, 60)])
        upkeep.purge(conn, before_us=50, failed_before_us=0, limit=10)

        assert [view.fire_time[-8:] for view in queries.slots(conn, "nightly")] == [".000060Z", ".000020Z"]


def test_a_slot_stays_while_an_attempt_of_it_does(store: Database) -> None:
    """
    The ledger's row goes with the last of its runs.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        slots.insert_slots(conn, [slot(row, 5)])
        add_run(conn, state=S.CRASHED, schedule_id=row.id, fire_time_us=5, at_us=10)
        add_run(conn, state=S.SUCCESS, schedule_id=row.id, fire_time_us=5, attempt=2, at_us=20)
        upkeep.purge(conn, before_us=30, failed_before_us=0, limit=10)
        kept = queries.slot_of_run(conn, "nightly", 5)
        upkeep.purge(conn, before_us=30, failed_before_us=30, limit=10)

        assert kept is not None
        assert queries.slot_of_run(conn, "nightly", 5) is None


def test_a_long_log_goes_in_pieces(store: Database) -> None:
    """
    The lines of a run with many of them are removed a few at a time before the run is.
    """
    with store.writing() as conn:
        run = add_run(conn, state=S.SUCCESS, at_us=10)
        logs.append(conn, [(run.number, seq, 0, 20, 0, None, -1, "line") for seq in range(25)])
        runs.set_offsets(conn, run.number, journal=0, stdout=0, stderr=0, next_seq=25, stored_bytes=0)
        young = upkeep.trim_logs(conn, before_us=5, failed_before_us=5, rows=10)
        removed = [upkeep.trim_logs(conn, before_us=50, failed_before_us=0, rows=10) for _ in range(3)]

        assert (young, removed) == (0, [10, 10, 0])
        assert [line.seq for line in queries.log_lines(conn, run.number)] == [20, 21, 22, 23, 24]


def test_the_daemons_values_are_kept(store: Database) -> None:
    """
    A value is put, replaced, listed by prefix and forgotten by age.
    """
    with store.writing() as conn:
        upkeep.put_state(conn, "host", "a", at_us=1)
        upkeep.put_state(conn, "host", "b", at_us=2)
        upkeep.put_state(conn, "jump_1", "+5", at_us=3)
        upkeep.put_state(conn, "jump_2", "-5", at_us=4)
        upkeep.put_state(conn, "jumpy", "", at_us=5)

        assert upkeep.get_state(conn, "host") == upkeep.StateRow(key="host", value="b", at_us=2)
        assert upkeep.get_state(conn, "nothing") is None
        assert [row.value for row in upkeep.states(conn, "jump_")] == ["+5", "-5"]
        assert [row.value for row in upkeep.states(conn, "jump_", since_us=4)] == ["-5"]
        upkeep.forget_states(conn, "jump_", before_us=4)
        assert [row.key for row in upkeep.states(conn, "")] == ["host", "jump_2", "jumpy"]
