"""
A store of each kind for every test, and small makers of what is put into it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchd.store.database import Database
from support.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """
    What ``store =`` says, for each of the two databases.
    """
    if request.param == "sqlite":
        return "sqlite"

    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Database]:
    """
    A new, empty store.
    """
    database = Database.open(url, state_dir=tmp_path)
    yield database
    database.close()
