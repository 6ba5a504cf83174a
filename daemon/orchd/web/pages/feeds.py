"""
The log of a run as it grows, for the pages that show it: pages that are equally far are served by one look.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Struct

from orchd.model.ids import FlowRunId
from orchd.model.states import FlowRunState
from orchd.store import queries
from orchd.store.database import Connection
from orchd.store.queries import LogFilter
from orchd.web.asking import read
from orchd.web.daemon import Daemon

#: Lines sent at once. Whoever is further behind gets the newest ones, and hears that there is a gap: no page can show
#: ten thousand lines a second, and all of them are in the store.
AT_ONCE: Final = 500
#: Seconds between two looks. All pages look at the same instants, so that they share what is found.
_PACE_S: Final = 0.1
#: Seconds between two looks at what a run has printed, while a page shows it: nobody is told of a print.
_STIR_S: Final = 0.2
#: Longest time in seconds in which a stream says nothing, not even that it has nothing to say.
_WAIT_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    Which lines of which run.
    """

    number: int
    run_id: FlowRunId
    only: LogFilter = field(default_factory=LogFilter)


class _Found(Struct, frozen=True, kw_only=True):
    """
    What one look found.
    """

    #: What is sent for it to each page, made once; None when there is no line.
    event: str | None
    #: All lines up to this seq were looked at, and there are more of them.
    until: int
    has_more: bool
    #: Another one whenever the run or one of its tasks moved.
    mark: str
    is_over: bool


class Feeds:
    """
    Used in the loop's thread only.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._looks: dict[tuple[Wanted, int], asyncio.Task[tuple[_Found, bool]]] = {}
        self._stirred_s: dict[FlowRunId, float] = {}

    async def follow(self, wanted: Wanted, *, after: int) -> AsyncIterator[str]:
        """
        Give server-sent events: ``lines`` (JSON: ``lines``, ``gap``), ``change`` when a state moved, ``end`` at last;
        and an empty one whenever it woke up.

        Args:
            after: the line (by its seq) that the page has.
        """
        mark: str | None = None
        change = self._daemon.next_change()
        try:
            while True:
                found, is_newest = await self._look(wanted, after)
                after = found.until
                if found.event is not None:
                    yield found.event
                # The first look too: something may have moved since the page was made.
                if found.mark != mark:
                    yield _event("change", None)
                mark = found.mark
                if found.is_over and not found.has_more:
                    yield _event("end", None)
                    return
                if is_newest and not found.has_more:
                    change, is_up = await self._more(change, wanted.run_id)
                    if not is_up:
                        return
                yield ""
                await asyncio.sleep(_PACE_S - self._daemon.monotonic() % _PACE_S)
                change.cancel()
                change = self._daemon.next_change()
        finally:
            change.cancel()

    async def _more(self, change: "asyncio.Future[None]", run_id: FlowRunId) -> tuple["asyncio.Future[None]", bool]:
        """
        Wait for *change*, and have the daemon look what the run prints meanwhile; False when the daemon ends.
        """
        daemon, begun_s = self._daemon, self._daemon.monotonic()
        while not change.done() and daemon.monotonic() - begun_s < _WAIT_S:
            self._stir(run_id)
            # Taken before the other one is let go: a change that comes between them is not missed.
            following = daemon.next_change()
            try:
                is_up = await daemon.changed(change, within_s=_STIR_S)
            except asyncio.CancelledError:
                following.cancel()
                raise
            if not is_up or not change.cancelled():
                following.cancel()
                return change, is_up
            change = following
        return change, True

    def _stir(self, run_id: FlowRunId) -> None:
        """
        Have the daemon look at what the run printed, once for all pages that show it.
        """
        now_s = self._daemon.monotonic()
        # Only what counts is kept: a page may go before its run is over.
        self._stirred_s = {run: at_s for run, at_s in self._stirred_s.items() if now_s - at_s < _STIR_S / 2}
        if run_id in self._stirred_s:
            return

        self._stirred_s[run_id] = now_s
        self._daemon.stir(run_id)

    async def _look(self, wanted: Wanted, after: int) -> tuple[_Found, bool]:
        """
        Return what there is after line *after*, and whether nothing has changed since that was looked at.
        """
        key = (wanted, after)
        look = self._looks.get(key)
        if look is None:
            look = asyncio.create_task(self._looked(wanted, after))
            self._looks[key] = look
            look.add_done_callback(lambda _: self._looks.pop(key, None))
        return await asyncio.shield(look)

    async def _looked(self, wanted: Wanted, after: int) -> tuple[_Found, bool]:
        # Others may join a look that began before they did: what changed since its begin they have not seen.
        since = self._daemon.next_change()
        try:
            found = await read(self._daemon, lambda conn: _found(conn, wanted, after))
            return found, not since.done()
        finally:
            since.cancel()


def _found(conn: Connection, wanted: Wanted, after: int) -> _Found:
    state, mark = queries.run_mark(conn, wanted.number)
    page = queries.log_page(conn, wanted.number, after=after, only=wanted.only, limit=AT_ONCE)
    lines, until, has_more, has_gap = page.lines, page.next, page.more, False
    if len(lines) == AT_ONCE and has_more:
        newest = queries.log_page_before(conn, wanted.number, only=wanted.only, limit=AT_ONCE)
        has_gap = bool(newest.lines) and newest.lines[0].seq > until
        if has_gap:
            lines, until, has_more = newest.lines, newest.next, False
    event = _event("lines", {"lines": lines, "gap": has_gap}) if lines else None
    is_over = FlowRunState(state).is_final
    return _Found(event=event, until=until, has_more=has_more, mark=mark, is_over=is_over)


def _event(name: str, body: object) -> str:
    data = "" if body is None else msgspec.json.encode(body).decode()
    return f"event: {name}\ndata: {data}\n\n"
