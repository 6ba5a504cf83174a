"""
The state folder: made private, tried out, and held by one daemon at a time.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from orchd.errors import StateError

LOCK_NAME: Final = "daemon.lock"
RUNS_NAME: Final = "runs"
RESULTS_NAME: Final = "results"
CACHES_NAME: Final = "caches"


class StateFolder:
    """
    A state folder that this process holds until it ends, however it ends.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @property
    def runs(self) -> Path:
        """
        The folder of the runs' folders.
        """
        return self.path / RUNS_NAME

    @property
    def results(self) -> Path:
        """
        The folder in which runs keep their results, unless ``ORCHD_RESULTS_DIR`` says otherwise.
        """
        return self.path / RESULTS_NAME

    @classmethod
    def take(cls, path: Path) -> "StateFolder":
        """
        Make the folder where it is missing, see that it can be written, and hold it.

        Raises:
            StateError: it cannot be written, is full, or another daemon holds it; says which and who.
        """
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            (path / RUNS_NAME).mkdir(exist_ok=True, mode=0o700)
            descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StateError(
                f"the state folder {path} cannot be used: {error.strerror}; "
                "make it writable for this user, or set state_dir under [daemon]"
            ) from error

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another orchd"
            os.close(descriptor)
            raise StateError(
                f"{holder} already runs on the state folder {path}; stop it first, or set another state_dir"
            ) from error

        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"orchd with pid {os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(descriptor)
            raise StateError(f"the state folder {path} cannot be written: {error.strerror}; free some space") from error

        return cls(path, descriptor)

    def release(self) -> None:
        """
        Let go, so that another daemon may take it.
        """
        os.close(self._descriptor)


def caches_folder(runs: Path) -> Path:
    """
    Return the folder of results that stand for further runs, beside that of the runs' folders.
    """
    return runs.with_name(CACHES_NAME)
