"""
Which version a store is of, and how it becomes this program's. Alembic itself is only imported in a child process.
"""

import subprocess
import sys

import sqlalchemy as sa
from sqlalchemy import Connection

from orchd.errors import StoreError
from orchd.store.schema import HEAD, alembic_version, metadata


def check_whole(conn: Connection, *, where: str) -> None:
    """
    Refuse a SQLite file that is damaged.

    Raises:
        StoreError: ``PRAGMA quick_check`` found something.
    """
    found = conn.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise StoreError(f"the run store {where} is damaged ({found}): put the last backup in its place")


def revision(conn: Connection, *, where: str) -> str | None:
    """
    Return the revision of the store: None for an empty database, ``""`` for one before the first migration.

    Raises:
        StoreError: it is of a newer orchd, or the database belongs to something else.
    """
    tables = sa.inspect(conn).get_table_names()
    if not tables:
        return None

    if alembic_version.name not in tables:
        raise StoreError(f"the database {where} holds tables of something else: give orchd a database of its own")

    found: str = conn.execute(sa.select(alembic_version.c.version_num)).scalar() or ""
    if found > HEAD:
        raise StoreError(
            f"the run store {where} is of a newer orchd (schema {found}, this one knows {HEAD}): install that one"
        )

    return found


def create(conn: Connection) -> None:
    """
    Make all tables in an empty database, as the migrations would.
    """
    metadata.create_all(conn)
    alembic_version.create(conn)
    conn.execute(alembic_version.insert().values(version_num=HEAD))


def migrate(url: sa.URL, *, where: str) -> None:
    """
    Bring an older store to :data:`~orchd.store.schema.HEAD` in a child process, in one transaction.

    Raises:
        StoreError: a migration failed; the store is as it was.
    """
    done = subprocess.run(
        [sys.executable, "-m", "orchd.store.migrate"],
        input=url.render_as_string(hide_password=False),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise StoreError(f"the run store {where} could not be brought to schema {HEAD}, and is as it was: {why}")
