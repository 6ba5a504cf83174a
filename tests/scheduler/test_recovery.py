"""
The whole table of what is true of a run whose end is not stored: design.md, section 2, recovery.
"""

import itertools

import pytest

from orchd.model.records import Finished, Started, Void
from orchd.model.states import FlowRunState
from orchd.processes.evidence import Evidence
from orchd.processes.fence import Probe
from orchd.scheduler.recovery import Verdict, judge_run
from scheduler.rig import HOST, finished, started

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
}

CLAIMED = [state for state in FlowRunState if not state.is_final and state is not FlowRunState.SCHEDULED]
SOUND, SPOILT, NO_FOLDER = Evidence(), Evidence(trouble="Is a directory"), Evidence(is_there=False)

#: Of a run whose folder says nothing: is it pending, this host's, sent by this daemon, and its folder -> verdict.
SILENT = {
    **{
        (False, host, sent, folder): Verdict.GONE
        for host, sent, folder in itertools.product((True, False), (True, False), ("sound", "spoilt", "none"))
    },
    **{(True, host, sent, "sound"): Verdict.LAUNCH for host, sent in itertools.product((True, False), (True, False))},
    **{(True, host, False, "spoilt"): Verdict.LAUNCH for host in (True, False)},
    **{(True, host, True, "spoilt"): Verdict.GONE for host in (True, False)},
    (True, True, False, "none"): Verdict.LAUNCH,
    (True, True, True, "none"): Verdict.GONE,
    **{
        (pending, False, sent, "none"): Verdict.ELSEWHERE
        for pending, sent in itertools.product((True, False), (True, False))
    },
}
FOLDERS = {"sound": SOUND, "spoilt": SPOILT, "none": NO_FOLDER}


@pytest.mark.parametrize("state", CLAIMED)
@pytest.mark.parametrize("host", [HOST, "another"])
@pytest.mark.parametrize("case", TABLE, ids=str)
def test_whatever_the_folder_says_decides(case: tuple[bool, bool, str, str], host: str, state: FlowRunState) -> None:
    """
    Byte 0 and 1 of the lock and the two records decide, whatever the store says.
    """
    monitor, run, began, ended = case
    first: Started | Void | None = BEGAN[began]
    last: Finished | None = ENDED[ended]
    probe = Probe(monitor_pid=7 if monitor else None, run_pid=8 if run else None)
    evidence = Evidence(probe=probe, began=first, finished=last)

    assert TABLE[case] is judge_run(evidence, state=state, host=host, here=HOST)


@pytest.mark.parametrize("state", CLAIMED)
@pytest.mark.parametrize("host", [HOST, "another", None])
@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_that_says_nothing_leaves_it_to_the_store(
    state: FlowRunState, host: str | None, sent: bool, folder: str
) -> None:
    """
    Only a pending run is launched again, and only where nothing can have entered user code already.
    """
    case = (state is FlowRunState.PENDING, host != "another", sent, folder)

    assert SILENT[case] is judge_run(FOLDERS[folder], state=state, host=host, here=HOST, is_sent=sent)
