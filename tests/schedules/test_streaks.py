"""
How failures in a row are counted.
"""

import pytest

from orchd.model.states import FlowRunState
from orchd.schedules.streaks import failures_in_a_row

STATES = {"s": FlowRunState.SUCCESS, "f": FlowRunState.FAILED, "t": FlowRunState.TIMED_OUT} | {
    "c": FlowRunState.CRASHED,
    "x": FlowRunState.CANCELLED,
}


@pytest.mark.parametrize(
    ("ends", "in_a_row"),
    [
        ("", ""),
        ("1f", "1"),
        ("1f 2t 3c", "123"),
        ("1f 2s 3f", "3"),
        ("1f 2x 3f", "13"),
        # Each slot by its last attempt.
        ("1f 1f 1c", "1"),
        ("1f 2f 1f", "21"),
        ("1f 2f 1x", "2"),
        ("1f 2f 1s", ""),
    ],
)
def test_the_row_is_counted_so(ends: str, in_a_row: str) -> None:
    """
    A success ends it, a cancelled run is as if it had not been, and attempts of one slot count once.
    """
    row: tuple[int, ...] = ()
    for end in ends.split():
        row = failures_in_a_row(row, int(end[0]), STATES[end[1]])

    assert in_a_row == "".join(map(str, row))
