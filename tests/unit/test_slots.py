"""
Every reason of the ledger can be said in a sentence, with exactly the fields that go with it.
"""

import string

import pytest

from orchd.model.slots import SENTENCES, Reason, sentence

#: Reason -> the fields that the planner gives it, and the whole sentence.
SAID = {
    Reason.ON_TIME: ({}, "started on time"),
    Reason.CATCH_UP: ({"late_s": 61}, "started 61 s late, as its catch-up allows"),
    Reason.IN_GRACE: ({"late_s": 1.5, "grace_s": 60}, "started 1.5 s late, within its grace of 60 s"),
    Reason.JOIN: ({"upstream": "load, clean"}, "started because load, clean finished"),
    Reason.OVERLAP: (
        {"run": "3f2a", "state": "running"},
        "skipped because run 3f2a of this schedule was still running",
    ),
    Reason.QUEUE_FULL: ({"waiting": 100}, "skipped because 100 runs of this schedule were already waiting"),
    Reason.PAUSED: (
        {"who": "ann", "when": "2026-03-29T02:30:00Z", "note": ": holidays"},
        "skipped because the schedule was paused by ann at 2026-03-29T02:30:00Z: holidays",
    ),
    Reason.REMOVED: ({}, "skipped because the schedule was removed from the config"),
    Reason.NEWER_FIRE: (
        {"newest": "2026-03-29T02:30:00Z", "catchup": "latest"},
        'skipped because 2026-03-29T02:30:00Z was owed too, and catchup = "latest" starts only the newest',
    ),
    Reason.REPLACED: (
        {"newest": "2026-03-29T02:30:00Z"},
        'skipped because 2026-03-29T02:30:00Z was owed too, and overlap = "replace" keeps only the newest',
    ),
    Reason.FLOW_NOT_LOADED: ({"flow": "load"}, "skipped because flow 'load' has not been loaded from any flow file"),
    Reason.UPSTREAM_FAILED: (
        {"upstream": "load", "state": "crashed"},
        "skipped because upstream load ended as crashed",
    ),
    Reason.TOO_LATE: ({"late_s": 90, "grace_s": 60}, "missed: 90 s late, and its grace is 60 s"),
    Reason.OVER_MAX_CATCHUP: ({"max_catchup": 100}, "missed: older than the newest 100 owed fire times"),
}


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_says_this(reason: Reason) -> None:
    """
    The whole sentence, word for word.
    """
    fields, said = SAID[reason]

    assert said == sentence(reason, fields)


@pytest.mark.parametrize("reason", Reason)
def test_a_sentence_leaves_no_field_out(reason: Reason) -> None:
    """
    What is stored is what is said.
    """
    named = {name for _, name, _, _ in string.Formatter().parse(SENTENCES[reason]) if name}

    assert set(SAID[reason][0]) == named
