"""
What is true of a run whose end is not yet stored: the table of ``design.md`` section 2, and nothing else.
"""

from enum import Enum
from typing import Final

from orchd.model.records import Finished, Started, Void
from orchd.processes.fence import Probe


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


#: The message of a run whose monitor was killed.
MONITOR_DIED: Final = "the monitor of the run was killed, and the run with it"


def judge_run(probe: Probe, *, began: Started | Void | None, finished: Finished | None) -> Verdict:
    """
    Judge one run of this host from what its locks and its ``monitor.jsonl`` say.

    Args:
        probe: who holds the two bytes.

        began: the first whole record: how the run passed the fence, None when nobody passed it. It must have been
            read before the probe: a monitor takes its byte before it writes that.

        finished: the last one, if there is one. It must have been read after the probe: a monitor writes that before
            it lets go.
    """
    if finished is not None:
        return Verdict.INGEST
    if probe.monitor_pid is not None:
        return Verdict.ADOPT
    if probe.run_pid is not None:
        return Verdict.WAIT
    if isinstance(began, Started):
        return Verdict.CRASHED
    if isinstance(began, Void):
        return Verdict.CANCELLED

    return Verdict.LAUNCH
