"""
Decisions about retries and about how a flow ends.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.engine.decide import WORDS, Ending, Verdict, is_excluded, judge_failure, judge_flow

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OPEN, OK, BAD, OTHER = Ending.OPEN, Ending.SUCCESSFUL, Ending.FAILED, Ending.OTHER


@pytest.mark.parametrize(
    ("terminals", "references", "verdict"),
    [
        ([], [], Verdict.ALL_SUCCESSFUL),
        ([OK], [OK], Verdict.ALL_SUCCESSFUL),
        ([OK, BAD], [OK, BAD], Verdict.FAILED),
        ([OK, OPEN], [OK], Verdict.UNFINISHED),
        ([BAD, OPEN], [BAD], Verdict.UNFINISHED),
        ([BAD], [OK], Verdict.ALL_SUCCESSFUL),
        ([OTHER], [OTHER], Verdict.NONE_FAILED),
        ([OK], [OK, OTHER], Verdict.NONE_FAILED),
        ([OTHER], [OTHER, BAD], Verdict.FAILED),
    ],
)
def test_a_flow_ends_by_its_terminal_and_reference_tasks(terminals, references, verdict):
    """
    An open terminal task keeps a flow going; then one failed reference task fails it.
    """
    assert judge_flow(terminals=terminals, references=references) is verdict


@pytest.mark.parametrize(
    ("attempt", "max_retries", "retry_on", "cause", "message"),
    [
        (1, 0, (), ValueError("v"), None),
        (1, 2, (), ValueError("v"), "Retrying Task (after attempt 1 of 3)"),
        (2, 2, (), ValueError("v"), "Retrying Task (after attempt 2 of 3)"),
        (3, 2, (), ValueError("v"), None),
        (1, 2, (KeyError,), ValueError("v"), None),
        (1, 2, (ValueError,), ValueError("v"), "Retrying Task (after attempt 1 of 3)"),
        (1, 2, (KeyError,), "no exception", "Retrying Task (after attempt 1 of 3)"),
    ],
)
def test_a_failure_is_tried_again_while_tries_are_left(attempt, max_retries, retry_on, cause, message):
    """
    There are max_retries tries after the first, for the exceptions that count.
    """
    retry = judge_failure(
        attempt=attempt,
        max_retries=max_retries,
        retry_delay=timedelta(seconds=90),
        retry_on=retry_on,
        cause=cause,
        now=NOW,
    )

    assert (retry and retry.message) == message
    assert retry is None or retry.start_time == NOW + timedelta(seconds=90)


@given(st.integers(0, 50))
def test_the_number_of_tries_is_one_more_than_max_retries(max_retries):
    """
    Counting attempts until the failure stands gives max_retries + 1.
    """
    attempt = 1
    while judge_failure(attempt=attempt, max_retries=max_retries, retry_delay=None, retry_on=(), cause=None, now=NOW):
        attempt += 1

    assert attempt == max_retries + 1


def test_every_verdict_has_words():
    """
    Each verdict has a message for the state and a line for the log.
    """
    assert set(WORDS) == set(Verdict)


def test_retry_on_leaves_out_only_exceptions():
    """
    A failure without an exception is tried again whatever retry_on says.
    """
    assert is_excluded(retry_on=(KeyError,), cause=ValueError("v"))
    assert not is_excluded(retry_on=(KeyError,), cause=None)
