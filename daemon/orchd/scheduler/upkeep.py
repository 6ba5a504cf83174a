"""
Keeping the store and the state folder small: what is older than ``retention`` says goes, a little at a time.
"""

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from orchd import clock, log
from orchd.config import Config
from orchd.model.ids import FlowRunId
from orchd.model.instants import from_us, to_us
from orchd.processes.folder import RunFolder
from orchd.scheduler.health import StoreHealth
from orchd.scheduler.state_folder import caches_folder
from orchd.scheduler.writer import Urgency, Writer
from orchd.store import attempts, jumps, upkeep
from orchd.store.database import Connection, Database

_log = log.get("upkeep")

#: Seconds between two clean-ups.
EVERY_S: Final = 600.0
#: Runs and log lines removed in one transaction: a few milliseconds, so that no start is late for it.
_RUNS_AT_ONCE: Final = 20
_LINES_AT_ONCE: Final = 2000
_FOLDERS_AT_ONCE: Final = 20
#: A run of ten thousand mapped tasks has kept as many results.
_FILES_AT_ONCE: Final = 200
_CACHED_AT_ONCE: Final = 200
#: How far one clean-up trusts the clock beyond the one before: after a long absence it takes some of them to catch up.
_MAX_STEP: Final = timedelta(days=1)
#: The daemon's value that holds the trusted time, in microseconds.
_CLOCK: Final = "retention_clock"


class Upkeep:
    """
    Cleans up. Called from any thread; the work is done by the writer when it has nothing better to do.

    Args:
        is_live: true for the id of a run that is not final; its folder stays.

        awaited: gives the runs that ended before an instant (microseconds) and that a schedule still waits with; they
            stay in the store.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        health: StoreHealth,
        runs_folder: Path,
        *,
        config: Callable[[], Config],
        is_live: Callable[[str], bool],
        awaited: Callable[[Connection, int], Sequence[FlowRunId]],
    ) -> None:
        self._database = database
        self._writer = writer
        self._health = health
        self._runs_folder = runs_folder
        self._config = config
        self._is_live = is_live
        self._awaited = awaited

    def clean(self) -> None:
        """
        Begin to remove what is too old.
        """
        self._writer.submit(Urgency.UPKEEP, self._begin)

    def _begin(self) -> None:
        with self._health.watching():
            with self._database.writing() as conn:
                last = upkeep.get_state(conn, _CLOCK)
                now = trusted_now(clock.now(), last=None if last is None else from_us(int(last.value)))
                upkeep.put_state(conn, _CLOCK, str(to_us(now)), at_us=to_us(now))
                awaited = self._awaited(conn, to_us(now - self._config().retention.runs))
            self._writer.submit(Urgency.UPKEEP, lambda: self._purge(now, awaited))
            self._writer.submit(Urgency.UPKEEP, lambda: self._remove_folders(now, self._folders()))
            self._writer.submit(Urgency.UPKEEP, lambda: self._remove_cached(_cached(caches_folder(self._runs_folder))))

    def _purge(self, now: datetime, awaited: Sequence[FlowRunId]) -> None:
        """
        Remove a few runs, and come back for more.
        """
        keep = self._config().retention.runs
        before_us, failed_before_us = to_us(now - keep), to_us(now - 2 * keep)
        trim = partial(upkeep.trim_logs, before_us=before_us, failed_before_us=failed_before_us, keep=awaited)
        purge = partial(upkeep.purge, before_us=before_us, failed_before_us=failed_before_us, keep=awaited)
        with self._health.watching():
            with self._database.writing() as conn:
                removed: object = trim(conn, rows=_LINES_AT_ONCE) or purge(conn, limit=_RUNS_AT_ONCE)
                jumps.forget(conn, before_us=failed_before_us)
                attempts.forget_from_tasks(conn, before_us=failed_before_us)
            if removed:
                self._writer.submit(Urgency.UPKEEP, lambda: self._purge(now, awaited))

    def _folders(self) -> Iterator[str]:
        return (folder.name for folder in _listed(self._runs_folder))

    def _remove_folders(self, now: datetime, names: Iterator[str]) -> None:
        """
        Remove a few folders of runs that are final and whose files are old enough, and come back for more.

        Results that a run kept, which can be resumed, stay as long as the store has that run.
        """
        oldest_s = (now - self._config().retention.files).timestamp()
        looked_at = list(itertools.islice(names, _FOLDERS_AT_ONCE))
        some = [name for name in looked_at if not self._is_live(name)]
        with self._health.watching():
            with self._database.reading() as conn:
                resumable = attempts.resumable(conn, some)
            pieces = itertools.chain.from_iterable(
                _remove(self._runs_folder / name, oldest_s, but_results=name in resumable) for name in some
            )
            self._remove_pieces(pieces, then=lambda: self._remove_folders(now, names) if looked_at else None)

    def _remove_pieces(self, pieces: Iterator[bool], *, then: Callable[[], None]) -> None:
        """
        Go on with the removal of a few folders, and come back for more.
        """
        some = list(itertools.islice(pieces, _FILES_AT_ONCE))
        if folders := sum(some):
            _log.info("run_folders_removed", folders=folders)
        self._writer.submit(Urgency.UPKEEP, (lambda: self._remove_pieces(pieces, then=then)) if some else then)

    def _remove_cached(self, files: Iterator[Path]) -> None:
        """
        Remove some of the cached results that have expired, and come back for more.
        """
        now_us = clock.now_us()
        some = list(itertools.islice(files, _CACHED_AT_ONCE))
        for file in some:
            expires, _, _ = file.name.partition("-")
            if expires.isdecimal() and int(expires) <= now_us:
                _unlink(file)
        if some:
            self._writer.submit(Urgency.UPKEEP, lambda: self._remove_cached(files))


def _cached(folder: Path) -> Iterator[Path]:
    for of_flow in _listed(folder):
        if of_flow.is_dir():
            yield from (file for file in _listed(of_flow) if "-" in file.name)


def trusted_now(now: datetime, *, last: datetime | None) -> datetime:
    """
    Give the time by which things are old: at most a day after *last*, so that a clock that stands in 2098 for an hour
    does not take the whole history with it.

    Args:
        last: what was trusted at the last clean-up; None when there was none yet.
    """
    return now if last is None else min(now, last + _MAX_STEP)


def _remove(folder: Path, oldest_s: float, *, but_results: bool) -> Iterator[bool]:
    """
    Remove *folder* if nothing in it is younger than *oldest_s*, one piece after another.

    What cannot be removed stays, and is tried again at the next clean-up.

    Yields:
        After each piece: True when that was the last.
    """
    if folder.is_symlink() or not folder.is_dir():
        return
    try:
        entries = list(folder.iterdir())
        newest_s = max(entry.stat().st_mtime for entry in (folder, *entries))
    except OSError:
        return
    results = RunFolder(folder).results
    if newest_s >= oldest_s or (but_results and entries == [results]):
        return
    if results in entries and not but_results and not results.is_symlink():
        for file in _listed(results):
            _unlink(file)
            yield False
    for entry in entries:
        if entry == results and but_results:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            _unlink(entry)
    if not but_results:
        shutil.rmtree(folder, ignore_errors=True)
    yield True


def _listed(folder: Path) -> list[Path]:
    """
    Return what is in *folder*; nothing when it cannot be read just now, as the next clean-up asks again.
    """
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        _log.warning("folder_not_cleaned", folder=str(folder), why=str(error))
        return []


def _unlink(file: Path) -> None:
    with suppress(OSError):
        file.unlink()
