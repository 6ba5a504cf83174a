"""
Failures in a row of the schedules that pause themselves: the fire times of the slots whose last attempt failed.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from orchd.store.database import Connection
from orchd.store.schema import daemon_state
from orchd.store.upkeep import get_state, put_state

#: Kept among the daemon's own values, so that neither retention nor a long rule makes one forget.
_KEY: Final = "failures_in_a_row:"
_FIRE_TIMES: Final = msgspec.json.Decoder(tuple[int, ...])


def get(conn: Connection, name: str) -> tuple[int, ...]:
    """
    Return the fire times (microseconds) of the failures in a row of the schedule called *name*, in order of their ends.
    """
    found = get_state(conn, _KEY + name)
    return () if found is None else _FIRE_TIMES.decode(found.value)


def put(conn: Connection, name: str, fire_times_us: Sequence[int], *, at_us: int) -> None:
    """
    Keep *fire_times_us* as the failures in a row of the schedule called *name*.
    """
    put_state(conn, _KEY + name, msgspec.json.encode(fire_times_us).decode(), at_us=at_us)


def clear(conn: Connection, name: str) -> None:
    """
    Begin to count anew.
    """
    conn.execute(daemon_state.delete().where(daemon_state.c.key == sa.bindparam("of")), {"of": _KEY + name})
