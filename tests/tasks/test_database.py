"""
SQLite databases as tasks.
"""

import sqlite3

import pytest

from orchd import Flow
from orchd.tasks.database import SQLiteQuery, SQLiteScript
from support.recording import executed


def test_a_script_writes_and_a_query_reads(tmp_path):
    """
    The rows are the result; what a query changes is there afterwards.
    """
    db = str(tmp_path / "a.db")
    with Flow("f") as flow:
        made = SQLiteScript(db=db, script="CREATE TABLE t (x, y); INSERT INTO t VALUES (1, 'a'), (2, 'b');")()
        added = SQLiteQuery(db=db, name="add")(query="INSERT INTO t VALUES (3, 'c')", upstream_tasks=[made])
        rows = SQLiteQuery(db, "SELECT y FROM t WHERE x > ?", data=(1,))(upstream_tasks=[added])

    state, _ = executed(flow)

    assert (state.result[made].result, state.result[rows].result) == (None, [("b",), ("c",)])


@pytest.mark.parametrize(
    ("run", "part"),
    [
        (lambda: SQLiteQuery().run(query="x"), "A database connection string"),
        (lambda: SQLiteQuery(db=":memory:").run(), "A query string"),
        (lambda: SQLiteScript().run(script="x"), "A database connection string"),
        (lambda: SQLiteScript(db=":memory:").run(), "A script"),
    ],
)
def test_what_is_missing_is_named(run, part):
    """
    Database, statement, script.
    """
    with pytest.raises(ValueError, match=part):
        run()


def test_what_sqlite_refuses_fails():
    """
    With its own words.
    """
    with pytest.raises(sqlite3.OperationalError, match="no such table: t"):
        SQLiteQuery(db=":memory:", query="SELECT * FROM t").run()
