"""
The whole log of a run as text, read in pieces, however long it is.
"""

import logging
from collections.abc import Iterator
from typing import Final

from orchd.model.names import ESCAPES
from orchd.store import queries
from orchd.store.database import Database
from orchd.store.queries import LogView

_AT_ONCE: Final = 5000


def log_file(database: Database, number: int) -> Iterator[str]:
    """
    Give the lines of run *number*, each with its time and its task, so many at once.
    """
    after = -1
    while True:
        with database.reading() as conn:
            lines = queries.log_lines(conn, number, after=after, limit=_AT_ONCE)
        if not lines:
            return

        after = lines[-1].seq
        yield "".join(map(_line, lines))


def _line(line: LogView) -> str:
    index = f"[{line.map_index}]" if line.map_index >= 0 else ""
    level = logging.getLevelName(line.level)
    return f"{line.at} {level} {line.task or '-'}{index} {line.text.translate(ESCAPES)}\n"
