"""
The whole table of what is true of a run whose end is not stored: design.md, section 2, recovery.
"""

import itertools

import pytest

from orchd.model.records import Finished, Started, Void
from orchd.processes.fence import Probe
from orchd.scheduler.recovery import Verdict, judge_run
from scheduler.rig import finished, started

BEGAN = {"started": started(), "void": Void(at=1, reason="cancelled"), "nothing": None}
ENDED = {"finished": finished(), "": None}

#: byte 0 held, byte 1 held, first record, last record -> verdict.
TABLE = {
    **{
        (monitor, run, began, "finished"): Verdict.INGEST
        for monitor, run, began in itertools.product((True, False), (True, False), BEGAN)
    },
    **{(True, run, began, ""): Verdict.ADOPT for run, began in itertools.product((True, False), BEGAN)},
    **{(False, True, began, ""): Verdict.WAIT for began in BEGAN},
    (False, False, "started", ""): Verdict.CRASHED,
    (False, False, "void", ""): Verdict.CANCELLED,
    (False, False, "nothing", ""): Verdict.LAUNCH,
}


@pytest.mark.parametrize("case", [*itertools.product((True, False), (True, False), BEGAN, ENDED)], ids=str)
def test_each_case_is_judged_so(case: tuple[bool, bool, str, str]) -> None:
    """
    Byte 0 and 1 of the lock and the two records decide, nothing else does.
    """
    monitor, run, began, ended = case
    first: Started | Void | None = BEGAN[began]
    last: Finished | None = ENDED[ended]
    probe = Probe(monitor_pid=7 if monitor else None, run_pid=8 if run else None)

    assert TABLE[case] is judge_run(probe, began=first, finished=last)
