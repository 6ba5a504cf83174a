"""
How a run ended: the whole table.
"""

import signal
from pathlib import Path

import pytest

from orchd.model.records import FlowRecord
from orchd.model.states import FlowRunState
from orchd.processes.verdict import Ending, Stop, describing_error, judge

GOOD = FlowRecord(at=1, state="success", message="all good")
BAD = FlowRecord(at=1, state="failed", message="not good")
LATE = Stop(state=FlowRunState.TIMED_OUT, message="too long")


@pytest.mark.parametrize(
    ("status", "word", "stop", "oom", "state", "message"),
    [
        (0, GOOD, None, False, "success", "all good"),
        (1, BAD, None, False, "failed", "not good"),
        (0, GOOD, LATE, False, "success", "all good"),
        (1, BAD, LATE, False, "timed_out", "too long"),
        (-15, None, LATE, False, "timed_out", "too long"),
        (-9, GOOD, LATE, False, "timed_out", "too long"),
        (3, None, None, False, "crashed", "the process exited with code 3 before the flow was done"),
        (0, None, None, False, "crashed", "the process exited with code 0 before the flow was done"),
        (3, GOOD, None, False, "crashed", "the process exited with code 3 although its flow ended as success"),
        (-signal.SIGSEGV, None, None, False, "crashed", "killed by SIGSEGV (segmentation fault)"),
        (-signal.SIGSEGV, GOOD, None, False, "crashed", "killed by SIGSEGV (segmentation fault)"),
        (-9, None, None, None, "crashed", "killed by SIGKILL, perhaps out of memory"),
        (-9, None, None, True, "crashed", "killed by SIGKILL: out of memory, says the kernel"),
        (-9, None, None, False, "crashed", "killed by SIGKILL from outside; the kernel did not run out of memory"),
        (-40, None, None, False, "crashed", "killed by signal 40 (real-time signal 6)"),
    ],
)
def test_the_end_is_judged_from_word_status_and_stop(
    status: int, word: FlowRecord | None, stop: Stop | None, oom: bool | None, state: str, message: str
) -> None:
    """
    A flow's last word counts with its exit code; a stop counts over all but a success; the rest has crashed.
    """
    verdict = judge(Ending(status=status, word=word, stop=stop, is_out_of_memory=oom))

    assert (verdict.state, verdict.message) == (state, message)


@pytest.mark.parametrize(
    ("status", "part"),
    [(None, "longer than 2.5 s"), (-11, "SIGSEGV"), (3, "exit code 3")],
)
def test_a_missing_description_is_explained(status: int | None, part: str) -> None:
    """
    The sentence says what happened to the process; whoever shows it names the file.
    """
    error = describing_error(Path("/a/b.py"), status, 2.5)

    assert error is not None
    assert part in error


def test_a_description_that_was_written_is_no_error() -> None:
    """
    Exit code 0 needs no sentence.
    """
    assert describing_error(Path("/a/b.py"), 0, 2.5) is None
