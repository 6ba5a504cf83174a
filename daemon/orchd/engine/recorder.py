"""
What the engine reports while it runs a flow: the seam between the engine and whoever keeps its words.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from orchd.model.states import FlowRunState, TaskRunState


class Recorder(Protocol):
    """
    Takes every move of a task run, every log line, and the end of the flow run, in the order in which they happen.
    """

    def task(
        self, *, slug: str, map_index: int, state: TaskRunState, attempt: int, message: str, location: str | None
    ) -> None:
        """
        The task run moved to *state*. *map_index* is -1 for a task that is not mapped; *attempt* counts from 1;
        *location* says where its result is stored, if it is.
        """

    def log(self, *, level: int, logger: str, text: str, slug: str | None, map_index: int) -> None:
        """
        A logger said *text*, or a task with ``log_stdout=True`` printed it. *slug* is None outside of tasks.
        """

    def wait(self, *, slug: str, map_index: int, child: str | None) -> None:
        """
        The task run does nothing from now on but wait for the flow run of id *child*; with None it goes on.
        """

    def beside(
        self, whose: Callable[[], tuple[str, int] | None], *, is_elsewhere: bool = False
    ) -> AbstractContextManager[None]:
        """
        Tasks may run beside each other while the block lasts; *whose* gives slug and map index of the task that runs in
        the thread that asks, None for none. With *is_elsewhere* they run on machines whose prints do not come here.
        """

    def flow(self, *, state: FlowRunState, message: str) -> None:
        """
        The flow run is over: success or failed. Comes once, and last.
        """


class NullRecorder:
    """
    Keeps nothing: ``flow.run()`` in a terminal.
    """

    def task(
        self, *, slug: str, map_index: int, state: TaskRunState, attempt: int, message: str, location: str | None
    ) -> None:
        """
        Ignore the move.
        """

    def log(self, *, level: int, logger: str, text: str, slug: str | None, map_index: int) -> None:
        """
        Ignore the line.
        """

    def wait(self, *, slug: str, map_index: int, child: str | None) -> None:
        """
        Ignore the wait.
        """

    def beside(
        self, whose: Callable[[], tuple[str, int] | None], *, is_elsewhere: bool = False
    ) -> AbstractContextManager[None]:
        """
        Do nothing.
        """
        return nullcontext()

    def flow(self, *, state: FlowRunState, message: str) -> None:
        """
        Ignore the end.
        """
