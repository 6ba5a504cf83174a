"""
Small helpers that people write tasks with.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from orchd import clock
from orchd.engine.context import context
from orchd.engine.signals import PAUSE
from orchd.flow.collections import as_task as as_task
from orchd.flow.decorator import task as task
from orchd.graph.edges import Edge as Edge


def pause_task(message: str | None = None, duration: timedelta | None = None) -> None:
    """
    Pause the task that calls it, once: when it goes on it is run again from its beginning.

    Args:
        duration: after it the task goes on by itself; None waits for somebody.

    Raises:
        PAUSE: always, but when the task goes on.
    """
    if not context.get("resume"):
        raise PAUSE(message, start_time=None if duration is None else clock.now() + duration)


@contextmanager
def tags(*names: str) -> Iterator[None]:
    """
    Give the tags *names* to every task that is made or called in the block.
    """
    with context(tags=set(names) | set(context.get("tags", ()))):
        yield


def defaults_from_attrs(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Let the arguments *names* of a method that are not given be taken from the attributes of the same names.
    """

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        """
        Return *run* with its missing arguments filled in.
        """
        signature = inspect.signature(run)

        @functools.wraps(run)
        def filled(self: object, *args: object, **kwargs: Any) -> Any:
            """
            Take what is not given from the attributes.
            """
            given = signature.bind(self, *args, **kwargs).arguments
            missing: Iterable[str] = (name for name in names if name not in given)
            return run(self, *args, **{name: getattr(self, name) for name in missing}, **kwargs)

        return filled

    return decorate
