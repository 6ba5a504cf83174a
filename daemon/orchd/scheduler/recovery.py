"""
What is true of a run whose end is not yet stored: the table of ``design.md`` section 2, and nothing else.
"""

from enum import Enum
from typing import Final

from orchd.model.records import Started, Void
from orchd.model.states import FlowRunState
from orchd.processes.evidence import Evidence


class Verdict(Enum):
    """
    What the daemon has to do about a run that is not final.
    """

    ADOPT = "its monitor lives: watch it"
    WAIT = "the run is being killed: look again"
    INGEST = "it finished: store how"
    CRASHED = "its monitor died without a word: the run is over"
    CANCELLED = "it was void before it began"
    LAUNCH = "user code never ran: launch it (again)"
    GONE = "it began, and nothing in its folder tells of it any more: the run is over"
    ELSEWHERE = "another host claimed it: leave it alone"


#: The message of a run whose monitor was killed.
MONITOR_DIED: Final = "the monitor of the run was killed, and the run with it"
#: The message of a run whose folder somebody removed, in most cases the run itself.
FOLDER_GONE: Final = "its folder is gone"


def judge_run(
    evidence: Evidence, *, state: FlowRunState, host: str | None, here: str, is_sent: bool = False
) -> Verdict:
    """
    Judge one run that was claimed.

    Args:
        evidence: from its folder; it counts for more than all that the store says.

        state: as stored. A run that is stored as begun is never launched again, whatever became of its folder.

        host: that claimed it, as stored; None for a run that was never claimed by name.

        here: this host. A folder in this daemon's care makes a run its own under any name of the host.

        is_sent: this daemon made its folder and sent it to the spawner, so that user code may have been at it.
    """
    if evidence.finished is not None:
        return Verdict.INGEST
    if evidence.probe.monitor_pid is not None:
        return Verdict.ADOPT
    if evidence.probe.run_pid is not None:
        return Verdict.WAIT
    if isinstance(evidence.began, Started):
        return Verdict.CRASHED
    if isinstance(evidence.began, Void):
        return Verdict.CANCELLED
    if host not in (None, here) and not evidence.is_there:
        return Verdict.ELSEWHERE
    is_whole = evidence.is_there and not evidence.trouble
    if state is not FlowRunState.PENDING or (is_sent and not is_whole):
        return Verdict.GONE

    return Verdict.LAUNCH
