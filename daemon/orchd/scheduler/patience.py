"""
How long is waited: for a run that is being killed, and before one that never began is launched once more.
"""

from dataclasses import dataclass
from typing import Final

from orchd import clock
from orchd.model.ids import FlowRunId

#: Seconds that the kernel has to kill a run whose monitor is dead; after them it is killed by hand.
_DEATH_S: Final = 1.0
#: Seconds between two launches of a run that does not get to begin: 1, 2, 4 ... and never more than this.
_MAX_PAUSE_S: Final = 30.0


@dataclass(slots=True)
class _Case:
    """
    One run that has no monitor.
    """

    may_launch: bool = False
    launches: int = 0
    launch_at_s: float = 0.0
    kill_at_s: float | None = None


class Patience:
    """
    Remembers, by run, since when it is waited for. By the monotonic clock.
    """

    def __init__(self) -> None:
        self._cases: dict[FlowRunId, _Case] = {}

    def may_launch(self, run_id: FlowRunId) -> bool:
        """
        Tell whether the run could have been launched again but for something that was waited for.
        """
        case = self._cases.get(run_id)
        return case is not None and case.may_launch

    def put_off(self, run_id: FlowRunId) -> None:
        """
        Remember that the run may be launched again when what is waited for is over.
        """
        self._cases.setdefault(run_id, _Case()).may_launch = True

    def is_worn_out(self, run_id: FlowRunId) -> bool:
        """
        Wait for the death of a run; True when that has taken too long, and once in a while from then on.
        """
        case = self._cases.setdefault(run_id, _Case())
        now_s = clock.monotonic()
        if case.kill_at_s is None:
            case.kill_at_s = now_s + _DEATH_S
        if now_s < case.kill_at_s:
            return False
        case.kill_at_s = now_s + _MAX_PAUSE_S
        return True

    def launches(self, run_id: FlowRunId) -> bool:
        """
        Tell whether the run is to be launched again now, which then counts as done; else it is put off.
        """
        case = self._cases.setdefault(run_id, _Case())
        now_s = clock.monotonic()
        case.kill_at_s = None
        case.may_launch = now_s < case.launch_at_s
        if case.may_launch:
            return False
        case.launch_at_s = now_s + min(2.0**case.launches, _MAX_PAUSE_S)
        case.launches += 1
        return True

    def is_answered(self, run_id: FlowRunId) -> None:
        """
        The run is no longer waited for: it lives, or it is over.
        """
        if case := self._cases.get(run_id):
            case.may_launch, case.kill_at_s = False, None

    def forget(self, run_id: FlowRunId) -> None:
        """
        The run is final.
        """
        self._cases.pop(run_id, None)

    def begin_anew(self) -> None:
        """
        What stood in the way of all runs is gone: none waits any longer for its own sake.
        """
        self._cases.clear()
