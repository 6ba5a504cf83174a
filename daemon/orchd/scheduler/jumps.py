"""
The clock's jumps, for people: kept in the store, so that status and ``why`` can name them after a restart too.
"""

from collections import deque
from typing import Final

from orchd.model.instants import from_us, to_us
from orchd.scheduler.clock_watch import ClockJump
from orchd.store import jumps
from orchd.store.database import Database
from orchd.store.jumps import JumpRow

#: How many jumps the status shows; the store keeps all of them as long as runs.
_SHOWN: Final = 20


class Jumps:
    """
    Remembers jumps. Called by the writer only, but for :meth:`latest`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest: deque[ClockJump] = deque(maxlen=_SHOWN)
        self._unkept: list[ClockJump] = []

    def latest(self) -> tuple[ClockJump, ...]:
        """
        Give the last jumps, the newest last. From any thread.
        """
        return tuple(self._latest.copy())

    def load(self) -> None:
        """
        Remember what was kept before a restart.
        """
        with self._database.reading() as conn:
            self._latest.extend(ClockJump(at=from_us(row.at_us), seconds=row.seconds) for row in jumps.jumps(conn))

    def note(self, jump: ClockJump) -> None:
        """
        Remember *jump*; :meth:`keep` writes it down.
        """
        self._latest.append(jump)
        self._unkept.append(jump)

    def keep(self) -> None:
        """
        Write down what is not kept yet; while the store is away it is raised, and tried again with the next tick.
        """
        if not self._unkept:
            return

        with self._database.writing() as conn:
            for jump in self._unkept:
                jumps.put(conn, JumpRow(at_us=to_us(jump.at), seconds=jump.seconds))
        self._unkept.clear()
