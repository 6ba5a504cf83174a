"""
Connections to SQLite and Postgres, set up the only way that the store uses them.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from orchd.errors import StoreError

#: Readers at once; more wait for one to come back.
READERS: Final = 8

_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA temp_store=MEMORY",
)


def sqlite_writer(path: Path, *, busy_timeout_s: float) -> sa.Engine:
    """
    Return the engine of the one connection that writes *path*: each transaction is ``BEGIN IMMEDIATE``.

    Args:
        busy_timeout_s: how long a transaction waits for another process that holds the file locked.
    """
    pragmas = ("PRAGMA journal_mode=WAL", *_PRAGMAS, "PRAGMA cache_size=-32000")
    return _sqlite(path, "BEGIN IMMEDIATE", pragmas, size=1, busy_timeout_s=busy_timeout_s)


def sqlite_reader(path: Path, *, busy_timeout_s: float) -> sa.Engine:
    """
    Return the engine of the connections that only read *path*.
    """
    return _sqlite(path, "BEGIN", (*_PRAGMAS, "PRAGMA query_only=ON"), size=READERS, busy_timeout_s=busy_timeout_s)


def _sqlite(path: Path, begin: str, pragmas: tuple[str, ...], *, size: int, busy_timeout_s: float) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=sa.QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={"timeout": busy_timeout_s, "isolation_level": None, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def sqlite_connection(connection: sa.Connection) -> sqlite3.Connection:
    """
    Return the driver's own connection below *connection*, which must be one to SQLite.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise StoreError("this store is no SQLite file")

    return driver


def state_file(state_dir: Path) -> Path:
    """
    Return the SQLite file of a state folder.
    """
    return Path(os.path.abspath(state_dir)) / "orchd.sqlite3"
