"""
The lists stay quick with a million runs, because an index answers each: SQLite says so itself.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from orchd.model.ids import FlowRunId
from orchd.model.slots import Outcome
from orchd.model.states import FlowRunState
from orchd.store import children, queries, runs, slots, upkeep, usual, waits
from orchd.store.database import Connection, Database
from store.making import add_run

S = FlowRunState
_BAD = [S.FAILED, S.CRASHED]


def plan_of(conn: Connection, ask: Callable[[Connection], object]) -> str:
    """
    Return SQLite's plans of all statements that *ask* executes.
    """
    seen: list[tuple[str, object]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        seen.append((statement, parameters))

    sa.event.listen(conn, "before_cursor_execute", note)
    ask(conn)
    sa.event.remove(conn, "before_cursor_execute", note)
    plans = [conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters) for statement, parameters in seen]
    return "\n".join(str(row[-1]) for plan in plans for row in plan)


def tasks_of_run(conn: Connection, **chosen: object) -> object:
    """
    Ask for task runs of a run that has none.
    """
    return queries.task_runs(conn, add_run(conn), limit=9, **chosen)


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda conn: queries.runs(conn, before=9), "INTEGER PRIMARY KEY (rowid<?)"),
        (lambda conn: queries.runs(conn, flow="f"), "ix_flow_run_flow_number (flow=?)"),
        (lambda conn: queries.runs(conn, states=_BAD), "ix_flow_run_state_number (state=?)"),
        (lambda conn: queries.runs(conn, flow="f", states=_BAD), "ix_flow_run_flow_state_number (flow=? AND state=?)"),
        (lambda conn: queries.runs(conn, since_us=5), "ix_flow_run_created_at_us (created_at_us>?)"),
        (lambda conn: queries.counts(conn, since_us=5), "ix_flow_run_ended_at_us_state (ended_at_us>?)"),
        (lambda conn: queries.ended_runs(conn, states=_BAD, since_us=5), "ended_at_us_state (ended_at_us>?)"),
        (lambda conn: queries.latest_run(conn, "f"), "ix_flow_run_flow_number (flow=?)"),
        (lambda conn: runs.live(conn), "ix_flow_run_state_number (state=?)"),
        (lambda conn: runs.by_key(conn, "k"), "uq_flow_run_idempotency_key (idempotency_key=?)"),
        (lambda conn: slots.newest_finishes(conn, 1, ["f"], _BAD, 5), "ix_flow_run_flow_ended_at_us (flow=? AND ended"),
        (
            lambda conn: waits.young_runs(conn, "f", since_us=5, until_us=9),
            "flow_ended_at_us (flow=? AND ended_at_us>?)",
        ),
        (lambda conn: waits.runs_of_slot(conn, "f", 5), "(schedule_id=? AND fire_time_us=?)"),
        (
            lambda conn: waits.succeeded_slots(conn, "f", since_us=5, limit=9),
            "(schedule_id=? AND fire_time_us>?)",
        ),
        (lambda conn: children.children(conn, "p", limit=9), "ix_flow_run_parent_run_id (parent_run_id=?)"),
        (
            lambda conn: children.latest_child(conn, [FlowRunId("p"), FlowRunId("q")], key_prefix="p/t.1-0#"),
            "ix_flow_run_parent_run_id (parent_run_id=?)",
        ),
        (lambda conn: usual.lengths_s(conn, "f"), "ix_flow_run_flow_state_number (flow=? AND state=?)"),
        (lambda conn: queries.last_slots(conn, [1]), "PRIMARY KEY (schedule_id=?"),
        (lambda conn: queries.last_bars(conn, "f", limit=9), "ix_flow_run_flow_number (flow=?)"),
        (lambda conn: queries.latest_flows(conn, limit=9), "ix_flow_run_flow_number (flow=?)"),
        (
            lambda conn: queries.search_end(conn, flow="f", states=_BAD, before=9, count=5),
            "COVERING INDEX ix_flow_run_flow_state_number (flow=? AND state=? AND number<?)",
        ),
        (lambda conn: queries.unstarted(conn, since_us=5, limit=9), "ix_slot_without_run (fire_time_us>?)"),
        (lambda conn: queries.ledger(conn, until_us=5, limit=9), "ix_slot_fire_time_us (fire_time_us<?)"),
        (
            lambda conn: queries.ledger(conn, outcomes=[Outcome.MISSED], limit=9),
            "ix_slot_outcome_without_run (outcome=?",
        ),
        (lambda conn: queries.run_moves(conn, 5), "ix_event_run_number (run_number=? AND slug=?)"),
        (
            lambda conn: tasks_of_run(conn, after=("m", 9)),
            "PRIMARY KEY (run_number=? AND (slug,map_index)>(?,?))",
        ),
        (
            lambda conn: tasks_of_run(conn, slug="m", after=("m", 9)),
            "PRIMARY KEY (run_number=? AND slug=? AND map_index>?)",
        ),
        (
            lambda conn: queries.task_moves(conn, 5, "m", 9),
            "ix_event_run_number (run_number=? AND slug=? AND map_index=?)",
        ),
        (lambda conn: queries.first_error(conn, 5), "ix_log_warnings (run_number=? AND seq>?)"),
        (
            lambda conn: queries.log_page_before(conn, 5, only=queries.LogFilter(level=30), limit=9, within=9),
            "ix_log_warnings (run_number=?",
        ),
        (
            lambda conn: queries.log_page(conn, 5, only=queries.LogFilter(text="x")),
            "SEARCH log USING PRIMARY KEY (run_number=? AND seq",
        ),
        (
            lambda conn: queries.log_page(conn, 5, only=queries.LogFilter(text="x", level=40)),
            "CO-ROUTINE anon_1\nSEARCH log USING INDEX ix_log_warnings (run_number=? AND seq>?)",
        ),
        (
            lambda conn: queries.log_page_before(conn, 5, only=queries.LogFilter(task="x")),
            "SEARCH log USING PRIMARY KEY (run_number=? AND seq",
        ),
        (lambda conn: queries.flows(conn, after="f", limit=9), "sqlite_autoindex_flow_1 (name>?)"),
        (lambda conn: queries.schedules(conn, after="f", limit=9), "sqlite_autoindex_schedule_1 (name>?)"),
        (lambda conn: queries.projects(conn, after="f", limit=9), "sqlite_autoindex_project_1 (name>?)"),
        (lambda conn: queries.tokens(conn, after="f", limit=9), "uq_access_name (name>?)"),
        (
            lambda conn: upkeep.purge(conn, before_us=5, failed_before_us=3, limit=9),
            "ix_flow_run_ended_at_us_state (ended_at_us<?)",
        ),
    ],
)
def test_an_index_answers(tmp_path: Path, ask: Callable[[Connection], object], index: str) -> None:
    """
    The plan uses the index made for the question, and never walks all runs or slots.
    """
    store = Database.open("sqlite", state_dir=tmp_path)
    with store.writing() as conn:
        plan = plan_of(conn, ask)
    store.close()

    assert index in plan
    assert "SCAN flow_run" not in plan
    assert "SCAN slot" not in plan
