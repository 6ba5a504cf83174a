"""
The gate between a run's own preparations and user code: its monitor opens it when ``started`` is safe on the disk.
"""

import contextlib
import os


class Gate:
    """
    A pipe, made before the fork. Whoever dies without opening it leaves it shut for ever.
    """

    def __init__(self) -> None:
        self._exit, self._entry = os.pipe()

    def open(self) -> None:
        """
        Let the run through. In the monitor; the run may be gone already.
        """
        with contextlib.suppress(BrokenPipeError):
            os.write(self._entry, b"\n")

    def close(self) -> None:
        """
        Keep no descriptor of it; a run that still waits is not let through any more.
        """
        os.close(self._exit)
        os.close(self._entry)

    def pass_through(self) -> bool:
        """
        Wait until it is opened, and tell whether it ever was. In the run.
        """
        os.close(self._entry)
        is_open = os.read(self._exit, 1) != b""
        os.close(self._exit)
        return is_open
