"""
A store of each kind for every test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchd.store.database import Database
from orchd.store.schema import metadata
from support.postgres import Cluster, postgres, postgres_url

__all__ = ["postgres", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """
    Each of the two databases.
    """
    return request.param


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str:
    """
    What ``store =`` says for a new database of this test's own.
    """
    return "sqlite" if kind == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def own_store(url: str, tmp_path: Path) -> Iterator[Database]:
    """
    A new, empty store behind *url*, which the test may close or break.
    """
    database = Database.open(url, state_dir=tmp_path)
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_store(postgres: Cluster) -> Iterator[Database]:
    """
    One Postgres store for all tests that only fill it: making a new one for each takes longer than most of them.
    """
    database = Database.open(postgres.new_database(), state_dir=Path())
    yield database
    database.close()


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """
    An empty store.
    """
    if kind == "postgres":
        database: Database = request.getfixturevalue("postgres_store")
        with database.writing() as conn:
            for table in reversed(metadata.sorted_tables):
                conn.execute(table.delete())
            conn.exec_driver_sql("ALTER SEQUENCE flow_run_number_seq RESTART")
        yield database
        return

    database = Database.open("sqlite", state_dir=tmp_path)
    yield database
    database.close()
