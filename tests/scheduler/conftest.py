"""
A rig, and a daemon over it, for every test that wants one.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.daemon import Daemon
from scheduler.rig import Rig, every_minute


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """
    A new, empty rig with 8 places.
    """
    made = Rig(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def daemon(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """
    A daemon with one schedule that is due each minute, which has begun.
    """
    rig.use(every_minute("a"))
    made = Daemon(rig, monkeypatch)
    made.load()
    made.tick()
    return made


@pytest.fixture
def launched(daemon: Daemon) -> Daemon:
    """
    The same with a run that was launched.
    """
    daemon.tick(after=timedelta(seconds=60))
    return daemon
