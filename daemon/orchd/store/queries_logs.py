"""
Questions about what a run wrote.
"""

from typing import Final

import sqlalchemy as sa

from orchd.model.instants import from_us, iso
from orchd.store.database import Connection
from orchd.store.schema import log
from orchd.store.views import LogView

#: Number of a stream as stored -> its name.
STREAMS: Final = ("logger", "stdout", "stderr")

_C: Final = log.c
_SELECT: Final = sa.select(_C.seq, _C.at_us, _C.level, _C.stream, _C.slug, _C.map_index, _C.text)


def log_lines(
    conn: Connection,
    number: int,
    *,
    after: int = -1,
    task: str | None = None,
    level: int | None = None,
    since_us: int | None = None,
    limit: int = 1000,
) -> list[LogView]:
    """
    Return lines of run *number*, oldest first.

    Args:
        after: only lines whose seq is greater.

        task: only lines of the task of that slug, in all its map indices.

        level: only lines of that level and up.

        since_us: only lines written at or after it.
    """
    asked = _filtered(number, task, level, since_us).where(_C.seq > after).order_by(_C.seq).limit(limit)
    return [_view(row) for row in conn.execute(asked)]


def log_tail(
    conn: Connection,
    number: int,
    *,
    count: int,
    task: str | None = None,
    level: int | None = None,
    since_us: int | None = None,
) -> list[LogView]:
    """
    Return the last *count* lines of run *number* that :func:`log_lines` would give, oldest first.
    """
    asked = _filtered(number, task, level, since_us).order_by(_C.seq.desc()).limit(count)
    return [_view(row) for row in conn.execute(asked)][::-1]


def _filtered(
    number: int, task: str | None, level: int | None, since_us: int | None
) -> sa.Select[int, int, int, int, str, int, str]:
    asked = _SELECT.where(_C.run_number == number)
    if task is not None:
        asked = asked.where(_C.slug == task)
    if level is not None:
        asked = asked.where(_C.level >= level)
    if since_us is not None:
        asked = asked.where(_C.at_us >= since_us)
    return asked


def _view(row: sa.Row[int, int, int, int, str, int, str]) -> LogView:
    seq, at_us, level, stream, slug, map_index, text = row
    return LogView(
        seq=seq, at=iso(from_us(at_us)), level=level, stream=STREAMS[stream], task=slug, map_index=map_index, text=text
    )
