"""
Results that a run keeps by itself, one file each in a folder of its own, so that a later attempt can use them again.
"""

import os
import pickle
import re
import zlib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import cloudpickle

#: Stands behind the pickle, which ends by itself: readers of plain pickles do not see it.
_SEAL: Final = b"\norchd-crc32 %08x\n"
_SEAL_SIZE: Final = len(_SEAL % 0)
#: Longest part of a file's name that is the task's slug.
_LONGEST: Final = 80


class Torn(ValueError):
    """
    A kept result is not whole: the machine lost power before it was on the disk, or somebody changed it.
    """


@dataclass(frozen=True, slots=True)
class KeptResults:
    """
    The kept results of one attempt. It holds no open file, so that other processes may have a copy.

    They are not synced: what power loss tears is recognised by its checksum, and counts as absent.
    """

    folder: str
    #: Why values could not be kept; each reason is given away once.
    _told: set[str] = field(default_factory=set, compare=False)

    def write(self, slug: str, index: int | None, value: Any) -> str:
        """
        Keep *value* whole or not at all, and return the path of its file.

        Raises:
            OSError: the folder cannot be written.

            Exception: the value cannot be pickled.
        """
        data = cloudpickle.dumps(value)
        path = os.path.join(self.folder, file_name(slug, index))
        temporary = f"{path}.{os.getpid()}.tmp"
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.write(_SEAL % zlib.crc32(data))

            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

        return path

    def is_news(self, why: str) -> bool:
        """
        True when *why* was not told before in this process.
        """
        is_new = why not in self._told
        self._told.add(why)
        return is_new

    def adopt(self, location: str) -> str:
        """
        Have the file at *location*, of an earlier attempt, be one of this one too, and return its new path.

        It is one file with two names, so that either attempt may be forgotten. Where the file system has no such thing,
        *location* comes back.
        """
        path = os.path.join(self.folder, os.path.basename(location))
        try:
            os.link(location, path)
        except FileExistsError:
            return path
        except OSError:
            return location

        return path


def is_kept(location: str) -> bool:
    """
    Tell whether *location* is that of a kept result, and not one that a flow chose.
    """
    return location.endswith(".kept") and os.path.isabs(location)


def read(location: str) -> Any:
    """
    Return the value that is kept at *location*.

    Raises:
        OSError: nothing is there, or it cannot be read.

        Torn: it is not whole.

        Exception: its class is not there any more.
    """
    whole = memoryview(Path(location).read_bytes())
    data, seal = whole[:-_SEAL_SIZE], bytes(whole[-_SEAL_SIZE:])
    if seal != _SEAL % zlib.crc32(data):
        raise Torn("it is not whole")

    return pickle.loads(data)


def file_name(slug: str, index: int | None) -> str:
    """
    Return the name of the file of a task run; two task runs never have the same.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", slug)[:_LONGEST]
    if plain != slug:
        plain += "-" + sha256(slug.encode(errors="surrogatepass")).hexdigest()[:12]

    return f"{plain}.kept" if index is None else f"{plain}@{index}.kept"
