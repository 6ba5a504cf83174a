"""
Questions about what a run wrote.
"""

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from orchd.model.instants import from_us, iso
from orchd.model.texts import utf8_size
from orchd.store.database import Connection
from orchd.store.schema import log
from orchd.store.views import LogView

#: Number of a stream as stored -> its name.
STREAMS: Final = ("logger", "stdout", "stderr")

#: Most text of one answer, in bytes; but one line is always given.
MAX_BYTES: Final = 4 * 1024 * 1024
#: Rows that Postgres hands over at once: of the longest lines as much as one answer.
_ROWS_AT_ONCE: Final = 64

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
    Return lines of run *number*, oldest first, and of those only as many as fit into :data:`MAX_BYTES`.

    Args:
        after: only lines whose seq is greater.

        task: only lines of the task of that slug, in all its map indices.

        level: only lines of that level and up.

        since_us: only lines written at or after it.
    """
    asked = _SELECT.where(_C.seq > after, *_chosen(number, task, level, since_us)).order_by(_C.seq).limit(limit)
    rows = conn.execute(asked.execution_options(stream_results=True, max_row_buffer=_ROWS_AT_ONCE))
    found: list[LogView] = []
    size = 0
    for row in rows:
        view = _view(row)
        size += utf8_size(view.text)
        if found and size > MAX_BYTES:
            break
        found.append(view)
    rows.close()
    return found


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
    Return the last *count* lines of run *number*, oldest first. Where they do not fit, :func:`log_lines` goes on.
    """
    chosen = _chosen(number, task, level, since_us)
    last = sa.select(_C.seq).where(*chosen).order_by(_C.seq.desc()).limit(count).subquery()
    first = conn.execute(sa.select(sa.func.min(last.c.seq))).scalar()
    if first is None:
        return []

    return log_lines(conn, number, after=first - 1, task=task, level=level, since_us=since_us, limit=count)


def _chosen(number: int, task: str | None, level: int | None, since_us: int | None) -> Iterator[sa.ColumnElement[bool]]:
    yield _C.run_number == number
    if task is not None:
        yield _C.slug == task
    if level is not None:
        yield _C.level >= level
    if since_us is not None:
        yield _C.at_us >= since_us


def _view(row: sa.Row[int, int, int, int, str, int, str]) -> LogView:
    seq, at_us, level, stream, slug, map_index, text = row
    return LogView(
        seq=seq, at=iso(from_us(at_us)), level=level, stream=STREAMS[stream], task=slug, map_index=map_index, text=text
    )
