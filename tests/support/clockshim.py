"""
A wall clock that a test can move under a running process tree, by LD_PRELOAD; the monotonic clock stays real.
"""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

from support.needs import cannot_run

_SOURCE = Path(__file__).with_name("clockshim.c")


class ClockShim:
    """
    The offset file and the library of one test; give :meth:`env` to each process that shall follow it.
    """

    def __init__(self, folder: Path) -> None:
        """
        Build the library in *folder*; the clock starts unmoved.
        """
        if shutil.which("gcc") is None:
            cannot_run("moving the clock needs gcc")

        self._library = folder / "clockshim.so"
        self._offset = folder / "clockshim.offset"
        self._offset.write_bytes(struct.pack("q", 0))
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", self._library, _SOURCE], check=True)

    def env(self) -> dict[str, str]:
        """
        Return the environment variables that put a process under this clock.
        """
        return {"LD_PRELOAD": str(self._library), "CLOCKSHIM": str(self._offset)}

    def set(self, seconds: float) -> None:
        """
        Let the wall clock of those processes, from now on, differ by *seconds* from the real one.
        """
        with self._offset.open("r+b") as file, mmap.mmap(file.fileno(), 8) as mapped:
            mapped[:8] = struct.pack("q", round(seconds * 1_000_000_000))
