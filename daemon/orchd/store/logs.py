"""
Log lines into the store, many at once.
"""

from typing import Final

from orchd.store import bulk
from orchd.store.database import Connection
from orchd.store.schema import log

#: Run number, seq, time, level, stream (0 logger, 1 stdout, 2 stderr), task slug, map index, text.
LogRow = tuple[int, int, int, int, int, str | None, int, str]

_COLUMNS: Final = ("run_number", "seq", "at_us", "level", "stream", "slug", "map_index", "text")


def append(conn: Connection, rows: list[LogRow]) -> None:
    """
    Store *rows*, whose seq go on where those of their run ended.

    Raises:
        InternalError: a row of that run and seq is there already.
    """
    bulk.insert(conn, log, _COLUMNS, rows)
