"""
Attempts of runs without a daemon, in the user's state folder: what a run that failed had come to, until one succeeds.

    attempts/FLOW-HASH/last            id of the last run that did not succeed
    attempts/FLOW-HASH/RUN/run.json    how it was started
    attempts/FLOW-HASH/RUN/tasks.jsonl where its task runs stood, one line for each move
    attempts/FLOW-HASH/RUN/results/    what it kept
"""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from orchd.engine import kept
from orchd.engine.faults import said
from orchd.engine.kept import KeptResults
from orchd.engine.logs import get_logger
from orchd.engine.recorder import NullRecorder
from orchd.flow.attempts import Keeping, file_hash
from orchd.flow.task import Task
from orchd.model.ids import FlowRunId, next_attempt_id, run_name
from orchd.model.records import Resume, TaskBefore
from orchd.model.states import FlowRunState, TaskRunState

LOG: Final = get_logger("FlowRunner")
_PACKAGE: Final = str(Path(__file__).parent.parent)
_LONGEST: Final = 60


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    attempt: int
    scheduled_start_time: datetime
    #: Where their values are kept.
    parameters: str
    #: Id of the run that it goes on from.
    before: str | None = None


_RUN: Final = msgspec.json.Decoder(_Run)
_TASK: Final = msgspec.json.Decoder(TaskBefore)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """
    The last run of a flow that did not succeed.
    """

    run_id: str
    attempt: int
    scheduled_start_time: datetime
    #: Only those whose values could be kept.
    parameters: Mapping[str, Any]
    resume: Resume


class TaskLog(NullRecorder):
    """
    Writes down where task runs stand, so that a killed run can be resumed too.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Held until the process ends: nobody takes the files of a run away that still goes on.
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self._encode = msgspec.json.Encoder().encode

    def task(
        self, *, slug: str, map_index: int, state: TaskRunState, attempt: int, message: str, location: str | None
    ) -> None:
        """
        Write the move down; a full disk only costs its reuse.
        """
        line = self._encode(TaskBefore(slug=slug, map_index=map_index, state=state.value, location=location))
        with contextlib.suppress(OSError):
            os.write(self._fd, line + b"\n")

    def close(self) -> None:
        """
        Write no more.
        """
        os.close(self._fd)


class LocalAttempts:
    """
    The attempts of one flow.
    """

    def __init__(self, folder: Path, source_hash: str) -> None:
        self.folder = folder
        self._source_hash = source_hash

    @classmethod
    def of(cls, name: str, tasks: Iterable[Task], env: Mapping[str, str]) -> "LocalAttempts":
        """
        Return those of the flow *name* in the file where its first task is written.
        """
        file = next((code for task in tasks if (code := _file_of(task)) is not None), "")
        base = env.get("XDG_STATE_HOME", "")
        state = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
        digest = sha256(f"{name}\n{file}".encode(errors="surrogatepass")).hexdigest()[:12]
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:_LONGEST]
        return cls(state / "orchd" / "attempts" / f"{plain}-{digest}", file_hash(file) if file else "")

    def last(self) -> Earlier | None:
        """
        Return the last run that did not succeed; None when there is none, or nothing of it can be read.
        """
        try:
            folder = self.folder / (self.folder / "last").read_text()
            run = _RUN.decode((folder / "run.json").read_bytes())
            while run.before is not None and not (folder / "tasks.jsonl").stat().st_size:
                # It was killed before it came to any task.
                folder = self.folder / run.before
                run = _RUN.decode((folder / "run.json").read_bytes())

            tasks = {(task.slug, task.map_index): task for task in _tasks(folder)}
            parameters = kept.read(run.parameters)
        except FileNotFoundError:
            return None
        except Exception as exc:
            LOG.warning("The last run that failed cannot be resumed, what it kept cannot be read: %s", said(exc))
            return None

        resume = Resume(
            run_id=run.run_id,
            run_name=run_name(FlowRunId(run.run_id)),
            attempt=run.attempt,
            state=FlowRunState.FAILED.value,
            results=str(folder / "results"),
            tasks=tuple(tasks.values()),
        )
        return Earlier(
            run_id=run.run_id,
            attempt=run.attempt,
            scheduled_start_time=run.scheduled_start_time,
            parameters=parameters,
            resume=resume,
        )

    def id_after(self, earlier: Earlier) -> str:
        """
        Return the id of the run that goes on from *earlier*.
        """
        return next_attempt_id(FlowRunId(earlier.run_id), schedule=None, fire_time=None, attempt=earlier.attempt)

    @contextlib.contextmanager
    def begun(
        self, run_id: str, *, parameters: Mapping[str, Any], scheduled_start_time: datetime, earlier: Earlier | None
    ) -> "Iterator[tuple[TaskLog, Keeping] | None]":
        """
        Hold the files of a run that begins now; None, with a warning, when they cannot be written.

        Its results count for a later attempt until :meth:`forget` is called.
        """
        folder = self.folder / run_id
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, mode=0o700)
            run = _Run(
                run_id=run_id,
                attempt=1 if earlier is None else earlier.attempt + 1,
                scheduled_start_time=scheduled_start_time,
                parameters=KeptResults(str(folder)).write(dict(parameters)),
                before=None if earlier is None else earlier.run_id,
            )
            (folder / "run.json").write_bytes(msgspec.json.encode(run))
            log = TaskLog(folder / "tasks.jsonl")
            pointer = self.folder / "last.tmp"
            pointer.write_text(run_id)
            pointer.replace(self.folder / "last")
        except Exception as exc:
            LOG.warning("The run cannot be resumed later, as nothing can be kept in %s: %s", folder, said(exc))
            yield None
            return

        try:
            resume = None if earlier is None else earlier.resume
            yield log, Keeping(folder=folder / "results", source_hash=self._source_hash, resume=resume)
        finally:
            log.close()
            self._clean(but={run_id, run_id if earlier is None else earlier.run_id})

    def forget(self) -> None:
        """
        Remove everything that is not in use: a run has succeeded.
        """
        self._clean(but=set())
        with contextlib.suppress(OSError):
            (self.folder / "last").unlink()
            self.folder.rmdir()

    def _clean(self, *, but: set[str]) -> None:
        for old in self.folder.iterdir():
            if old.is_dir() and old.name not in but and not _is_going_on(old):
                shutil.rmtree(old, ignore_errors=True)


def _is_going_on(folder: Path) -> bool:
    try:
        with (folder / "tasks.jsonl").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False

    return False


def _tasks(folder: Path) -> Iterator[TaskBefore]:
    for line in (folder / "tasks.jsonl").read_bytes().splitlines():
        with contextlib.suppress(msgspec.MsgspecError):
            yield _TASK.decode(line)


def _file_of(task: Task) -> str | None:
    code = getattr(task.run, "__code__", None)
    file = os.path.abspath(code.co_filename) if code is not None else ""
    return file if os.path.isfile(file) and not file.startswith(_PACKAGE) else None
