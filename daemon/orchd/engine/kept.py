"""
Results that a run keeps by itself in a folder of its own, so that a later attempt can use them again.

Small ones lie one after the other in a file of their process, as making a file costs more than most tasks; a large one
has a file of its own. Nothing is synced: what power loss tears is known by its checksum, and counts as absent.
"""

import os
import pickle
import threading
import zlib
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import cloudpickle

SUFFIX: Final = ".kept"
#: Larger results have a file of their own.
LARGE: Final = 64 * 1024
#: Types that mean the same in every process, and whose pickles need not be made the long way.
_PLAIN: Final = frozenset({bool, int, float, str, bytes, type(None)})


class Torn(ValueError):
    """
    A kept result is not whole: the machine lost power before it was on the disk, or somebody changed it.
    """


class KeptResults:
    """
    The kept results of one attempt. Copies in other processes write into files of their own.

    A location is the path of a file, and where in it the result lies: ``/folder/6f1c.kept:OFFSET:SIZE:CHECKSUM``.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        #: Why values could not be kept; each reason is given away once.
        self._told: set[str] = set()
        self._adopted: dict[str, str] = {}
        self._lock = threading.Lock()
        self._small: _Small | None = None

    def __reduce__(self) -> tuple[type["KeptResults"], tuple[str]]:
        return KeptResults, (self.folder,)

    def write(self, value: Any) -> str:
        """
        Keep *value*, and return its location.

        Raises:
            OSError: the folder cannot be written.

            Exception: the value cannot be pickled.
        """
        data = pickle.dumps(value, protocol=5) if type(value) in _PLAIN else cloudpickle.dumps(value)
        seal = f"{len(data)}:{zlib.crc32(data):08x}"
        if len(data) <= LARGE:
            with self._lock:
                if self._small is None or self._small.pid != os.getpid():
                    self._small = _Small(self._new_file())

                return f"{self._small.path}:{self._small.append(data)}:{seal}"

        path = self._new_file()
        Path(path).write_bytes(data)
        return f"{path}:0:{seal}"

    def is_news(self, why: str) -> bool:
        """
        True when *why* was not told before in this process.
        """
        is_new = why not in self._told
        self._told.add(why)
        return is_new

    def adopt(self, location: str) -> str:
        """
        Have the file of *location*, of an earlier attempt, be one of this one too, and return the new location.

        It is one file with two names, so that either attempt may be forgotten. Where the file system has no such thing,
        *location* comes back.
        """
        path, _, where = location.rpartition(f"{SUFFIX}:")
        if path not in self._adopted:
            self._adopted[path] = self._linked(path)

        return f"{self._adopted[path]}{SUFFIX}:{where}"

    def _linked(self, path: str) -> str:
        own = os.path.join(self.folder, os.path.basename(path))
        try:
            os.link(path + SUFFIX, own + SUFFIX)
        except FileExistsError:
            return own
        except OSError:
            return path

        return own

    def _new_file(self) -> str:
        return os.path.join(self.folder, f"{uuid4().hex[:16]}{SUFFIX}")


class _Small:
    """
    The file of one process, to which small results are appended.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.pid = os.getpid()
        self._size = 0
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def append(self, data: bytes) -> int:
        """
        Write *data* behind the rest, and return where it begins.
        """
        begin = self._size
        self._size += os.write(self._fd, data)
        if self._size != begin + len(data):
            raise OSError(f"only a part was written to {self.path}: is the disk full?")

        return begin

    def __del__(self) -> None:
        os.close(self._fd)


def is_kept(location: str) -> bool:
    """
    Tell whether *location* is that of a kept result, and not one that a flow chose.
    """
    return os.path.isabs(location) and f"{SUFFIX}:" in location


def read(location: str) -> Any:
    """
    Return the value that is kept at *location*.

    Raises:
        OSError: nothing is there, or it cannot be read.

        Torn: it is not whole.

        Exception: its class is not there any more.
    """
    path, _, where = location.rpartition(f"{SUFFIX}:")
    begin, size, checksum = where.split(":")
    with open(path + SUFFIX, "rb") as file:
        file.seek(int(begin))
        data = file.read(int(size))

    if len(data) != int(size) or zlib.crc32(data) != int(checksum, 16):
        raise Torn("it is not whole")

    return pickle.loads(data)
