"""
``@task``: makes a task of a function.
"""

import functools
from collections.abc import Callable
from typing import Any, overload

from orchd.flow.task import FunctionTask


@overload
def task(fn: Callable[..., Any], **task_args: Any) -> FunctionTask:
    """
    ``task(fn, name=...)``
    """


@overload
def task(fn: None = None, **task_args: Any) -> Callable[[Callable[..., Any]], FunctionTask]:
    """
    ``@task(max_retries=3, ...)``
    """


def task(
    fn: Callable[..., Any] | None = None, **task_args: Any
) -> FunctionTask | Callable[[Callable[..., Any]], FunctionTask]:
    """
    Make a task of the function *fn*: ``@task``, ``@task(max_retries=3, ...)`` or ``task(fn, name=...)``.

    The keywords are those of :class:`~orchd.flow.task.Task`.
    """
    if fn is None:
        return functools.partial(FunctionTask, **task_args)

    return FunctionTask(fn, **task_args)
