"""
What the flow runner asks of an executor.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from orchd.engine.state import State

#: A promise of a state, as an executor makes them.
F = TypeVar("F")


class Executor(Protocol[F]):
    """
    Runs task runs, now or later, here or elsewhere.
    """

    def start(self) -> AbstractContextManager[object]:
        """
        Hold what the executor needs, for one pass over a flow.
        """

    def submit(self, run: Callable[[Sequence[State]], State], upstream: Sequence[State | F]) -> State | F:
        """
        Have *run* called with the states of *upstream*, in their order, once all of them are there.
        """

    def wait(self, promised: Sequence[State | F]) -> list[State]:
        """
        Return the states that were promised, in their order.
        """
