"""
Results of ``cache_for`` that outlive the process: one file for each, in a folder for each name.

A file is written whole, never changed, and says in its own name when it is over; so runs beside each other never tear
one, and whoever cleans up need not look into it.
"""

import pickle
import zlib
from collections.abc import Iterator, MutableMapping
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

import cloudpickle

from orchd import clock
from orchd.engine.faults import said
from orchd.engine.logs import get_logger
from orchd.engine.state import Cached
from orchd.model.instants import to_us
from orchd.results.result import Result

LOG: Final = get_logger("TaskRunner")

SUFFIX: Final = ".cache"
#: First line of a file: the length and the checksum of what is asked of it, and the checksum of the value after that.
_HEAD: Final = b"orchd-cache 1 %012d %08x %08x\n"
_HEAD_SIZE: Final = len(_HEAD % (0, 0, 0))


_FIELDS: Final = ("cached_parameters", "cached_result_expiration", "hashed_inputs")


class InFile(Result):
    """
    The result of an earlier process, whose value is still in the file *path*.
    """

    def __init__(self, path: str, location: str | None) -> None:
        super().__init__(location=location)
        self.path = path


def fetched(state: Cached) -> Cached | None:
    """
    Return *state* with its value, read from its file where it has one; None, with a warning, when that cannot be.
    """
    held = state._result
    if not isinstance(held, InFile):
        return state

    try:
        data = Path(held.path).read_bytes()
        length, _, checksum = _head(data)
        value = memoryview(data)[_HEAD_SIZE + length :]
        if zlib.crc32(value) != checksum:
            raise ValueError("it is not whole")

        result = Result(value=pickle.loads(value), location=held.location)
    except Exception as exc:
        LOG.warning("The cached result %s cannot be read, so it counts as absent: %s", held.path, said(exc))
        return None

    return Cached(message=state.message, result=result, **{name: getattr(state, name) for name in _FIELDS})


class KeptCaches(MutableMapping[str, list[Cached]]):
    """
    Name -> earlier results, newest first, as they were when this process asked for the first time.
    """

    def __init__(self, folder: str) -> None:
        """
        Args:
            folder: of all caches; made at the first write.
        """
        self.folder = folder
        self._known: dict[str, list[Cached]] = {}

    def __getitem__(self, name: str) -> list[Cached]:
        if name not in self._known:
            self._known[name] = [state for path in self._paths(name) if (state := _read(path)) is not None]

        return self._known[name]

    def __setitem__(self, name: str, states: list[Cached]) -> None:
        """
        Keep those of *states* that are not kept yet. What cannot be kept is said, and holds for this process only.
        """
        held = {path.name.partition("-")[0] for path in self._paths(name)}
        for state in reversed(states):
            if isinstance(state._result, InFile) or (expires := state.cached_result_expiration) is None:
                continue

            if f"{to_us(expires)}" not in held:
                self._write(name, state, expires_us=to_us(expires))

        self._known[name] = list(states)

    def __delitem__(self, name: str) -> None:
        for path in self._paths(name):
            path.unlink(missing_ok=True)

        self._known.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._known))

    def __len__(self) -> int:
        return len(self._known)

    def _of(self, name: str) -> Path:
        return Path(self.folder, sha256(name.encode(errors="surrogatepass")).hexdigest()[:32])

    def _paths(self, name: str) -> list[Path]:
        now_us = clock.now_us()
        try:
            found = [path for path in self._of(name).iterdir() if path.suffix == SUFFIX]
        except OSError:
            return []

        fresh = [path for path in found if not is_over(path.name, now_us=now_us)]
        return sorted(fresh, key=lambda path: path.name.split("-")[1], reverse=True)

    def _write(self, name: str, state: Cached, *, expires_us: int) -> None:
        location = state._result.location
        asked = {field: getattr(state, field) for field in (*_FIELDS, "message")}
        asked["location"] = location if isinstance(location, str) else None
        path = self._of(name) / f"{expires_us}-{clock.now_us()}-{uuid4().hex[:8]}{SUFFIX}"
        temporary = path.with_suffix(".tmp")
        try:
            words, value = cloudpickle.dumps(asked), cloudpickle.dumps(state.result)
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(_HEAD % (len(words), zlib.crc32(words), zlib.crc32(value)) + words + value)
            temporary.replace(path)
        except Exception as exc:
            temporary.unlink(missing_ok=True)
            LOG.warning("The result of '%s' cannot be kept for other runs (cache_for): %s", name, said(exc))


def is_over(file: str, *, now_us: int) -> bool:
    """
    Tell by its name whether the result in *file* has expired; False for a name that says no time.
    """
    expires, _, _ = file.partition("-")
    return expires.isdecimal() and int(expires) <= now_us


def _head(data: bytes) -> tuple[int, int, int]:
    words = data[:_HEAD_SIZE].split()
    if len(words) != len(_HEAD.split()) or words[0] != b"orchd-cache":
        raise ValueError("it is not whole")

    return int(words[2]), int(words[3], 16), int(words[4], 16)


def _read(path: Path) -> Cached | None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_SIZE)
            length, checksum, _ = _head(head)
            words = file.read(length)

        if zlib.crc32(words) != checksum:
            raise ValueError("it is not whole")

        asked = pickle.loads(words)
        return Cached(result=InFile(str(path), asked.pop("location")), **asked)
    except FileNotFoundError:
        return None
    except Exception as exc:
        LOG.warning("The cached result %s cannot be read, so it counts as absent: %s", path, said(exc))
        return None
