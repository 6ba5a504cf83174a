"""
Questions about what a run wrote.
"""

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from orchd.model.instants import from_us, iso
from orchd.model.texts import utf8_size
from orchd.store.database import Connection
from orchd.store.schema import WORTH_A_LOOK, log
from orchd.store.views import LogView

#: Number of a stream as stored -> its name.
STREAMS: Final = ("logger", "stdout", "stderr")

#: Numbers of the standard ``logging`` module.
WARNING: Final = 30
ERROR: Final = 40
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
    text: str | None = None,
    since_us: int | None = None,
    limit: int = 1000,
) -> list[LogView]:
    """
    Return lines of run *number*, oldest first, and of those only as many as fit into :data:`MAX_BYTES`.

    Args:
        after: only lines whose seq is greater.

        task: only lines of the task of that slug, in all its map indices.

        level: only lines of that level and up.

        text: only lines in which it stands, whatever the case of its letters.

        since_us: only lines written at or after it.
    """
    asked = _SELECT.where(_C.seq > after, *_chosen(number, task, level, text, since_us)).order_by(_C.seq).limit(limit)
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
    before: int | None = None,
    task: str | None = None,
    level: int | None = None,
    text: str | None = None,
    since_us: int | None = None,
    within: int | None = None,
) -> list[LogView]:
    """
    Return the last *count* lines of run *number*, oldest first. Where they do not fit, :func:`log_lines` goes on.

    Args:
        before: the last ones of those whose seq is smaller.

        within: only so many lines of the run, the last ones, are looked at.
    """
    chosen = list(_chosen(number, task, level, text, since_us))
    if before is not None:
        chosen.append(_C.seq < before)
    if within is not None:
        end = last_line(conn, number) + 1 if before is None else before
        chosen.append(_C.seq >= end - within)
    last = sa.select(_C.seq).where(*chosen).order_by(_C.seq.desc()).limit(count).subquery()
    first = conn.execute(sa.select(sa.func.min(last.c.seq))).scalar()
    if first is None:
        return []

    return log_lines(conn, number, after=first - 1, task=task, level=level, text=text, since_us=since_us, limit=count)


def last_line(conn: Connection, number: int) -> int:
    """
    Return the seq of the last line of run *number*; -1 when it has written none.
    """
    found: int | None = conn.execute(sa.select(sa.func.max(_C.seq)).where(_C.run_number == number)).scalar()
    return -1 if found is None else found


def first_error(conn: Connection, number: int, *, after: int = -1) -> int | None:
    """
    Return the seq of the first line after *after* that a logger wrote as an error; None when there is none.
    """
    asked = sa.select(_C.seq).where(_C.run_number == number, _C.seq > after, _C.level >= ERROR, WORTH_A_LOOK)
    found: int | None = conn.execute(asked.order_by(_C.seq).limit(1)).scalar()
    return found


def _chosen(
    number: int, task: str | None, level: int | None, text: str | None, since_us: int | None
) -> Iterator[sa.ColumnElement[bool]]:
    yield _C.run_number == number
    if task is not None:
        yield _C.slug == task
    if level is not None:
        yield _C.level >= level
        if level >= WARNING:
            yield WORTH_A_LOOK
    if text is not None:
        yield _C.text.icontains(text, autoescape=True)
    if since_us is not None:
        yield _C.at_us >= since_us


def _view(row: sa.Row[int, int, int, int, str, int, str]) -> LogView:
    seq, at_us, level, stream, slug, map_index, text = row
    return LogView(
        seq=seq, at=iso(from_us(at_us)), level=level, stream=STREAMS[stream], task=slug, map_index=map_index, text=text
    )
