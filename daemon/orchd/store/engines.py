"""
Connections to SQLite and Postgres, set up the only way that the store uses them.
"""

import os
import secrets
import socket
import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError
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
#: Key of the advisory lock that the daemon of a Postgres store holds: "orch", 1.
LOCK: Final = (0x6F726368, 1)

#: A server that fell silent is noticed after 10 s, not after the 2 hours that are usual.
_KEEPALIVE: Final = {"keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 2, "tcp_user_timeout": 10_000}

_HOLDER: Final = (
    "SELECT a.application_name, a.pid FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s"
    " AND a.datname = current_database()"
)
#: A commit that the server may still lose would start a run twice.
_DURABLE: Final = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)


def sqlite_writer(path: Path, *, busy_timeout_s: float) -> sa.Engine:
    """
    Return the engine of the one connection that writes *path*: each transaction is ``BEGIN IMMEDIATE``.

    Args:
        busy_timeout_s: how long a transaction waits for another process that holds the file locked.
    """
    pragmas = ("PRAGMA journal_mode=WAL", *_PRAGMAS, "PRAGMA cache_size=-16000")
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


def postgres_url(url: str) -> sa.URL:
    """
    Return *url* for psycopg 3.

    Raises:
        StoreError: it is no Postgres URL.
    """
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in {"postgresql", "postgresql+psycopg"}:
        raise StoreError(f"store = {url!r} is not known: write 'sqlite' or 'postgresql+psycopg://user@host/name'")

    return parsed.set(drivername="postgresql+psycopg")


def postgres_writer(url: sa.URL) -> sa.Engine:
    """
    Return the engine of the one connection that writes; whenever it is made it takes the lock of the store's daemon.
    """
    own = f"orchd on {socket.gethostname()[:30]} pid {os.getpid()} {secrets.token_hex(3)}"
    engine = _postgres(url, application_name=own, size=1)

    @sa.event.listens_for(engine, "connect")
    def lock(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        try:
            _hold(cursor, own=own, where=url.render_as_string())
            cursor.execute(_DURABLE)
            connection.commit()
        except BaseException:
            connection.close()
            raise

    return engine


def _hold(cursor: DBAPICursor, *, own: str, where: str) -> None:
    """
    Take the daemon's lock, waiting a moment for a daemon that was killed just now.

    A holder of our own name is a connection of ours that broke and that the server has not noticed yet: it is ended.
    """
    cursor.execute(_HOLDER, LOCK)
    for name, pid in cursor.fetchall():
        if name == own:
            cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
    cursor.execute("SAVEPOINT before_lock")
    cursor.execute("SET LOCAL lock_timeout = '1500ms'")
    try:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", LOCK)
    except Exception as error:
        if getattr(error, "sqlstate", None) != "55P03":
            raise

        cursor.execute("ROLLBACK TO before_lock")
        cursor.execute(_HOLDER, LOCK)
        holder = ", ".join(name.rpartition(" ")[0] or name for name, _ in cursor.fetchall()) or "another session"
        raise StoreError(f"the run store {where} belongs to {holder}: one store serves one daemon") from None


def postgres_reader(url: sa.URL) -> sa.Engine:
    """
    Return the engine of the connections that only read; each transaction sees one state of the store.
    """
    engine = _postgres(url, application_name="orchd reader", size=READERS, isolation_level="REPEATABLE READ")

    @sa.event.listens_for(engine, "connect")
    def read_only(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.cursor().execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()

    return engine


def _postgres(url: sa.URL, *, application_name: str, size: int, isolation_level: str = "READ COMMITTED") -> sa.Engine:
    try:
        return sa.create_engine(
            url,
            paramstyle="format",
            poolclass=sa.QueuePool,
            pool_size=size,
            max_overflow=0,
            pool_pre_ping=True,
            isolation_level=isolation_level,
            connect_args={"application_name": application_name, "connect_timeout": 5, **_KEEPALIVE},
        )
    except ModuleNotFoundError as error:
        raise StoreError("a Postgres store needs psycopg: pip install 'orchd[postgres]'") from error
