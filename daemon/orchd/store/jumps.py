"""
When the wall clock was set, and by how much: kept among the daemon's own values, so that a restart forgets none.
"""

from typing import Final

from msgspec import Struct

from orchd.store import upkeep
from orchd.store.database import Connection

#: Begins the key of each jump.
PREFIX: Final = "clock_jump:"


class JumpRow(Struct, frozen=True, kw_only=True):
    """
    The clock was set by *seconds* (negative for back), and showed *at_us* just after.
    """

    at_us: int
    seconds: float

    @property
    def before_us(self) -> int:
        """
        What the clock showed just before.
        """
        return self.at_us - round(self.seconds * 1_000_000)


def put(conn: Connection, jump: JumpRow) -> None:
    """
    Keep *jump*.
    """
    # Two jumps may lead to one time: how far each went tells them apart.
    upkeep.put_state(conn, f"{PREFIX}{jump.at_us}:{jump.seconds}", repr(jump.seconds), at_us=jump.at_us)


def jumps(conn: Connection) -> list[JumpRow]:
    """
    Return all that are kept, by the time that the clock showed after each.
    """
    return [JumpRow(at_us=row.at_us, seconds=float(row.value)) for row in upkeep.states(conn, PREFIX)]


def near(conn: Connection, *, first_us: int, last_us: int, within_us: int) -> list[JumpRow]:
    """
    Return the jumps over or into the time from *first_us* to *last_us*, or at most *within_us* beside it.
    """
    return [
        jump
        for jump in jumps(conn)
        if min(jump.at_us, jump.before_us) - within_us <= last_us
        and first_us <= max(jump.at_us, jump.before_us) + within_us
    ]


def forget(conn: Connection, *, before_us: int) -> None:
    """
    Remove those that led to a time before *before_us*.
    """
    upkeep.forget_states(conn, PREFIX, before_us=before_us)
