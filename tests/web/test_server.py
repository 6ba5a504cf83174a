"""
The socket: private, taken over from a dead daemon, never from a living one; the caller is the user at the other end.
"""

import os
import socket
from pathlib import Path

import pytest

from orchd.errors import StateError
from orchd.web.server import _user, listen
from scheduler.rig import Rig
from web.serving import Serving


def test_only_user_and_group_may_connect(tmp_path: Path) -> None:
    """
    Whatever the umask is; missing folders are made.
    """
    path = tmp_path / "deep" / "orchd.sock"
    with listen(path):
        assert 0o660 == path.stat().st_mode & 0o777


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    """
    A daemon that was killed leaves one behind.
    """
    path = tmp_path / "orchd.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with listen(path), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(path))


def test_a_socket_that_is_answered_is_left_alone(tmp_path: Path) -> None:
    """
    The other daemon goes on undisturbed.
    """
    path = tmp_path / "orchd.sock"
    with listen(path), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        with pytest.raises(StateError, match="another daemon answers on the socket"):
            listen(path)

        client.connect(str(path))


def test_a_file_in_the_way_is_not_removed(tmp_path: Path) -> None:
    """
    It may be somebody's.
    """
    (tmp_path / "orchd.sock").write_text("mine")
    with pytest.raises(StateError, match="is no socket; remove it"):
        listen(tmp_path / "orchd.sock")

    assert "mine" == (tmp_path / "orchd.sock").read_text()


@pytest.mark.parametrize("name", ["file/orchd.sock", "x" * 120])
def test_a_path_that_cannot_be_a_socket_is_refused(tmp_path: Path, name: str) -> None:
    """
    With a sentence.
    """
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="set socket under"):
        listen(tmp_path / name)


def test_a_user_without_a_name_is_a_number() -> None:
    """
    In a container, for example.
    """
    assert "uid 4000000" == _user(4_000_000)


def test_the_socket_goes_with_the_daemon(rig: Rig, tmp_path: Path) -> None:
    """
    Nobody finds a socket that leads nowhere.
    """
    serving = Serving(rig, tmp_path / "orchd.sock")
    assert (200, {"up": True}) == serving.ask("GET", "/health")
    serving.stop()

    assert not (tmp_path / "orchd.sock").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_the_caller_is_who_is_at_the_other_end(rig: Rig, tmp_path: Path) -> None:
    """
    Another user is told apart, by what the kernel says.
    """
    rig.use()
    serving = Serving(rig, tmp_path / "orchd.sock")
    (tmp_path / "orchd.sock").chmod(0o666)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o111)
    child = os.fork()
    if child == 0:
        status = 0
        try:
            os.setgid(65534)
            os.setuid(65534)
            status, _ = serving.ask("POST", "/api/v1/runs", {"flow": "load"})
            serving.ask("POST", "/api/v1/flows", {"file": "/f.py", "flow": "load", "project": "p"})
        finally:
            # Whatever happened: a second pytest must not go on from here, as nobody.
            os._exit(0 if status == 201 else 1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert "nobody" == serving.daemon.asked[-2][3]  # type: ignore[index]
    assert ("register", "load", 65534) == serving.daemon.asked[-1]
    serving.stop()
