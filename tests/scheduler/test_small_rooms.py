"""
Store health, long polls, messages to systemd, and the state folder.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from orchd import clock
from orchd.errors import NotFound, StateError, StoreError
from orchd.scheduler.changes import Changes
from orchd.scheduler.health import StoreHealth
from orchd.scheduler.notify import Notifier
from orchd.scheduler.state_folder import StateFolder

# Store health


def test_a_store_that_is_away_is_passed_over_and_told_once() -> None:
    """
    The same trouble is no news each second; that it is over is.
    """
    health = StoreHealth()
    with capture_logs() as logs:
        for _ in range(3):
            with health.watching():
                raise StoreError("the disk is full")
        assert "the disk is full" == health.error
        for _ in range(2):
            with health.watching():
                pass

    assert health.error is None
    assert ["store_away", "store_back"] == [entry["event"] for entry in logs]


def test_trouble_that_lasts_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Once a minute.
    """
    now_s = [100.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now_s[0])
    health = StoreHealth()
    with capture_logs() as logs:
        for now_s[0] in (100.0, 159.0, 160.0, 161.0):
            with health.watching():
                raise StoreError("away")

    assert 2 == len(logs)


def test_any_other_error_is_raised() -> None:
    """
    A bug is not mistaken for a store that is away.
    """
    health = StoreHealth()
    with pytest.raises(NotFound), health.watching():
        raise NotFound("no run")

    assert health.error is None


# Long polls


def test_everybody_who_waits_is_told_of_a_change() -> None:
    """
    From another thread; who comes later waits for the next.
    """

    async def poll() -> list[bool]:
        changes = Changes(asyncio.get_running_loop())
        changes.notify()
        waiting = [changes.next() for _ in range(3)]
        await asyncio.to_thread(changes.notify)
        await asyncio.gather(*(changes.wait(change, within_s=10) for change in waiting))
        return [*(change.done() for change in waiting), changes.next().done()]

    assert [True, True, True, False] == asyncio.run(poll())


def test_nobody_waits_longer_than_they_want() -> None:
    """
    Without a change the wait just ends, and leaves nothing behind; two changes in a row are one.
    """

    async def poll() -> int:
        changes = Changes(asyncio.get_running_loop())
        await changes.wait(changes.next(), within_s=0.01)
        given_up, wanted = changes.next(), changes.next()
        given_up.cancel()
        changes.notify()
        changes.notify()
        await changes.wait(wanted, within_s=10)
        return len(changes._waiting)

    assert 0 == asyncio.run(poll())


# Messages to systemd


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """
    The socket at which systemd would listen.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def test_systemd_is_told_how_the_daemon_is(manager: socket.socket) -> None:
    """
    In the words of sd_notify(3).
    """
    with closing(Notifier(manager.getsockname())) as notifier:
        notifier.ready("up")
        notifier.alive("2 running")
        notifier.stopping("bye")
        notifier.reloading()

    assert "READY=1\nSTATUS=up" == manager.recv(200).decode()
    assert "WATCHDOG=1\nSTATUS=2 running" == manager.recv(200).decode()
    assert "STOPPING=1\nSTATUS=bye" == manager.recv(200).decode()
    assert manager.recv(200).decode().startswith("RELOADING=1\nMONOTONIC_USEC=")


def test_the_address_comes_from_the_environment(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As systemd sets it.
    """
    monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
    with closing(Notifier()) as notifier:
        notifier.ready("up")

    assert manager.recv(200)


def test_an_abstract_socket_is_found() -> None:
    """
    Its name begins with @ in the environment, and with NUL in the kernel.
    """
    name = f"orchd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(10)
        with closing(Notifier(f"@{name}")) as notifier:
            notifier.ready("up")

        assert listening.recv(200)


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_without_systemd_nothing_is_said(address: str) -> None:
    """
    Nor does a manager that is away hurt the daemon.
    """
    with closing(Notifier(address)) as notifier:
        notifier.ready("up")


# The state folder


def test_a_folder_is_made_private_and_held(tmp_path: Path) -> None:
    """
    Who holds it is written in it; another daemon is refused, and told who it is.
    """
    folder = StateFolder.take(tmp_path / "deep" / "state")

    assert 0o700 == folder.path.stat().st_mode & 0o777 == folder.runs.stat().st_mode & 0o777
    with pytest.raises(StateError, match=f"orchd with pid {os.getpid()} already runs on the state folder"):
        StateFolder.take(folder.path)
    folder.release()
    StateFolder.take(folder.path).release()


def test_a_daemon_that_died_holds_nothing(tmp_path: Path) -> None:
    """
    Its lock dies with it, whatever the file says.
    """
    take = f"from orchd.scheduler.state_folder import *; import os; StateFolder.take(Path({str(tmp_path)!r})); "
    subprocess.run([sys.executable, "-c", take + "os.kill(os.getpid(), 9)"], check=False)

    StateFolder.take(tmp_path).release()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """
    With the reason and what to do.
    """
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="set state_dir under"):
        StateFolder.take(tmp_path / "file" / "state")


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A daemon that could not write would start nothing; its lock is given back.
    """

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StateError, match="No space left on device; free some space"):
            StateFolder.take(tmp_path)

    StateFolder.take(tmp_path).release()
