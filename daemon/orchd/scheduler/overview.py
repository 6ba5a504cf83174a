"""
The board in words, for people: what is held and why, what comes next, until when a schedule waits for the clock.

Called from any thread. Each answer is made from one copy of what the writer holds, so it may be a moment old.
"""

import heapq
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import Final

from orchd.errors import NotFound
from orchd.model.ids import with_run_name
from orchd.model.instants import from_us, iso
from orchd.model.names import shown
from orchd.scheduler.board import Board, Entry
from orchd.schedules.admission import Hold, admit
from orchd.schedules.explain import explain_fires
from orchd.schedules.plan import CLOCK_STEP
from orchd.schedules.waits import words

Json = dict[str, object]

#: Of two fire times the sooner one; at one instant by the name of the schedule.
_ORDER: Final = itemgetter(0, 1)


class Overview:
    """
    Reads the board for the API.
    """

    def __init__(self, board: Board) -> None:
        self._board = board

    def holds(self, *, now: datetime) -> dict[str, str]:
        """
        Give run id -> why it is held at this moment.
        """
        board = self._board
        _, holds = admit(board.held(), taken=board.taken(), limits=board.limits, now=now)
        return {hold.run_id: self._sentence(hold) for hold in holds}

    def _sentence(self, hold: Hold) -> str:
        if hold.code == "wait":
            return replace(hold, fields=(("wait", self._board.waits.why(hold.run_id)),)).sentence

        return replace(hold, fields=tuple(with_run_name(dict(hold.fields)).items())).sentence

    def upcoming(self, schedule: str | None, *, n: int, after: datetime) -> list[Json]:
        """
        Give the next *n* fire times after *after*, of one schedule or of all that are not paused.

        Raises:
            NotFound: there is no such schedule.
        """
        entries = self._board.entries
        if schedule is not None:
            if schedule not in entries:
                raise NotFound(f"there is no schedule {shown(schedule)}; there are {', '.join(entries) or 'none'}")

            return [row for _, _, row in islice(_coming(entries[schedule], after=after), n)]

        # One fire time of each first, so that thousands of schedules cost one step each.
        first = heapq.nsmallest(n, self._ticking(), key=lambda entry: entry.next_fire or after)
        merged = heapq.merge(*(_coming(entry, after=after) for entry in first), key=_ORDER)
        return [row for _, _, row in islice(merged, n)]

    def soonest(self, *, n: int, after: datetime) -> tuple[list[Json], int]:
        """
        Give the next fire time after *after* of each of the *n* soonest schedules, and how many more have one.
        """
        ticking = self._ticking()
        first = heapq.nsmallest(n, ticking, key=lambda entry: entry.next_fire or after)
        rows = sorted((row for entry in first for row in islice(_coming(entry, after=after), 1)), key=_ORDER)
        return [row for _, _, row in rows], len(ticking) - len(first)

    def _ticking(self) -> list[Entry]:
        entries = self._board.entries.values()
        return [entry for entry in entries if entry.row.paused is None and entry.next_fire is not None]

    def pools(self) -> list[Json]:
        """
        Give each pool with its places and how many of them are taken.
        """
        taken = self._board.taken().pools
        return [
            {"pool": pool, "places": places, "taken": len(taken.get(pool, ()))}
            for pool, places in self._board.limits.pools.items()
        ]

    def clock_waits(self, now: datetime) -> list[Json]:
        """
        Give the schedules whose cursor lies in the future, because the clock was set back, and until when they wait.
        """
        waits: list[Json] = []
        for entry in list(self._board.entries.values()):
            until = from_us(entry.row.decided_until_us)
            if now < until < now + CLOCK_STEP:
                waits.append({"schedule": entry.row.spec.name, "until": iso(until)})
        return waits


def _coming(entry: Entry, *, after: datetime) -> Iterator[tuple[datetime, str, Json]]:
    spec = entry.row.spec
    for coming in explain_fires(entry.rule, after=after):
        row: Json = {
            "schedule": spec.name,
            "flow": spec.flow,
            "fire_time": iso(coming.instant),
            "local": coming.local,
            "timezone": spec.timezone,
            "note": coming.note,
            "waits_for": [words(wait) for wait in spec.wait_for],
        }
        yield coming.instant, spec.name, row
