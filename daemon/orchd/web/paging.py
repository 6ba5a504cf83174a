"""
Lists that are given page by page: what a request may ask for, and where the next page begins.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

from fastapi import Query

T = TypeVar("T")

#: Most rows of one answer. Source: the threat table of reliability.md, T14, asks for a bound.
MAX_ROWS: Final = 500

After = Annotated[str, Query(description="`next` of the page before this one")]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS, description="most rows given")]


def page(noun: str, found: Sequence[T], *, limit: int, key: Callable[[T], object]) -> dict[str, object]:
    """
    Return a page as the API gives it, ``{noun: rows, "next": key of the last row}``; ``next`` is None on the last page.

    Args:
        found: at most *limit* + 1 rows: by the one too many it is known that there is another page.
    """
    rows = found[:limit]
    return {noun: rows, "next": key(rows[-1]) if len(found) > limit else None}
