"""
Many rows at once: the one place where a driver is given SQL text, because a statement object for each row is slow.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

Value = str | int | None
Row = tuple[Value, ...]

#: Rows in one ``VALUES`` list; SQLite allows 32,766 parameters in a statement.
_ROWS_AT_ONCE: Final = 256


def is_postgres(conn: Connection) -> bool:
    """
    Tell which of the two databases *conn* goes to.
    """
    return conn.dialect.name == "postgresql"


def insert(conn: Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row], *, tail: str = "") -> int:
    """
    Insert *rows* of *columns*, and return how many rows the database says were written.

    Args:
        tail: SQL text after the rows, such as an ``ON CONFLICT`` clause.
    """
    if not rows:
        return 0

    if is_postgres(conn):
        return conn.exec_driver_sql(_unnest(table, columns, tail), _arrays(rows)).rowcount

    return conn.exec_driver_sql(_values(table, columns, tail, 1), list(rows)).rowcount


def insert_new(
    conn: Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[Row], *, returning: tuple[str, ...]
) -> list[Row]:
    """
    Insert those of *rows* that break no unique key, and return the *returning* columns of just these.
    """
    tail = f"ON CONFLICT DO NOTHING RETURNING {', '.join(returning)}"
    if not rows:
        return []

    if is_postgres(conn):
        return [tuple(row) for row in conn.exec_driver_sql(_unnest(table, columns, tail), _arrays(rows))]

    written: list[Row] = []
    for part in parts(rows, _ROWS_AT_ONCE):
        flat = tuple(value for row in part for value in row)
        written.extend(tuple(row) for row in conn.exec_driver_sql(_values(table, columns, tail, len(part)), flat))
    return written


def parts(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """
    Cut *rows* into pieces of at most *size*.
    """
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def text_list(conn: Connection, texts: Iterable[str]) -> sa.Select[str]:
    """
    Return a subquery of *texts* for ``column.in_(...)``: one parameter, however many they are.
    """
    if is_postgres(conn):
        return sa.select(sa.func.unnest(sa.cast(list(texts), sa.ARRAY(sa.Text))))

    each = sa.func.json_each(msgspec.json.encode(list(texts)).decode()).table_valued("value")
    return sa.select(each.c.value)


@lru_cache(maxsize=256)
def _values(table: sa.Table, columns: tuple[str, ...], tail: str, rows: int) -> str:
    marks = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {', '.join([marks] * rows)} {tail}"


@lru_cache(maxsize=64)
def _unnest(table: sa.Table, columns: tuple[str, ...], tail: str) -> str:
    arrays = ", ".join("%s::" + ("text[]" if isinstance(table.c[c].type, sa.Text) else "bigint[]") for c in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) {tail}"


def _arrays(rows: Sequence[Row]) -> tuple[list[Value], ...]:
    return tuple([clean(value) for value in column] for column in zip(*rows, strict=True))


def clean(value: Value) -> Value:
    """
    Return *value* as Postgres can hold it: text with NUL characters gets ``\\\\x00`` in their place.
    """
    return value.replace("\x00", "\\x00") if isinstance(value, str) and "\x00" in value else value
