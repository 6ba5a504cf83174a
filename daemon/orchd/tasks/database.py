"""
SQLite databases as tasks.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from orchd.flow.helpers import defaults_from_attrs
from orchd.flow.task import Task


class SQLiteQuery(Task):
    """
    Runs one statement, and gives the rows that it returns.
    """

    def __init__(
        self, db: str | None = None, query: str | None = None, data: Sequence[Any] = (), **task_args: Any
    ) -> None:
        """
        Args:
            db: path of the database's file; like the rest, it may also be given in the flow.

            query: one statement of SQL.

            data: values of its question marks.
        """
        self.db = db
        self.query = query
        self.data = data
        super().__init__(**task_args)

    @defaults_from_attrs("db", "query")
    def run(self, db: str | None = None, query: str | None = None, data: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """
        Run the statement, and return its rows.

        Raises:
            ValueError: there is no database, or no statement.

            sqlite3.Error: SQLite refused it.
        """
        if not db:
            raise ValueError("A database connection string must be provided.")

        if not query:
            raise ValueError("A query string must be provided.")

        with closing(sqlite3.connect(db)) as connection, connection:
            return connection.execute(query, data or self.data).fetchall()


class SQLiteScript(Task):
    """
    Runs a script of statements.
    """

    def __init__(self, db: str | None = None, script: str | None = None, **task_args: Any) -> None:
        """
        Args:
            db: path of the database's file; like the script, it may also be given in the flow.

            script: statements of SQL.
        """
        self.db = db
        self.script = script
        super().__init__(**task_args)

    @defaults_from_attrs("db", "script")
    def run(self, db: str | None = None, script: str | None = None) -> None:
        """
        Run the script.

        Raises:
            ValueError: there is no database, or no script.

            sqlite3.Error: SQLite refused it.
        """
        if not db:
            raise ValueError("A database connection string must be provided.")

        if not script:
            raise ValueError("A script must be provided.")

        with closing(sqlite3.connect(db)) as connection, connection:
            connection.executescript(script)
