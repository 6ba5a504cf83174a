"""
What the engine needs to know of a task, and what all task runs of one flow run share.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from orchd.engine.recorder import NullRecorder, Recorder
from orchd.engine.triggers import Trigger
from orchd.results.result import Location, Result


class Work(Protocol):
    """
    A task, seen from below: ``orchd.flow.task.Task`` is one.
    """

    @property
    def name(self) -> str:
        """
        What logs call it.
        """

    @property
    def tags(self) -> set[str]:
        """
        Its tags.
        """

    @property
    def run(self) -> Callable[..., Any]:
        """
        Its code.
        """

    @property
    def logger(self) -> logging.Logger:
        """
        Its own logger.
        """

    @property
    def max_retries(self) -> int:
        """
        How many more tries it has after the first.
        """

    @property
    def retry_delay(self) -> timedelta | None:
        """
        Time between two tries.
        """

    @property
    def retry_on(self) -> tuple[type[Exception], ...]:
        """
        Exceptions that are tried again; empty for all.
        """

    @property
    def timeout(self) -> int | None:
        """
        Time limit of a try in seconds.
        """

    @property
    def trigger(self) -> Trigger:
        """
        Says whether it may run, from the states above it.
        """

    @property
    def checkpoint(self) -> bool | None:
        """
        False when its result is never to be stored.
        """

    @property
    def log_stdout(self) -> bool:
        """
        True when its prints are log lines.
        """

    @property
    def result(self) -> Result | None:
        """
        How its result is stored; None for as the flow says.
        """

    @property
    def target(self) -> Location | None:
        """
        Where its result is looked for before it runs.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """
    What all task runs of one flow run share.
    """

    #: The context's keys of the flow run; each task run adds its own.
    values: Mapping[str, Any]
    #: How results are stored of tasks that do not say it.
    result: Result | None = None
    recorder: Recorder = field(default_factory=NullRecorder)
