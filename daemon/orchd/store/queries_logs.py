"""
Questions about what a run wrote.
"""

from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct

from orchd.model.instants import from_us, iso
from orchd.model.texts import utf8_size
from orchd.store.bulk import is_postgres
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
#: Most lines that one question looks at, so that none waits for a million of them.
LOOKED_AT: Final = 50_000
#: Rows that Postgres hands over at once: of the longest lines as much as one answer.
_ROWS_AT_ONCE: Final = 64

_C: Final = log.c
_SELECT: Final = sa.select(_C.seq, _C.at_us, _C.level, _C.stream, _C.slug, _C.map_index, _C.text)


class LogFilter(Struct, frozen=True, kw_only=True):
    """
    Which lines of a log are wanted.
    """

    #: Only lines of the task of that slug, in all its map indices.
    task: str | None = None
    #: Only lines of that level and up.
    level: int | None = None
    #: Only lines in which it stands, whatever the case of its letters.
    text: str | None = None
    #: Only lines written at or after it.
    since_us: int | None = None

    @property
    def is_worth_a_look(self) -> bool:
        """
        True when only lines are wanted that an index has.
        """
        return self.level is not None and self.level >= WARNING


#: Every line.
ALL: Final = LogFilter()


class LogPage(Struct, frozen=True, kw_only=True):
    """
    Lines of a log, oldest first, and how far it was looked at for them.
    """

    lines: list[LogView]
    #: Lines of a greater seq were not looked at.
    next: int
    #: There are such lines.
    more: bool
    #: Lines of this seq and greater were looked at, and there are older ones; None when there are none.
    before: int | None


def log_page(
    conn: Connection,
    number: int,
    *,
    after: int = -1,
    only: LogFilter = ALL,
    limit: int = 1000,
    within: int = LOOKED_AT,
) -> LogPage:
    """
    Return the first lines of run *number* after seq *after*, as many as fit into :data:`MAX_BYTES`.

    Args:
        within: only so many lines are looked at; of those worth a look, if others are not wanted.
    """
    last = last_line(conn, number)
    end = last if only.is_worth_a_look else min(after + within, last)
    near = _near(number, only, _C.seq > after, _C.seq <= end, order=_C.seq, within=within)
    lines, is_whole = _fitting(conn, _chosen(conn, near, only).order_by(near.c.seq), limit)
    if is_whole:
        reached = max(after, _bound(conn, sa.func.max(near.c.seq), only, within=within, otherwise=end))
    else:
        reached = lines[-1].seq
    return LogPage(lines=lines, next=reached, more=reached < last, before=None)


def log_page_before(
    conn: Connection,
    number: int,
    *,
    before: int | None = None,
    only: LogFilter = ALL,
    limit: int = 1000,
    within: int = LOOKED_AT,
) -> LogPage:
    """
    Return the last lines of run *number*, as many as fit into :data:`MAX_BYTES`, oldest first.

    Args:
        before: the last ones of those whose seq is smaller.

        within: only so many lines are looked at; of those worth a look, if others are not wanted.
    """
    last = last_line(conn, number)
    end = last + 1 if before is None else min(before, last + 1)
    begin = 0 if only.is_worth_a_look else max(end - within, 0)
    near = _near(number, only, _C.seq < end, _C.seq >= begin, order=_C.seq.desc(), within=within)
    lines, is_whole = _fitting(conn, _chosen(conn, near, only).order_by(near.c.seq.desc()), limit)
    lines.reverse()
    if is_whole:
        reached = _bound(conn, sa.func.min(near.c.seq), only, within=within, otherwise=begin)
    else:
        reached = lines[0].seq if lines else end
    return LogPage(lines=lines, next=end - 1, more=end <= last, before=reached or None)


def log_lines(conn: Connection, number: int, *, after: int = -1, limit: int = 1000) -> list[LogView]:
    """
    Return the first lines of run *number* after seq *after*, as many as fit into :data:`MAX_BYTES`.
    """
    return _fitting(conn, _SELECT.where(_C.run_number == number, _C.seq > after).order_by(_C.seq), limit)[0]


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


def _near(
    number: int,
    only: LogFilter,
    begin: sa.ColumnElement[bool],
    end: sa.ColumnElement[bool],
    *,
    order: sa.ColumnElement[int],
    within: int,
) -> sa.Subquery:
    """
    Return what is looked at: the lines from *begin* to *end*; when only lines worth a look are wanted, the first of
    those that an index has from *begin* on (with both bounds SQLite takes another index).
    """
    near = _SELECT.where(_C.run_number == number, begin)
    near = near.where(WORTH_A_LOOK).order_by(order).limit(within) if only.is_worth_a_look else near.where(end)
    return near.subquery()


def _bound(conn: Connection, bound: sa.Function[int], only: LogFilter, *, within: int, otherwise: int) -> int:
    """
    Return how far was looked: *otherwise*, or as far as *within* lines that are worth a look.
    """
    if not only.is_worth_a_look:
        return otherwise

    found: int | None = conn.execute(sa.select(bound).having(sa.func.count() == within)).scalar()
    return otherwise if found is None else found


def _chosen(conn: Connection, near: sa.Subquery, only: LogFilter) -> sa.Select[Any]:
    asked = sa.select(near)
    if only.task is not None:
        asked = asked.where(near.c.slug == only.task)
    if only.level is not None:
        asked = asked.where(near.c.level >= only.level)
    if only.text is not None:
        # SQLite's LIKE takes big and small letters for the same by itself; to lower each line would double its time.
        has = near.c.text.icontains if is_postgres(conn) else near.c.text.contains
        asked = asked.where(has(only.text, autoescape=True))
    if only.since_us is not None:
        asked = asked.where(near.c.at_us >= only.since_us)
    return asked


def _fitting(conn: Connection, chosen: sa.Select[Any], limit: int) -> tuple[list[LogView], bool]:
    """
    Return the first *limit* lines of *chosen*, as many as fit into an answer, but one at least; and whether those are
    all.
    """
    asked = chosen.limit(limit + 1).execution_options(stream_results=True, max_row_buffer=_ROWS_AT_ONCE)
    found: list[LogView] = []
    size = 0
    with conn.execute(asked) as rows:
        for row in rows:
            view = _view(row)
            size += utf8_size(view.text)
            if len(found) == limit or (found and size > MAX_BYTES):
                return found, False
            found.append(view)
    return found, True


def _view(row: sa.Row[int, int, int, int, str, int, str]) -> LogView:
    seq, at_us, level, stream, slug, map_index, text = row
    return LogView(
        seq=seq, at=iso(from_us(at_us)), level=level, stream=STREAMS[stream], task=slug, map_index=map_index, text=text
    )
