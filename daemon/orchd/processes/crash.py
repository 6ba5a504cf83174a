"""
Deaths on purpose, for the tests that kill: ``ORCHD_CRASH_AT=name:n:file`` ends the process that is n-th to pass *name*,
and makes *file*, so that the test can know.
"""

import mmap
import os
from typing import Final

_NAME, _, _REST = os.environ.get("ORCHD_CRASH_AT", "").partition(":")
_NTH, _, _FILE = _REST.partition(":")
_DEAD: Final = 137
#: Shared by all forks, so that one death is one death.
_passed: Final = mmap.mmap(-1, 8) if _NAME else None


def crash_at(name: str) -> None:
    """
    Die here, leaving everything as ``kill -9`` does, if a test asked for it.
    """
    if _passed is None or name != _NAME:
        return
    count = int.from_bytes(_passed[:8], "little") + 1
    _passed[:8] = count.to_bytes(8, "little")
    if count == int(_NTH or 1):
        if _FILE:
            os.close(os.open(_FILE, os.O_WRONLY | os.O_CREAT, 0o600))
        os._exit(_DEAD)
