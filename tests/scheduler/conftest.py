"""
A rig for every test that wants one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """
    A new, empty rig with 8 places.
    """
    made = Rig(tmp_path)
    yield made
    made.database.close()
