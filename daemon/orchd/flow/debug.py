"""
What helps to find mistakes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from orchd.engine.context import context


@contextmanager
def raise_on_exception() -> Iterator[None]:
    """
    Let what task code raises leave ``flow.run()``.
    """
    with context(raise_on_exception=True):
        yield
