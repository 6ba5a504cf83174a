"""
How a run ended, judged from what its monitor saw, and why a description is missing. Decided here and nowhere else.
"""

import signal
from dataclasses import dataclass
from pathlib import Path

from orchd.model.records import FlowRecord
from orchd.model.states import FlowRunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """
    Why the monitor ended the run.
    """

    state: FlowRunState
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """
    What the monitor saw of the end of its run.
    """

    #: Exit code, or minus the signal that killed the run.
    status: int
    #: The flow's last word, if it came to one.
    word: FlowRecord | None
    stop: Stop | None
    #: Whether the kernel killed anything for want of memory while the run ran; None when it does not say.
    is_out_of_memory: bool | None


def judge(ending: Ending) -> Stop:
    """
    Return the final state and its sentence. A success that was reached while the run was being stopped stands.
    """
    word, stop = ending.word, ending.stop
    if word is not None and ending.status == (0 if word.state == FlowRunState.SUCCESS else 1):
        if stop is not None and word.state != FlowRunState.SUCCESS:
            return stop
        return Stop(state=FlowRunState(word.state), message=word.message)
    return stop or Stop(state=FlowRunState.CRASHED, message=_crash(ending))


def describing_error(file: Path, status: int | None, time_limit_s: float) -> str | None:
    """
    Say in one sentence why a describing child wrote nothing; None when it did.

    Args:
        file: the flow file.

        status: exit code or minus a signal; None when the time was over.

        time_limit_s: the time that it had.
    """
    if status == 0:
        return None
    if status is None:
        return f"loading it took longer than {time_limit_s:g} s (describe_timeout): do less there, and in its schedule"
    if status < 0:
        return f"loading it killed its process by {_name(-status)}: run `python {file}` to see more"
    return f"loading it ended its process with exit code {status}: run `python {file}` to see more"


def _crash(ending: Ending) -> str:
    if ending.status >= 0:
        when = "before the flow was done" if ending.word is None else f"although its flow ended as {ending.word.state}"
        return f"the process exited with code {ending.status} {when}"
    if ending.status != -signal.SIGKILL:
        return f"killed by {_name(-ending.status)}"
    if ending.is_out_of_memory is None:
        return "killed by SIGKILL, perhaps out of memory"
    if ending.is_out_of_memory:
        return "killed by SIGKILL: out of memory, says the kernel"
    return "killed by SIGKILL from outside; the kernel did not run out of memory"


def _name(number: int) -> str:
    words = signal.strsignal(number)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"{name} ({words.lower()})" if words else name
