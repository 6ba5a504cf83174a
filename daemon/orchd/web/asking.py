"""
What a request comes with, and waiting for what it asks for: the writer's work, or something new in the store.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

from fastapi import Path, Query, Request
from starlette.concurrency import run_in_threadpool

from orchd.errors import UsageError
from orchd.model.instants import to_us
from orchd.model.names import shown
from orchd.store.database import Connection
from orchd.store.views import SlotView
from orchd.web.daemon import Daemon

T = TypeVar("T")

#: Longest time that a request waits for something new, in seconds.
MAX_WAIT_S: Final = 30.0
#: Largest number that the store can hold.
MAX_NUMBER: Final = 2**63 - 1
#: Years that lie in the calendar wherever on earth one looks at it.
_FIRST_YEAR: Final = 2
_LAST_YEAR: Final = 9998

Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_S, description="seconds to wait when there is nothing new yet")]
RunRef = Annotated[str, Path(description="a run: its id, the beginning of its id (4 characters and more), or its name")]


async def outcome(future: "Future[T]") -> T:
    """
    Wait for *future* in the loop, and return its result or raise its error.
    """
    return await asyncio.wrap_future(future)


async def read(daemon: Daemon, question: Callable[[Connection], T]) -> T:
    """
    Ask *question* of the store, outside the loop.
    """
    return await run_in_threadpool(_ask, daemon, question)


async def read_new(
    daemon: Daemon, question: Callable[[Connection], T], *, is_new: Callable[[T], bool], wait_s: float
) -> T:
    """
    Ask *question* until its answer *is_new*, at most for *wait_s* seconds, and not beyond the daemon's end.
    """
    deadline = daemon.monotonic() + wait_s
    while True:
        changed = daemon.next_change()
        found = await read(daemon, question)
        left_s = deadline - daemon.monotonic()
        if is_new(found) or left_s <= 0:
            changed.cancel()
            return found
        if not await daemon.changed(changed, within_s=left_s):
            return found


def _ask(daemon: Daemon, question: Callable[[Connection], T]) -> T:
    with daemon.database.reading() as conn:
        return question(conn)


def caller(request: Request) -> str:
    """
    Give who sent *request*: the user at the other end of the Unix socket.
    """
    return request.client.host if request.client else "somebody"


def caller_uid(request: Request) -> int | None:
    """
    Give the uid of who sent *request*; None when it did not come over the Unix socket.
    """
    # An address of the network has a server with a port at its own end; the Unix socket has none.
    is_unix = not (request.scope.get("server") or (None, None))[1]
    return request.client.port if request.client is not None and is_unix else None


def utc(instant: datetime) -> datetime:
    """
    Return *instant* (aware, any zone) in UTC.

    Raises:
        UsageError: it is not in the calendar of every zone.
    """
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise UsageError(f"{instant.isoformat()} is in no calendar: write a time of the years 2 to 9998")

    return instant.astimezone(UTC)


def an_instant(text: str) -> datetime:
    """
    Return the instant that *text* (ISO 8601, with its zone) says, in UTC.

    Raises:
        UsageError: it says none.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise UsageError(f"{shown(text)} is no time with its zone; write one such as 2026-03-29T02:30:00Z")

    return utc(instant)


def slot_key(slot: SlotView) -> str:
    """
    Return the text by which the page after *slot* is asked for.
    """
    return f"{slot.fire_time}@{slot.schedule}"


def slot_before(key: str) -> tuple[int, str] | None:
    """
    Return fire time (microseconds) and schedule of what :func:`slot_key` gave; None for the empty text.

    Raises:
        UsageError: it is no such text.
    """
    at, _, schedule = key.partition("@")
    return (to_us(an_instant(at)), schedule) if key else None
