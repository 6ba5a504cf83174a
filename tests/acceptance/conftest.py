"""
Daemons for the acceptance tests: each in a folder of its own, with nothing left of it after its test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """
    A daemon that is not started yet.
    """
    made = Daemon(tmp_path / "h")
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    One daemon for all tests of a module that leave it as they find it; the module configures and starts it.
    """
    made = Daemon(tmp_path_factory.mktemp("shared") / "h")
    yield made
    made.close()
