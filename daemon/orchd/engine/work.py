"""
What the engine needs to know of a task, and what all task runs of one flow run share.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

from orchd.engine.cache_validators import Validator
from orchd.engine.handlers import StateHandler
from orchd.engine.kept import KeptResults
from orchd.engine.recorder import NullRecorder, Recorder
from orchd.engine.reuse import Reuse
from orchd.engine.triggers import Trigger
from orchd.results.result import Location, Result

#: Longest ``repr`` that a constant is named by.
_SHORT: Final = 8
_PLAIN: Final = (bool, int, float, type(None))
_SIZED: Final = (str, bytes, list, tuple, set, dict)


def constant_name(value: Any) -> str:
    """
    Return what logs call a constant: its ``repr`` if it is short and cheap, else its type.
    """
    text = repr(value) if _may_be_short(value) else ""
    return text if 0 < len(text) <= _SHORT else f"Constant[{type(value).__name__}]"


def _may_be_short(value: Any) -> bool:
    """
    True when ``repr`` is cheap and runs nobody's code: the value, and all that is in it, is plain and small.
    """
    kind = type(value)
    if kind not in _SIZED:
        return kind in _PLAIN

    if len(value) > _SHORT or kind in (str, bytes):
        return len(value) <= _SHORT

    parts = (*value, *value.values()) if kind is dict else value
    return all(map(_may_be_short, parts))


class Known:
    """
    The end of an edge that brings a value which is known beforehand.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self.name = constant_name(value)


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
    def retry_on(self) -> tuple[type[Exception], ...] | None:
        """
        Exceptions that are tried again; None for all.
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
    def skip_on_upstream_skip(self) -> bool:
        """
        True when it is skipped as soon as a task above it was.
        """

    @property
    def state_handlers(self) -> list[StateHandler]:
        """
        Functions that see each change of its state.
        """

    @property
    def cache_for(self) -> timedelta | None:
        """
        How long its result may be used again in place of a run.
        """

    @property
    def cache_validator(self) -> Validator:
        """
        Says whether an earlier result still holds.
        """

    @property
    def cache_key(self) -> str | None:
        """
        Name under which results are shared with other tasks; None for not at all.
        """

    @property
    def task_run_name(self) -> Location | None:
        """
        Template or function of the name of each run.
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
    #: Further state handlers of every task, after its own.
    handlers: tuple[StateHandler, ...] = ()
    #: Further keys of the context of single tasks.
    task_contexts: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)
    #: Keeps results that nothing else stores; None for not at all.
    kept: KeptResults | None = None
    #: The attempt that this run resumes; None when it begins from the start.
    reuse: Reuse | None = None
    #: Targets that were asked for, and the task run that came to each first.
    targets: dict[str, str] = field(default_factory=dict)
