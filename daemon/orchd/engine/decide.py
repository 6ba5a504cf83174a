"""
What follows from what: whether a failed task run is tried again, and how a flow ends. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """
    The task run begins again at *start_time*.
    """

    start_time: datetime
    message: str


def judge_failure(
    *,
    attempt: int,
    max_retries: int,
    retry_delay: timedelta | None,
    retry_on: tuple[type[BaseException], ...],
    cause: object,
    now: datetime,
) -> Retry | None:
    """
    Decide whether a failed task run is tried again.

    Args:
        attempt: the number of the try that failed, from 1.

        retry_on: only these exceptions are tried again; empty for all.

        cause: the result of the failed state: the exception, if it was one.

        now: when it failed.

    Returns:
        None when the failure stands.
    """
    if attempt > max_retries or is_excluded(retry_on=retry_on, cause=cause):
        return None

    return Retry(
        start_time=now + (retry_delay or timedelta(0)),
        message=f"Retrying Task (after attempt {attempt} of {max_retries + 1})",
    )


def is_excluded(*, retry_on: tuple[type[BaseException], ...], cause: object) -> bool:
    """
    True when *cause* is an exception that *retry_on* leaves out.
    """
    return bool(retry_on) and isinstance(cause, BaseException) and not isinstance(cause, retry_on)


class Verdict(StrEnum):
    """
    How a pass over a flow's tasks ended.
    """

    UNFINISHED = "unfinished"
    FAILED = "failed"
    ALL_SUCCESSFUL = "all_successful"
    NONE_FAILED = "none_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """
    What is said of a verdict: in the state's message, and in the log.
    """

    message: str
    line: str


WORDS: Final[Mapping[Verdict, Words]] = MappingProxyType(
    {
        Verdict.UNFINISHED: Words(message="Running flow.", line="Flow run RUNNING: terminal tasks are incomplete."),
        Verdict.FAILED: Words(
            message="Some reference tasks failed.", line="Flow run FAILED: some reference tasks failed."
        ),
        Verdict.ALL_SUCCESSFUL: Words(
            message="All reference tasks succeeded.", line="Flow run SUCCESS: all reference tasks succeeded"
        ),
        Verdict.NONE_FAILED: Words(
            message="No reference tasks failed.", line="Flow run SUCCESS: no reference tasks failed"
        ),
    }
)


class Ending(StrEnum):
    """
    How a task run stands, as far as the flow's end depends on it.
    """

    OPEN = "open"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    OTHER = "other"


def judge_flow(*, terminals: Iterable[Ending], references: Iterable[Ending]) -> Verdict:
    """
    Decide how a flow ends from its terminal tasks, which must all be over, and its reference tasks, which count.
    """
    if Ending.OPEN in terminals:
        return Verdict.UNFINISHED

    seen = frozenset(references)
    if Ending.FAILED in seen:
        return Verdict.FAILED

    return Verdict.ALL_SUCCESSFUL if seen <= {Ending.SUCCESSFUL} else Verdict.NONE_FAILED
