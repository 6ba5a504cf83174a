"""
What lets somebody in over TCP: links that work once, sessions of a browser, tokens of scripts.

A secret is given out once and is in no row: the store holds its SHA-256. A random secret needs no slow hash.
"""

import hashlib
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from msgspec import Struct

from orchd.errors import NotFound, UsageError
from orchd.model.names import shown
from orchd.store.database import Connection
from orchd.store.schema import access

_C: Final = access.c
#: Microseconds by which a clock may be set back without logging anybody out. What is from further in the future was
#: made by a wrong clock, and would outlive its time by as much.
_AHEAD_US: Final = 10 * 60 * 1_000_000


class AccessKind(StrEnum):
    """
    What a secret is for.
    """

    #: Works once, for some minutes, and gives a session.
    LINK = "link"
    #: The cookie of a browser.
    SESSION = "session"
    #: The ``Authorization: Bearer`` of a script.
    TOKEN = "token"


class AccessRow(Struct, frozen=True, kw_only=True):
    """
    One secret, without the secret.
    """

    kind: AccessKind
    #: Of a token: what it is called. Else empty.
    name: str = ""
    #: Who asked for it, and is the caller of what is done with it.
    who: str
    #: Nothing may be changed with it.
    read_only: bool = False
    created_at_us: int
    #: None for a token that is good until it is revoked.
    expires_at_us: int | None = None


def put(conn: Connection, secret: str, row: AccessRow) -> None:
    """
    Let whoever holds *secret* in.

    Raises:
        UsageError: there is a token of that name already.
    """
    if row.kind is AccessKind.TOKEN and conn.execute(_named(row.name)).first() is not None:
        raise UsageError(f"there is a token {shown(row.name)} already: revoke it first, or write another name")

    values = {field: getattr(row, field) for field in row.__struct_fields__}
    conn.execute(
        access.insert().values(
            secret_hash=_hash(secret), **values | {"kind": row.kind.value, "read_only": int(row.read_only)}
        )
    )


def find(conn: Connection, secret: str, kind: AccessKind, *, at_us: int) -> AccessRow | None:
    """
    Return what *secret* is good for at *at_us*; None when it is none, expired, or from the future and would expire.
    """
    asked = sa.select(access).where(_C.secret_hash == _hash(secret), _C.kind == kind.value)
    is_in_time = sa.and_(_C.expires_at_us > at_us, _C.created_at_us <= at_us + _AHEAD_US)
    row = conn.execute(asked.where(sa.or_(_C.expires_at_us.is_(None), is_in_time))).one_or_none()
    return None if row is None else _row(row)


def take(conn: Connection, secret: str, kind: AccessKind, *, at_us: int) -> AccessRow | None:
    """
    Return what *secret* is good for, and make it good for nothing from now on.
    """
    row = find(conn, secret, kind, at_us=at_us)
    conn.execute(access.delete().where(_C.secret_hash == _hash(secret)))
    return row


def tokens(conn: Connection, *, after: str | None = None, limit: int | None = None) -> list[AccessRow]:
    """
    Return every token by name; those whose names come after *after*, when it is given.
    """
    asked = sa.select(access).where(_C.kind == AccessKind.TOKEN.value).order_by(_C.name).limit(limit)
    if after is not None:
        asked = asked.where(_C.name > after)
    return [_row(row) for row in conn.execute(asked)]


def revoke(conn: Connection, name: str) -> None:
    """
    Make the token of that name good for nothing.

    Raises:
        NotFound: there is none.
    """
    gone = conn.execute(access.delete().where(_C.kind == AccessKind.TOKEN.value, _C.name == name))
    if not gone.rowcount:
        raise NotFound(f"there is no token {shown(name)}: `orchd token list` lists those that there are")


def forget_expired(conn: Connection, *, at_us: int) -> None:
    """
    Remove what is good no longer.
    """
    conn.execute(access.delete().where(_C.expires_at_us <= at_us))


def _named(name: str) -> sa.Select[str]:
    return sa.select(_C.secret_hash).where(_C.kind == AccessKind.TOKEN.value, _C.name == name)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _row(row: sa.Row[*tuple[object, ...]]) -> AccessRow:
    return AccessRow(
        kind=AccessKind(row.kind),
        name=row.name,
        who=row.who,
        read_only=bool(row.read_only),
        created_at_us=row.created_at_us,
        expires_at_us=row.expires_at_us,
    )
