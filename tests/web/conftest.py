"""
The application over an empty store, for every test that wants it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.rig import Rig
from web.serving import Serving


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """
    A new, empty rig with 8 places.
    """
    made = Rig(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def api(rig: Rig, tmp_path: Path) -> Iterator[Serving]:
    """
    The application of a daemon that has the flow ``load`` and no schedule.
    """
    rig.use()
    serving = Serving(rig, tmp_path / "orchd.sock")
    yield serving
    serving.stop()


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """
    The same for all tests of a file, which ask for what is refused.
    """
    folder = tmp_path_factory.mktemp("shared")
    rig = Rig(folder)
    rig.use()
    serving = Serving(rig, folder / "orchd.sock")
    yield serving
    serving.stop()
    rig.database.close()
