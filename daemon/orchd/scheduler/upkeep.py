"""
Keeping the store and the state folder small: what is older than ``retention`` says goes, a little at a time.
"""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from orchd import clock, log
from orchd.config import Config
from orchd.model.instants import to_us
from orchd.scheduler.health import StoreHealth
from orchd.scheduler.writer import Urgency, Writer
from orchd.store import jumps, upkeep
from orchd.store.database import Database

_log = log.get("upkeep")

#: Seconds between two clean-ups.
EVERY_S: Final = 600.0
#: Runs and log lines removed in one transaction: a few milliseconds, so that no start is late for it.
_RUNS_AT_ONCE: Final = 20
_LINES_AT_ONCE: Final = 2000


class Upkeep:
    """
    Cleans up. Called from any thread; the work is done by the writer when it has nothing better to do.

    Args:
        is_live: true for the id of a run that is not final; its folder stays.
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
    ) -> None:
        self._database = database
        self._writer = writer
        self._health = health
        self._runs_folder = runs_folder
        self._config = config
        self._is_live = is_live

    def clean(self) -> None:
        """
        Begin to remove what is too old.
        """
        self._writer.submit(Urgency.UPKEEP, self._purge)
        self._writer.submit(Urgency.UPKEEP, self._remove_folders)

    def _purge(self) -> None:
        """
        Remove a few runs, and come back for more.
        """
        keep = self._config().retention.runs
        now = clock.now()
        before_us, failed_before_us = to_us(now - keep), to_us(now - 2 * keep)
        with self._health.watching():
            with self._database.writing() as conn:
                removed: object = upkeep.trim_logs(
                    conn, before_us=before_us, failed_before_us=failed_before_us, rows=_LINES_AT_ONCE
                ) or upkeep.purge(conn, before_us=before_us, failed_before_us=failed_before_us, limit=_RUNS_AT_ONCE)
                jumps.forget(conn, before_us=failed_before_us)
            if removed:
                self._writer.submit(Urgency.UPKEEP, self._purge)

    def _remove_folders(self) -> None:
        """
        Remove the folders of runs that are final and whose files were not written for long enough.
        """
        oldest_s = (clock.now() - self._config().retention.files).timestamp()
        removed = 0
        with contextlib.suppress(FileNotFoundError), os.scandir(self._runs_folder) as folders:
            for folder in folders:
                if folder.is_dir(follow_symlinks=False) and not self._is_live(folder.name):
                    removed += _remove(Path(folder.path), oldest_s)
        if removed:
            _log.info("run_folders_removed", folders=removed)


def _remove(folder: Path, oldest_s: float) -> bool:
    try:
        newest_s = max(entry.stat().st_mtime for entry in (folder, *folder.iterdir()))
    except OSError:
        return False
    if newest_s >= oldest_s:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
