"""
When a schedule with ``pause_after_failures`` pauses itself.
"""

from orchd.model.states import FAILURE_STATES, FlowRunState


def failures_in_a_row(before: tuple[int, ...], slot: int, state: FlowRunState) -> tuple[int, ...]:
    """
    Return the slots of the failures in a row, now that a run of *slot* has ended as *state*.

    Each slot counts once, by its last attempt: a success ends the row, a failure lengthens it, and a cancelled run is
    as if it had not been.

    Args:
        before: the slots before that, in order of their ends.
    """
    if state is FlowRunState.SUCCESS:
        return ()

    others = tuple(other for other in before if other != slot)
    return (*others, slot) if state in FAILURE_STATES else others
