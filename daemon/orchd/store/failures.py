"""
What a driver's error means for a person: one sentence for each way in which a database can fail.
"""

import sqlite3

from sqlalchemy import exc

from orchd.errors import InternalError, OrchdError, StoreError

#: Start of SQLite's own error name -> what happened and what to do.
_SQLITE = {
    "SQLITE_FULL": "the disk of the run store {where} is full: free some space there, nothing that was stored is lost",
    "SQLITE_BUSY": "another process holds the run store {where} locked: end it, then orchd goes on",
    "SQLITE_LOCKED": "another process holds the run store {where} locked: end it, then orchd goes on",
    "SQLITE_READONLY": "the run store {where} cannot be written: let the daemon's user write the file and its folder",
    "SQLITE_PERM": "the run store {where} cannot be written: let the daemon's user write the file and its folder",
    "SQLITE_CANTOPEN": "the run store {where} cannot be opened: its folder must exist and the daemon's user must be"
    " able to write it",
    "SQLITE_CORRUPT": "the run store {where} is damaged ({text}): put the last backup in its place",
    "SQLITE_NOTADB": "{where} is no run store ({text}): move that file away or put the last backup in its place",
    "SQLITE_IOERR": "the disk of the run store {where} fails ({text}): look at the disk and its free space",
}


def store_error(error: exc.SQLAlchemyError, *, where: str) -> OrchdError:
    """
    Return the error that says in one sentence what *error* of the database at *where* means.

    A broken constraint is our bug and gives :class:`~orchd.errors.InternalError`; all others give
    :class:`~orchd.errors.StoreError`, after which the same work may be tried again.
    """
    cause = getattr(error, "orig", None) or error
    text = (str(cause).strip().splitlines() or [type(cause).__name__])[0].removesuffix(".")
    if isinstance(error, exc.IntegrityError):
        return InternalError(f"the run store {where} refused rows that break a promise: {text}")

    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", "")
        for start, sentence in _SQLITE.items():
            if name.startswith(start):
                return StoreError(sentence.format(where=where, text=text))

    if isinstance(error, exc.OperationalError | exc.InterfaceError) or getattr(error, "connection_invalidated", False):
        return StoreError(f"the run store {where} does not answer ({text}): orchd goes on as soon as it does")

    return StoreError(f"the run store {where} failed: {text}")
