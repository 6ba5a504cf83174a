"""
Flow runs: made, claimed and moved by the table only.
"""

import threading

import pytest

from orchd.errors import InternalError, NotFound, StaleRun
from orchd.model.ids import FlowRunId
from orchd.model.states import FLOW_RUN_MOVES, FlowRunState
from orchd.store import queries, runs, slots
from orchd.store.database import Database
from store.making import WAYS, WRONG_MOVES, add_run, add_schedule, new_run, slot

S = FlowRunState


def test_a_run_comes_back_as_it_was_made(store: Database) -> None:
    """
    What was inserted is what is read, with a number, and no offsets yet.
    """
    made = new_run(parameters='{"a":1}', upstream_runs={"load": "x"}, idempotency_key="k", created_by="uid 0")
    with store.writing() as conn:
        runs.insert_runs(conn, [made], at_us=7)
    with store.reading() as conn:
        row = runs.get(conn, made.id)

    assert {field: getattr(row, field) for field in made.__struct_fields__} == {
        field: getattr(made, field) for field in made.__struct_fields__
    }
    assert (row.number, row.created_at_us, row.journal_offset, row.next_seq) == (1, 7, 0, 0)


@pytest.mark.parametrize(("source", "to"), [(a, to) for to, sources in FLOW_RUN_MOVES.items() for a in sorted(sources)])
def test_every_move_of_the_table_is_made_with_its_event(store: Database, source: S, to: S) -> None:
    """
    A move that the table allows sets state, message and times, and writes one event row.
    """
    with store.writing() as conn:
        run = add_run(conn, state=source, at_us=10)
        runs.move(conn, run.id, to, at_us=20, message="why", exit_code=3)
        moved = runs.get(conn, run.id)
        events = queries.run_detail(conn, run.id).events

    assert (moved.state, moved.message, moved.exit_code) == (to, "why", 3)
    assert (moved.ended_at_us == 20) == to.is_final
    assert moved.started_at_us == (20 if (source, to) == (S.PENDING, S.RUNNING) else run.started_at_us)
    assert (events[-1].from_, events[-1].to, events[-1].message) == (source, to, "why")
    assert len(events) == len(WAYS[source]) + 2


@pytest.mark.parametrize("source", list(FlowRunState))
def test_no_other_move_is_made(store: Database, source: S) -> None:
    """
    A move that the table does not know changes nothing, and the error names the state that was found.
    """
    with store.writing() as conn:
        run = add_run(conn, state=source)
        for to in [to for wrong, to in WRONG_MOVES if wrong is source and to in FLOW_RUN_MOVES]:
            with pytest.raises(StaleRun, match=f"is {source.value}, and only one that is"):
                runs.move(conn, run.id, to, at_us=99)

        assert runs.get(conn, run.id) == run
        assert len(queries.run_detail(conn, run.id).events) == len(WAYS[source]) + 1


def test_moving_a_run_that_is_not_there_says_so(store: Database) -> None:
    """
    An unknown id is NotFound, not a stale run.
    """
    with store.writing() as conn, pytest.raises(NotFound, match="there is no run 'nobody'"):
        runs.move(conn, FlowRunId("nobody"), S.PENDING, at_us=1)


def test_a_run_that_comes_back_from_waiting_keeps_its_start(store: Database) -> None:
    """
    Only the first move to running sets the start.
    """
    with store.writing() as conn:
        run = add_run(conn, state=S.WAITING, at_us=10)
        runs.move(conn, run.id, S.RUNNING, at_us=30)

        assert runs.get(conn, run.id).started_at_us == 10


def test_of_two_claims_at_once_the_second_gets_nothing(store: Database) -> None:
    """
    The loser of a race for a claim is the one that comes second: it is given an empty list.
    """
    with store.writing() as conn:
        run = add_run(conn)
    claims: dict[str, list[FlowRunId]] = {}
    start = threading.Barrier(2)
    turn = threading.Lock()

    def claim(who: str) -> None:
        start.wait()
        with turn, store.writing() as conn:
            claims[who] = runs.claim(conn, [run.id], host=who, at_us=20)

    rivals = [threading.Thread(target=claim, args=(who,)) for who in ("a", "b")]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()

    winner, loser = sorted(claims, key=lambda who: not claims[who])
    assert (claims[winner], claims[loser]) == ([run.id], [])
    with store.reading() as conn:
        assert (runs.get(conn, run.id).host, len(queries.run_detail(conn, run.id).events)) == (winner, 2)


def test_a_cancel_that_comes_before_the_claim_wins(store: Database) -> None:
    """
    A run that a person cancelled is not among those claimed; the claim is the loser.
    """
    with store.writing() as conn:
        first, second = add_run(conn), add_run(conn)
        runs.move(conn, first.id, S.CANCELLED, at_us=15)

        assert runs.claim(conn, [first.id, second.id, FlowRunId("nobody")], host="h", at_us=20) == [second.id]


def test_claims_come_back_in_the_order_asked(store: Database) -> None:
    """
    The order of a claim is that of the caller, whatever the database does.
    """
    with store.writing() as conn:
        ids = [add_run(conn).id for _ in range(5)][::-1]

        assert runs.claim(conn, ids, host="h", at_us=20) == ids


def test_live_runs_are_those_not_final_in_order_of_number(store: Database) -> None:
    """
    The daemon finds every run that it still has to care for, and no other.
    """
    with store.writing() as conn:
        made = [add_run(conn, state=state) for state in FlowRunState]

        assert runs.live(conn) == [run for run in made if not run.state.is_final]


def test_the_same_slot_and_attempt_cannot_have_two_runs(store: Database) -> None:
    """
    One run for each attempt of a fire time is a constraint of the database itself.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        slots.insert_slots(conn, [slot(row, 5)])
        runs.insert_runs(conn, [new_run(schedule_id=row.id, fire_time_us=5)], at_us=1)
    twin = new_run(schedule_id=row.id, fire_time_us=5)
    with pytest.raises(InternalError, match="refused rows that break a promise"), store.writing() as conn:
        runs.insert_runs(conn, [twin], at_us=1)

    with store.writing() as conn:
        runs.insert_runs(conn, [new_run(schedule_id=row.id, fire_time_us=5, attempt=2)], at_us=1)
        assert [run.attempt for run in runs.live(conn)] == [1, 2]


def test_a_run_of_a_slot_needs_its_slot(store: Database) -> None:
    """
    A scheduled run without a row in the ledger is refused.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
    with pytest.raises(InternalError), store.writing() as conn:
        runs.insert_runs(conn, [new_run(schedule_id=row.id, fire_time_us=5)], at_us=1)


def test_an_idempotency_key_gives_one_run(store: Database) -> None:
    """
    The second request with the same key is refused by the database and finds the first run by it.
    """
    with store.writing() as conn:
        first = add_run(conn, idempotency_key="once")
        add_run(conn)
        add_run(conn)
    with pytest.raises(InternalError), store.writing() as conn:
        add_run(conn, idempotency_key="once")

    with store.reading() as conn:
        assert runs.by_key(conn, "once") == first
        assert runs.by_key(conn, "never") is None


def test_numbers_are_never_used_again(store: Database) -> None:
    """
    A number that a rolled back or removed run had may be passed over, but never means another run.
    """
    with store.writing() as conn:
        first = add_run(conn)
        conn.exec_driver_sql("DELETE FROM flow_run")
    with store.writing() as conn:
        assert add_run(conn).number > first.number


def test_offsets_are_kept(store: Database) -> None:
    """
    What ingest noted is where it goes on after a restart.
    """
    with store.writing() as conn:
        run = add_run(conn)
        runs.set_offsets(conn, run.number, journal=1, stdout=3, stderr=4, next_seq=5, stored_bytes=6)
        row = runs.get(conn, run.id)

    assert (row.journal_offset, row.stdout_offset, row.stderr_offset) == (1, 3, 4)
    assert (row.next_seq, row.stored_bytes) == (5, 6)


def test_making_no_runs_is_fine(store: Database) -> None:
    """
    An empty list of runs or claims does nothing.
    """
    with store.writing() as conn:
        runs.insert_runs(conn, [], at_us=1)

        assert runs.claim(conn, [], host="h", at_us=1) == []
