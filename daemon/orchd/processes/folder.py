"""
The folder of one run: the names of its files, and how each that is written whole is written and read.

Who holds which byte of ``lock`` is in ``fence``; the lines of ``journal.jsonl`` are in ``journal``.
"""

import contextlib
import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from orchd.errors import NotFound, StateError
from orchd.model.records import FORMAT_VERSION, Finished, MonitorRecord, Resume, RunSpec, Started, Void

_SPEC: Final = msgspec.json.Decoder(RunSpec)
_RESUME: Final = msgspec.json.Decoder(Resume)
_RECORD: Final[msgspec.json.Decoder[MonitorRecord]] = msgspec.json.Decoder(MonitorRecord)
#: Errors of a system that is short of something: they tell nothing of a file, and may be gone with the next try.
SHORTAGE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class CancelRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The file ``cancel``: the daemon's wish that the run end now.
    """

    reason: str
    #: Seconds between SIGTERM and SIGKILL, counted from the first SIGTERM; None for the run's own grace.
    grace_s: float | None = None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """
    The folder of one run. Holding one of these opens nothing.
    """

    path: Path

    @classmethod
    def create(cls, runs_dir: Path, spec: RunSpec) -> "RunFolder":
        """
        Make the folder and its ``run.json`` and ``lock``, or write ``run.json`` anew for a relaunch.

        Nothing is synced: what power loss takes away was not begun yet, and is made and launched again.

        Args:
            runs_dir: exists; owned by the daemon.

            spec: its ``run_id`` names the folder.
        """
        folder = cls(runs_dir / spec.run_id)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder.path, 0o700)
        # Made without opening it: a close would drop a lock that another thread of this process holds.
        with contextlib.suppress(FileExistsError):
            os.mknod(folder.lock, stat.S_IFREG | 0o600)
        write_whole(folder.spec, msgspec.json.encode(spec))
        return folder

    @property
    def spec(self) -> Path:
        """
        ``run.json``.
        """
        return self.path / "run.json"

    @property
    def resume(self) -> Path:
        """
        ``resume.json``: the attempt that the run goes on from, if it is not the first.
        """
        return self.path / "resume.json"

    @property
    def results(self) -> Path:
        """
        The folder of the results that the run keeps for a later attempt.
        """
        return self.path / "results"

    @property
    def lock(self) -> Path:
        """
        The file whose bytes 0 and 1 are locked by monitor and run.
        """
        return self.path / "lock"

    @property
    def monitor(self) -> Path:
        """
        ``monitor.jsonl``: how the run began and ended.
        """
        return self.path / "monitor.jsonl"

    @property
    def journal(self) -> Path:
        """
        ``journal.jsonl``: what the run says of its tasks.
        """
        return self.path / "journal.jsonl"

    @property
    def stdout(self) -> Path:
        """
        Every byte that anybody in the run wrote to descriptor 1.
        """
        return self.path / "stdout"

    @property
    def stderr(self) -> Path:
        """
        Every byte that anybody in the run wrote to descriptor 2.
        """
        return self.path / "stderr"

    @property
    def cancel(self) -> Path:
        """
        The daemon's wish that the run end, if there is one.
        """
        return self.path / "cancel"

    def read_spec(self) -> RunSpec:
        """
        Read ``run.json``.

        Raises:
            NotFound: there is no such run.

            StateError: a newer orchd wrote it, or it is damaged.
        """
        try:
            spec = _SPEC.decode(self.spec.read_bytes())
        except FileNotFoundError:
            raise NotFound(f"there is no run folder {self.path}") from None
        except msgspec.MsgspecError as error:
            raise StateError(f"{self.spec} cannot be read: {error}") from None
        if spec.version > FORMAT_VERSION:
            raise StateError(
                f"{self.spec} has format {spec.version}, this orchd knows {FORMAT_VERSION}: start the newer orchd again"
            )
        return spec

    def write_resume(self, resume: Resume) -> None:
        """
        Say from which attempt the run goes on; before it is launched.
        """
        write_whole(self.resume, msgspec.json.encode(resume))

    def read_resume(self) -> Resume:
        """
        Read ``resume.json``.

        Raises:
            StateError: it is not there, or damaged.
        """
        try:
            return _RESUME.decode(self.resume.read_bytes())
        except (OSError, msgspec.MsgspecError) as error:
            raise StateError(f"{self.resume} cannot be read: {error}; start the flow anew") from None

    def write_cancel(self, reason: str, *, grace_s: float | None = None) -> None:
        """
        Ask for the run's end. SIGTERM to the monitor makes it look; it may be asked again with a shorter grace.
        """
        write_whole(self.cancel, msgspec.json.encode(CancelRequest(reason=reason, grace_s=grace_s)))

    def read_cancel(self) -> CancelRequest | None:
        """
        Return the wish that the run end, or None.
        """
        try:
            return msgspec.json.decode(self.cancel.read_bytes(), type=CancelRequest)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            return CancelRequest(reason="cancelled")

    def records(self) -> tuple[MonitorRecord, ...]:
        """
        Return the whole records of ``monitor.jsonl``, oldest first; a torn or strange line counts as not there.

        Raises:
            OSError: it cannot be read.
        """
        try:
            with open(open_plain(self.monitor), "rb") as file:
                lines = file.read().split(b"\n")[:-1]
        except FileNotFoundError:
            return ()
        records = []
        for line in lines:
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                records.append(_RECORD.decode(line))
        return tuple(records)

    def began(self) -> Started | Void | None:
        """
        Return how the run passed the fence, or None when nobody passed it yet.
        """
        return next((record for record in self.records() if not isinstance(record, Finished)), None)

    def finished(self) -> Finished | None:
        """
        Return how the run ended, or None.
        """
        return next((record for record in self.records() if isinstance(record, Finished)), None)

    def begin(self, record: Started | Void) -> None:
        """
        Write the first record and sync it and the names that lead to it; a torn one is cut away.

        Only for the holder of byte 0.
        """
        self._write(record, os.O_TRUNC)
        # A folder that power loss takes away would let its run begin twice.
        sync_folder(self.path)
        sync_folder(self.path.parent)

    def end(self, record: Finished, *, on_new_line: bool = False) -> None:
        """
        Append the last record and sync it. Only for the holder of byte 0.

        Args:
            record: how the run ended.

            on_new_line: begin a line, because an earlier try may have been cut short.
        """
        self._write(record, os.O_APPEND, prefix=b"\n" if on_new_line else b"")

    def _write(self, record: MonitorRecord, flag: int, *, prefix: bytes = b"") -> None:
        fd = os.open(
            self.monitor, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | flag, 0o600
        )
        try:
            write_all(fd, prefix + msgspec.json.encode(record) + b"\n")
            os.fdatasync(fd)
        finally:
            os.close(fd)


def open_plain(path: Path) -> int:
    """
    Open *path* for reading. User code may have put a folder, a link or a pipe in the place of a file of its run.

    Raises:
        OSError: it is not there, or no plain file.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no plain file any more", str(path))
    return fd


def write_all(fd: int, data: bytes) -> None:
    """
    Write all of *data*, also when the system takes it in pieces.
    """
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])


def sync_folder(path: Path) -> None:
    """
    Make the names in the folder *path* survive power loss.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: Path, data: bytes) -> None:
    """
    Write *path* so that a reader sees the old bytes or all the new ones. Not synced.
    """
    new = path.with_name(f"{path.name}.new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)
    os.replace(new, path)
