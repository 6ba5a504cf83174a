"""
Who may come in over TCP: giving out links, sessions and tokens, and knowing them again.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from orchd.store import access
from orchd.store.access import AccessKind, AccessRow
from orchd.store.database import Connection

#: Bytes of a secret. Source: OWASP asks for 128 bits of a session id; a secret of 256 bits needs no slow hash.
_SECRET_BYTES: Final = 32
#: A link is for the person who just asked for it.
LINK_LIFE: Final = timedelta(minutes=10)
#: A browser stays logged in for so long.
SESSION_LIFE: Final = timedelta(days=30)
_US: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """
    Somebody who was let in over TCP.
    """

    who: str
    may_change: bool
    #: What a form of a page must bring with it; None for a script, which no page can lead astray.
    form_key: str | None

    @property
    def login(self) -> str:
        """
        Another word for each session and each token.
        """
        return self.form_key or self.who


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """
    A secret, to be given out once.
    """

    secret: str
    row: AccessRow


def new_secret(
    kind: AccessKind,
    *,
    who: str,
    now_us: int,
    life: timedelta | None = None,
    name: str = "",
    read_only: bool = False,
) -> Given:
    """
    Make a secret for *who*, good for *life* (None: until it is revoked). It counts once :func:`access.put` has it.
    """
    row = AccessRow(
        kind=kind,
        name=name,
        who=who,
        read_only=read_only,
        created_at_us=now_us,
        expires_at_us=None if life is None else now_us + life // _US,
    )
    return Given(secret=f"orchd_{secrets.token_urlsafe(_SECRET_BYTES)}", row=row)


def login_url(address: str, link: Given) -> str:
    """
    Return the URL that logs in by *link* to the page at *address*.
    """
    return f"{address}/login?key={link.secret}"


def redeem(conn: Connection, link: str, *, now_us: int) -> Given | None:
    """
    Give a session for the secret of a link, which is good for nothing afterwards; None when it was not good.
    """
    found = access.take(conn, link, AccessKind.LINK, at_us=now_us)
    if found is None:
        return None

    session = new_secret(AccessKind.SESSION, who=found.who, now_us=now_us, life=SESSION_LIFE, read_only=found.read_only)
    access.put(conn, session.secret, session.row)
    return session


def visitor_of(conn: Connection, *, session: str | None, token: str | None, now_us: int) -> Visitor | None:
    """
    Tell who holds a session's cookie or a script's token; None when it is good for nothing. A token goes first.
    """
    if token is not None:
        row = access.find(conn, token, AccessKind.TOKEN, at_us=now_us)
        return None if row is None else Visitor(who=f"token {row.name}", may_change=not row.read_only, form_key=None)

    row = None if session is None else access.find(conn, session, AccessKind.SESSION, at_us=now_us)
    if row is None or session is None:
        return None

    return Visitor(who=row.who, may_change=not row.read_only, form_key=form_key(session))


def form_key(session: str) -> str:
    """
    Return what the forms of a session bring with them: made of its cookie, which no other site can read.
    """
    return hmac.new(session.encode("utf-8", "surrogateescape"), b"orchd form", hashlib.sha256).hexdigest()


def is_form_key(given: str, visitor: Visitor) -> bool:
    """
    Tell whether *given* is the form key of *visitor*, in a time that says nothing of it.
    """
    return visitor.form_key is not None and hmac.compare_digest(given.encode(), visitor.form_key.encode())
