"""
Connections: how they are set up, what happens when the disk, the file or the server fails, and that work goes on after.
"""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from orchd.errors import InternalError, StoreError
from orchd.store import failures, logs, queries
from orchd.store.database import Database
from store.making import add_run, still_works

_NOBODY = 65534


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Database]:
    """
    A SQLite store that waits only a moment for others.
    """
    database = Database.open("sqlite", state_dir=tmp_path, busy_timeout_s=0.05)
    yield database
    database.close()


@pytest.mark.parametrize("kind", ["writing", "reading"])
def test_every_sqlite_connection_is_set_up(file_store: Database, kind: str) -> None:
    """
    WAL, full sync, foreign keys and no automatic checkpoint, on the writer and on readers.
    """
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 0}
    opened = file_store.writing() if kind == "writing" else file_store.reading()
    with opened as conn:
        found = {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}

    assert found == wanted


def test_a_write_holds_the_file_from_its_begin(file_store: Database) -> None:
    """
    A transaction that may write keeps others out before its first statement, so that it never has to give up later.
    """
    other = sqlite3.connect(str(file_store.path), timeout=0)
    with file_store.writing(), pytest.raises(sqlite3.OperationalError, match="database is locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_an_exception_rolls_back(store: Database) -> None:
    """
    Nothing of a transaction that failed is stored, and the exception is passed on as it was.
    """

    def work() -> None:
        with store.writing() as conn:
            add_run(conn)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    with store.reading() as conn:
        assert queries.runs(conn) == []
    still_works(store)


def test_a_checkpoint_moves_the_wal_into_the_file(file_store: Database) -> None:
    """
    A small WAL is moved and stays; a large one is cut; without new writes nothing is done.
    """
    with file_store.writing() as conn:
        run = add_run(conn)
    file_store.checkpoint()
    small = file_store.wal_bytes()
    with file_store.writing() as conn:
        logs.append(conn, [(run.number, seq, 0, 20, 0, None, -1, "x" * 1000) for seq in range(6000)])
    large = file_store.wal_bytes()
    file_store.checkpoint()

    assert 0 < small < large
    assert file_store.wal_bytes() == 0
    file_store.checkpoint()
    still_works(file_store)


def test_a_checkpoint_does_not_wait_for_readers(file_store: Database) -> None:
    """
    A reader in the middle of its work keeps the checkpoint from finishing, not from returning; a later one finishes.
    """
    with file_store.writing() as conn:
        run = add_run(conn)
    with file_store.reading() as reader:
        queries.runs(reader)
        with file_store.writing() as conn:
            logs.append(conn, [(run.number, seq, 0, 20, 0, None, -1, "x" * 1000) for seq in range(6000)])
        file_store.checkpoint()
        kept = file_store.wal_bytes()
    file_store.checkpoint()

    assert (kept > 0, file_store.wal_bytes()) == (True, 0)


def test_no_commit_checkpoints_by_itself(file_store: Database) -> None:
    """
    However much is committed, the WAL only grows until a checkpoint is asked for.
    """
    with file_store.writing() as conn:
        run = add_run(conn)
    before = os.stat(str(file_store.path)).st_size
    for part in range(20):
        with file_store.writing() as conn:
            logs.append(conn, [(run.number, part * 500 + seq, 0, 20, 0, None, -1, "x" * 1000) for seq in range(500)])

    assert os.stat(str(file_store.path)).st_size == before


def test_a_backup_is_a_whole_store(file_store: Database, tmp_path: Path) -> None:
    """
    A copy that is made while a writer is at work opens as a store and holds what was committed.
    """
    with file_store.writing() as conn:
        run = add_run(conn)
    (tmp_path / "copy").mkdir()
    with file_store.writing() as conn:
        add_run(conn)
        file_store.backup(tmp_path / "copy" / "orchd.sqlite3")
    copy = Database.open("sqlite", state_dir=tmp_path / "copy")
    with copy.reading() as conn:
        assert [view.id for view in queries.runs(conn)] == [run.id]
    copy.close()


def test_a_backup_that_cannot_be_written_says_so(file_store: Database, tmp_path: Path) -> None:
    """
    A folder that is not there gives one sentence.
    """
    with pytest.raises(StoreError, match="cannot be copied to"):
        file_store.backup(tmp_path / "nowhere" / "copy")


def test_a_full_store_says_so_and_goes_on(file_store: Database) -> None:
    """
    When there is no more room the write fails in one sentence, reads work, and writes do again once there is room.
    """
    with file_store.writing() as conn:
        run = add_run(conn)
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="is full: free some space"), file_store.writing() as conn:
        logs.append(conn, [(run.number, seq, 0, 20, 0, None, -1, "x" * 1000) for seq in range(1000)])
    with file_store.reading() as conn:
        assert queries.log_lines(conn, run.number) == []
    with file_store.writing() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count=1000000")

    still_works(file_store)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small tmpfs in a namespace of its own")
def test_a_full_disk_loses_no_committed_row(tmp_path: Path) -> None:
    """
    On a disk that really is full every acknowledged row stays, reads go on, and after freeing space writes do.
    """
    script = Path(__file__).with_name("full_disk.py")
    command = ["unshare", "--mount", sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "is full: free some space" in done.stdout


def test_a_locked_file_says_so_and_goes_on(file_store: Database) -> None:
    """
    Another process that holds the file locked gives one sentence after the wait; afterwards all is well.
    """
    with closing(sqlite3.connect(str(file_store.path), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match=r"another process holds the run store .* locked"), file_store.writing():
            raise AssertionError("got in")

        other.execute("ROLLBACK")
    still_works(file_store)


def test_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    """
    A lock that ends within the wait is not noticed.
    """
    store = Database.open("sqlite", state_dir=tmp_path, busy_timeout_s=20)
    with closing(sqlite3.connect(str(store.path), isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.1, other.execute, ["ROLLBACK"])
        release.start()
        still_works(store)
        release.join()
    store.close()


def _overwrite(path: Path) -> None:
    path.write_bytes(b"This is a letter to my aunt. " * 1000)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _scratch(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [_overwrite, _cut, _scratch])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """
    A store that is no database, or that its own check finds broken, is not opened and not changed.
    """
    Database.open("sqlite", state_dir=tmp_path).close()
    path = tmp_path / "orchd.sqlite3"
    damage(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"is damaged|is no run store"):
        Database.open("sqlite", state_dir=tmp_path)

    assert path.read_bytes() == before


@pytest.fixture
def as_nobody() -> Iterator[Callable[[], None]]:
    """
    A function that gives up root's right to write everywhere, until the end of the test.
    """
    uid = os.geteuid()
    yield lambda: os.seteuid(_NOBODY) if uid == 0 else None
    os.seteuid(uid)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path, as_nobody: Callable[[], None]) -> None:
    """
    A read-only state folder gives one sentence that names the file.
    """
    folder = tmp_path / "state"
    folder.mkdir(mode=0o555)
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o755)
    tmp_path.chmod(0o755)
    as_nobody()
    with pytest.raises(StoreError, match=r"state/orchd.sqlite3 cannot be (opened|written)"):
        Database.open("sqlite", state_dir=folder)


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    """
    The store makes no folder by itself.
    """
    with pytest.raises(StoreError, match="cannot be opened: its folder must exist"):
        Database.open("sqlite", state_dir=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SQLITE_IOERR_WRITE", "the disk of the run store /s fails"),
        ("SQLITE_CORRUPT_INDEX", "the run store /s is damaged"),
        ("SQLITE_READONLY_DBMOVED", "the run store /s cannot be written"),
        ("SQLITE_MISUSE", "the run store /s does not answer"),
    ],
)
def test_each_error_of_sqlite_has_its_sentence(name: str, said: str) -> None:
    """
    Extended codes are told by the family that they belong to.
    """
    cause = sqlite3.OperationalError("words")
    cause.sqlite_errorname = name
    error = failures.store_error(sa.exc.OperationalError(None, None, cause), where="/s")

    assert isinstance(error, StoreError)
    assert str(error).startswith(said)


def test_other_errors_are_told_apart() -> None:
    """
    A broken promise is our bug; anything else of the database is a failing store.
    """
    broken = failures.store_error(sa.exc.IntegrityError(None, None, Exception("UNIQUE x")), where="/s")
    other = failures.store_error(sa.exc.ProgrammingError(None, None, Exception("no such table")), where="/s")
    waited = failures.store_error(sa.exc.TimeoutError("pool is empty"), where="/s")

    assert isinstance(broken, InternalError)
    assert str(other) == "the run store /s failed: no such table"
    assert isinstance(waited, StoreError)
