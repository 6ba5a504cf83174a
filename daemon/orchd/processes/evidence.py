"""
What the folder of a run tells of it, whatever user code has done to that folder.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from orchd.model.records import Finished, Started, Void
from orchd.processes import fence
from orchd.processes.fence import Probe
from orchd.processes.folder import SHORTAGE, RunFolder

_NOBODY: Final = Probe(monitor_pid=None, run_pid=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    Who holds the two bytes of the lock, and the records of the monitor.

    The first record was read before the probe: a monitor takes its byte before it writes that. The last one was read
    after the probe: a monitor writes that before it lets go. So whoever had begun and held nothing then is dead, and
    what it wrote is here.
    """

    probe: Probe = _NOBODY
    #: How the run passed the fence; None when nobody passed it.
    began: Started | Void | None = None
    finished: Finished | None = None
    #: There is such a folder.
    is_there: bool = True
    #: Why a part of it cannot be read; "" when all can.
    trouble: str = ""


def gather(folder: RunFolder) -> Evidence:
    """
    Look at *folder*. What cannot be read in it, because of what it has become, counts as not there.

    Raises:
        OSError: the system is short of something, or the folder of all runs is away: nothing can be said now.
    """
    folder.path.parent.stat()
    troubles: list[OSError] = []
    began, probe, finished, is_there = None, _NOBODY, None, False
    with _passing_over(troubles):
        began = folder.began()
    with _passing_over(troubles):
        probe = fence.probe(folder)
    with _passing_over(troubles):
        finished = folder.finished()
    with _passing_over(troubles):
        is_there = folder.path.is_dir()
    trouble = str(troubles[0]) if troubles else ""
    return Evidence(probe=probe, began=began, finished=finished, is_there=is_there, trouble=trouble)


@contextlib.contextmanager
def _passing_over(troubles: list[OSError]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in SHORTAGE:
            raise
        troubles.append(error)
