"""
What lets somebody in, and until when.
"""

from datetime import timedelta

import pytest

from orchd.errors import NotFound, UsageError
from orchd.store import access
from orchd.store.access import AccessKind, AccessRow
from orchd.store.database import Database

_US = timedelta(microseconds=1)
MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) // _US for unit in ("minutes", "hours", "days"))
#: When everything is given out.
MADE = 20_000 * DAY
LIVES = {AccessKind.LINK: 10 * MINUTE, AccessKind.SESSION: 30 * DAY, AccessKind.TOKEN: None}


def give(store: Database, kind: AccessKind, *, name: str = "") -> str:
    """
    Let somebody in, and return the secret.
    """
    life = LIVES[kind]
    expires = None if life is None else MADE + life
    with store.writing() as conn:
        access.put(conn, kind, AccessRow(kind=kind, name=name, who="x", created_at_us=MADE, expires_at_us=expires))
    return kind


def is_good(store: Database, secret: str, kind: AccessKind, *, at_us: int) -> bool:
    """
    Tell whether *secret* lets somebody in.
    """
    with store.reading() as conn:
        return access.find(conn, secret, kind, at_us=at_us) is not None


@pytest.mark.parametrize(
    ("kind", "after_us", "expected"),
    [
        (AccessKind.LINK, 0, True),
        (AccessKind.LINK, 10 * MINUTE - 1, True),
        (AccessKind.LINK, 10 * MINUTE, False),
        (AccessKind.SESSION, 30 * DAY - 1, True),
        (AccessKind.SESSION, 30 * DAY, False),
        (AccessKind.TOKEN, 36_500 * DAY, True),
        # The clock was set back since.
        (AccessKind.LINK, -10 * MINUTE, True),
        (AccessKind.LINK, -10 * MINUTE - 1, False),
        (AccessKind.SESSION, -10 * MINUTE, True),
        (AccessKind.SESSION, -10 * MINUTE - 1, False),
        (AccessKind.SESSION, -10_000 * DAY, False),
        (AccessKind.TOKEN, -10_000 * DAY, True),
    ],
)
def test_when_a_secret_is_good(store: Database, kind: AccessKind, after_us: int, expected: bool) -> None:
    """
    From ten minutes before it was made, as clocks are set right, until it expires; a token always.
    """
    secret = give(store, kind)

    assert is_good(store, secret, kind, at_us=MADE + after_us) is expected


@pytest.mark.parametrize("other", [AccessKind.SESSION, AccessKind.TOKEN])
def test_a_secret_is_good_for_one_thing(store: Database, other: AccessKind) -> None:
    """
    A link is neither a cookie nor a token.
    """
    secret = give(store, AccessKind.LINK)

    assert not is_good(store, secret, other, at_us=MADE)


@pytest.mark.parametrize("later_us", [0, -5 * MINUTE, HOUR, -HOUR])
def test_what_was_taken_never_comes_back(store: Database, later_us: int) -> None:
    """
    Whatever the clock says afterwards.
    """
    secret = give(store, AccessKind.LINK)
    with store.writing() as conn:
        assert access.take(conn, secret, AccessKind.LINK, at_us=MADE) is not None

    assert not is_good(store, secret, AccessKind.LINK, at_us=MADE + later_us)


def test_what_was_taken_too_late_is_gone_too(store: Database) -> None:
    """
    Whoever clicks on an expired link has used it up, though the clock be set back.
    """
    secret = give(store, AccessKind.LINK)
    with store.writing() as conn:
        assert access.take(conn, secret, AccessKind.LINK, at_us=MADE + HOUR) is None

    assert not is_good(store, secret, AccessKind.LINK, at_us=MADE)


def test_what_expired_is_forgotten(store: Database) -> None:
    """
    A token never expires.
    """
    secrets = {kind: give(store, kind) for kind in LIVES}
    with store.writing() as conn:
        access.forget_expired(conn, at_us=MADE + 31 * DAY)

    assert [kind for kind in LIVES if is_good(store, secrets[kind], kind, at_us=MADE)] == [AccessKind.TOKEN]


def test_a_revoked_token_is_good_for_nothing(store: Database) -> None:
    """
    And its name is free again.
    """
    secret = give(store, AccessKind.TOKEN, name="ci")
    with pytest.raises(UsageError, match="revoke it first"):
        give(store, AccessKind.TOKEN, name="ci")
    with store.writing() as conn:
        access.revoke(conn, "ci")

    assert not is_good(store, secret, AccessKind.TOKEN, at_us=MADE)
    with store.writing() as conn, pytest.raises(NotFound, match="orchd token list"):
        access.revoke(conn, "ci")
