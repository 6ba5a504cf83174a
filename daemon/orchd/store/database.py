"""
One store: a writer connection, pooled readers, checkpoints, backup, and the schema's version at start.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from orchd.errors import StoreError
from orchd.store import engines, upgrade
from orchd.store.failures import store_error
from orchd.store.schema import HEAD

__all__ = ["Connection", "Database"]

#: From this size on a checkpoint also cuts the WAL file, which costs the next commits a longer sync.
_CUT_BYTES: Final = 4 << 20


class Database:
    """
    The run store of one daemon.
    """

    def __init__(self, *, writer: sa.Engine, reader: sa.Engine, where: str, path: Path | None) -> None:
        self._writer = writer
        self._reader = reader
        self._unchecked = True
        #: The store in words, without a password.
        self.where = where
        #: The SQLite file; None for Postgres.
        self.path = path

    @classmethod
    def open(cls, url: str, *, state_dir: Path, busy_timeout_s: float = 5.0) -> "Database":
        """
        Open the store, make it if there is none, and bring it to this program's version.

        Args:
            url: ``sqlite`` (a file in *state_dir*) or ``postgresql+psycopg://...``.

            busy_timeout_s: how long a write waits for another process that holds the file locked.

        Raises:
            StoreError: it cannot be reached, is damaged, is of a newer orchd, or another daemon holds it.
        """
        database = _sqlite(state_dir, busy_timeout_s) if url == "sqlite" else _postgres(url)
        try:
            database._bring_up()
        except BaseException:
            database.close()
            raise

        return database

    def _bring_up(self) -> None:
        existed = self.path is not None and self.path.exists()
        with self.writing() as conn:
            if existed:
                upgrade.check_whole(conn, where=self.where)
            revision = upgrade.revision(conn, where=self.where)
            if revision is None:
                upgrade.create(conn)
                return

        if revision == HEAD:
            return

        if self.path is not None:
            self.backup(self.path.with_name(f"{self.path.name}.before-{HEAD}"))
        upgrade.migrate(self._writer.url, where=self.where)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """
        Open one transaction that may write; it is committed at the end, and rolled back by any exception.

        Only the writer thread uses it. After a StoreError nothing of it is stored (with Postgres, an error of the
        commit itself leaves that unknown: read again by key), and the next call may succeed.
        """
        try:
            with self._writer.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise store_error(error, where=self.where) from error
        finally:
            self._unchecked = True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """
        Open one transaction that sees one state of the store and cannot write. Any thread may.
        """
        try:
            with self._reader.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise store_error(error, where=self.where) from error

    def checkpoint(self) -> None:
        """
        Move what the WAL file holds into the SQLite file, as far as readers let it, without waiting for them.

        Only the writer thread uses it. Costs nothing when nothing was written since the last one.
        """
        if self.path is None or not self._unchecked:
            return

        mode = "TRUNCATE" if self.wal_bytes() >= _CUT_BYTES else "PASSIVE"
        try:
            with self._writer.connect() as connection:
                driver = engines.sqlite_connection(connection)
                timeout = driver.execute("PRAGMA busy_timeout").fetchone()[0]
                driver.execute("PRAGMA busy_timeout=0")
                try:
                    busy, frames, moved = driver.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
                finally:
                    driver.execute(f"PRAGMA busy_timeout={timeout}")
        except sqlite3.Error as error:
            raise store_error(sa.exc.OperationalError(None, None, error), where=self.where) from error

        self._unchecked = bool(busy) or frames != moved

    def size(self, conn: Connection) -> int:
        """
        Return how many bytes the store takes on its disk.
        """
        if self.path is not None:
            return self.path.stat().st_size + self.wal_bytes()

        found: int = conn.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()
        return found

    def wal_bytes(self) -> int:
        """
        Return the size of SQLite's WAL file; 0 for Postgres. A large one asks for a :meth:`checkpoint`.
        """
        if self.path is None:
            return 0

        try:
            return os.stat(f"{self.path}-wal").st_size
        except FileNotFoundError:
            return 0

    def backup(self, path: Path) -> None:
        """
        Write a copy of the SQLite store to *path*, whole or not at all, while others read and write.

        Raises:
            StoreError: the copy cannot be written, or the store is Postgres, which has its own ``pg_dump``.
        """
        if self.path is None:
            raise StoreError(f"the run store {self.where} is Postgres: copy it with pg_dump")

        copy_sqlite(self.path, path)

    def close(self) -> None:
        """
        Close all connections.
        """
        self._reader.dispose()
        self._writer.dispose()


def _sqlite(state_dir: Path, busy_timeout_s: float) -> Database:
    path = engines.state_file(state_dir)
    return Database(
        writer=engines.sqlite_writer(path, busy_timeout_s=busy_timeout_s),
        reader=engines.sqlite_reader(path, busy_timeout_s=busy_timeout_s),
        where=str(path),
        path=path,
    )


def _postgres(url: str) -> Database:
    parsed = engines.postgres_url(url)
    return Database(
        writer=engines.postgres_writer(parsed),
        reader=engines.postgres_reader(parsed),
        where=parsed.render_as_string(),
        path=None,
    )


def copy_sqlite(source: Path, target: Path) -> None:
    """
    Copy the SQLite file *source* with all that its WAL holds to *target*, whole or not at all.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(part)) as writer:
            reader.execute("PRAGMA wal_autocheckpoint=0")
            reader.backup(writer)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the run store {source} cannot be copied to {target}: {error}") from error
