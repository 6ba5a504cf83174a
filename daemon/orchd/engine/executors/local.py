"""
One task after the other, in the thread of the flow run.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from orchd.engine.state import State


class LocalExecutor:
    """
    Runs each task run at once and to its end; nothing is ever promised.
    """

    def start(self) -> AbstractContextManager[object]:
        """
        Hold nothing.
        """
        return nullcontext()

    def submit(self, run: Callable[[Sequence[State]], State], upstream: Sequence[State]) -> State:
        """
        Run it now.
        """
        return run(upstream)

    def wait(self, promised: Sequence[State]) -> list[State]:
        """
        Return the states; they are there already.
        """
        return list(promised)
