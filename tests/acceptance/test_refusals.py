"""
A daemon that cannot start says why in one sentence, with an exit code of its own, and disturbs nobody.
"""

import socket
import sqlite3
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.evidence import COUNTER
from support.waiting import eventually


def refused(daemon: Daemon, *, code: int) -> str:
    """
    Start *daemon*, which must end with *code*, and return what it said: no traceback.
    """
    daemon.log.unlink(missing_ok=True)
    daemon.start(wait=False)
    assert daemon.wait() == code, daemon.log.read_text()
    said = daemon.log.read_text()
    assert "Traceback" not in said
    assert len([line for line in said.splitlines() if line and not line.startswith("{")]) == 1, said
    return said


def other(tmp_path: Path, **env: str) -> Daemon:
    """
    Make a second daemon, that shares with the first what *env* says.
    """
    return Daemon(tmp_path / "other", env=env)


def test_a_second_daemon_on_a_state_folder_is_refused_and_told_who_holds_it(daemon: Daemon, tmp_path: Path) -> None:
    """
    It names the pid of the first, which goes on; after a kill -9 the folder is free at once.
    """
    daemon.start()
    assert daemon.process
    second = other(tmp_path, STATE_DIRECTORY=str(daemon.state))
    said = refused(second, code=73)
    assert f"pid {daemon.process.pid}" in said
    assert str(daemon.state) in said
    assert daemon.status()["daemon"]["pid"] == daemon.process.pid

    daemon.kill()
    second.start()
    second.close()


def test_a_socket_that_another_daemon_answers_on_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    """
    The first keeps its socket, and still hears at once what its runs say.
    """
    daemon.start()
    assert daemon.process
    second = other(tmp_path, RUNTIME_DIRECTORY=str(daemon.socket.parent))
    assert "another daemon answers" in refused(second, code=73)
    assert daemon.status()["daemon"]["pid"] == daemon.process.pid
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nudge:
        nudge.connect(f"{daemon.socket}.nudge")


def test_a_stale_socket_is_replaced(daemon: Daemon) -> None:
    """
    What a killed daemon leaves behind is in nobody's way.
    """
    daemon.start()
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()


def test_a_file_in_place_of_the_socket_is_left_alone(daemon: Daemon) -> None:
    """
    It is named, and keeps its content.
    """
    daemon.socket.parent.mkdir()
    daemon.socket.write_text("mine")
    assert str(daemon.socket) in refused(daemon, code=73)
    assert daemon.socket.read_text() == "mine"


def test_a_socket_path_that_is_too_long_is_refused(daemon: Daemon) -> None:
    """
    The sentence says how long it may be.
    """
    daemon.env["RUNTIME_DIRECTORY"] = "/tmp/" + "long/" * 30
    assert "107" in refused(daemon, code=78)


@pytest.mark.parametrize("folder", ["file/state", "/sys/orchd"])
def test_a_state_folder_that_cannot_be_written_is_refused(daemon: Daemon, folder: str) -> None:
    """
    The sentence names the folder.
    """
    (daemon.home / "file").write_text("in the way")
    daemon.env["STATE_DIRECTORY"] = str(daemon.home / folder)
    assert str(daemon.home / folder) in refused(daemon, code=73)


def test_a_store_of_a_newer_orchd_is_refused_and_left_as_it_is(daemon: Daemon) -> None:
    """
    The sentence names both versions.
    """
    daemon.start()
    daemon.stop()
    with sqlite3.connect(daemon.state / "orchd.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    said = refused(daemon, code=69)
    assert "newer" in said
    assert "9999" in said
    assert daemon.rows("SELECT version_num FROM alembic_version") == [{"version_num": "9999"}]


def test_a_damaged_store_is_refused_and_left_as_it_is(daemon: Daemon) -> None:
    """
    Nothing runs on it, and nothing rewrites it.
    """
    daemon.start()
    daemon.stop()
    file = daemon.state / "orchd.sqlite3"
    damage = b"this is no database"
    broken = damage + file.read_bytes()[len(damage) :]
    file.write_bytes(broken)
    assert str(file) in refused(daemon, code=69)
    assert file.read_bytes() == broken


@pytest.mark.parametrize(
    ("schedules", "words"),
    [
        ("[schedules.a]\nflow = 'counter'\ncron = '61 * * * *'", ["schedules.a", "61", "line"]),
        ("[schedules.a]\nflow = 'nobody'\nevery = '5s'", ["schedules.a", "nobody", "counter"]),
    ],
)
def test_a_config_with_a_mistake_is_refused(daemon: Daemon, schedules: str, words: list[str]) -> None:
    """
    The sentence names the place, the value and what could be meant.
    """
    daemon.flow("counter.py", COUNTER)
    daemon.configure(schedules)
    said = refused(daemon, code=78)
    assert all(word in said for word in words), said


def test_a_daemon_that_is_stopped_while_it_reads_flow_files_ends_at_once(daemon: Daemon) -> None:
    """
    A flow file that is imported for ever delays neither the answers nor the end.
    """
    daemon.start()
    daemon.stop()
    daemon.flow("endless.py", "while True: pass")
    daemon.start()
    eventually(lambda: daemon.processes(), what="it runs")
    daemon.stop()
    assert not daemon.processes()
