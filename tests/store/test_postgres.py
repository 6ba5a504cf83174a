"""
Postgres: one daemon for each store, and a server that goes away, crashes and comes back.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchd.errors import StoreError
from orchd.store import queries
from orchd.store.database import Connection, Database
from store.making import add_run, still_works
from support.postgres import Cluster


def test_postgres_that_is_not_there_says_so(tmp_path: Path) -> None:
    """
    A server that does not answer gives one sentence, without the password.
    """
    url = f"postgresql+psycopg://orchd:secret@/db?host={tmp_path}"
    with pytest.raises(StoreError, match="does not answer") as caught:
        Database.open(url, state_dir=tmp_path)

    assert "secret" not in str(caught.value)


def test_a_store_serves_one_daemon(postgres_url: str, tmp_path: Path) -> None:
    """
    The loser of a race for a Postgres store is the second daemon: it is told who holds it, and may have it afterwards.
    """
    code = (
        "import sys, pathlib; from orchd.store.database import Database;"
        "store = Database.open(sys.argv[1], state_dir=pathlib.Path(sys.argv[2]));"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, postgres_url, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"open\n"
        with pytest.raises(StoreError, match=f"belongs to orchd on .* pid {first.pid}: one store serves one daemon"):
            Database.open(postgres_url, state_dir=tmp_path)
        first.kill()

    second = Database.open(postgres_url, state_dir=tmp_path)
    still_works(second)
    second.close()


@pytest.fixture
def own_cluster(postgres: Cluster) -> Iterator[Cluster]:
    """
    The server, which is running again when the test is over.
    """
    yield postgres
    if not postgres.is_running:
        postgres.start()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgres_may_go_away_and_come_back(own_cluster: Cluster, postgres_url: str, tmp_path: Path, mode: str) -> None:
    """
    While the server is away each use is one sentence; what was committed is there afterwards, and writing goes on.
    """
    store = Database.open(postgres_url, state_dir=tmp_path)
    with store.writing() as conn:
        kept = add_run(conn)

    def work() -> None:
        with store.writing() as conn:
            add_run(conn)
            own_cluster.stop(mode)
            add_run(conn)

    with pytest.raises(StoreError, match="does not answer"):
        work()
    for use in (store.writing, store.reading):
        with pytest.raises(StoreError, match="does not answer"), use() as conn:
            raise AssertionError("got in")
    own_cluster.start()
    still_works(store)
    with store.reading() as conn:
        numbers = [view.id for view in queries.runs(conn)]

    assert (numbers[-1], len(numbers)) == (kept.id, 2)
    store.close()


def test_postgres_that_restarted_while_nobody_looked_is_not_noticed(
    own_cluster: Cluster, postgres_url: str, tmp_path: Path
) -> None:
    """
    A restart between two transactions costs no error, and the daemon's lock is taken again.
    """
    store = Database.open(postgres_url, state_dir=tmp_path)
    still_works(store)
    own_cluster.stop()
    own_cluster.start()
    still_works(store)
    with pytest.raises(StoreError, match="one store serves one daemon"):
        Database.open(postgres_url, state_dir=tmp_path)
    store.close()


def test_a_broken_connection_of_our_own_does_not_keep_us_out(postgres_url: str, tmp_path: Path) -> None:
    """
    When the server has not noticed yet that our old connection is gone, the new one ends it and takes the lock.
    """
    store = Database.open(postgres_url, state_dir=tmp_path)
    ghosts: list[Connection] = []
    with store.writing() as conn:
        ghosts.append(conn)
        conn.connection.detach()
    store._writer.dispose()
    still_works(store)
    store.close()


def test_postgres_has_no_file_to_look_after(postgres_url: str, tmp_path: Path) -> None:
    """
    WAL and copies are Postgres' own affair.
    """
    store = Database.open(postgres_url, state_dir=tmp_path)
    store.checkpoint()

    assert store.wal_bytes() == 0
    with pytest.raises(StoreError, match="copy it with pg_dump"):
        store.backup(tmp_path / "copy")
    store.close()
