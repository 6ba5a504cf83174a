"""
In which order the daemon's socket is looked for.
"""

import argparse
import socket
from pathlib import Path

import pytest

from orchd.cli.connection import connect, find_socket
from orchd.client import places
from orchd.errors import ConfigError, NotRunning, UsageError


def test_what_is_said_wins(tmp_path: Path) -> None:
    """
    --socket before ORCHD_SOCKET, and --config before ORCHD_SOCKET: an argument wins over the environment.
    """
    (tmp_path / "orchd.toml").write_text('[daemon]\nsocket = "own.sock"\n')
    (tmp_path / "own.sock").touch()
    env = {"ORCHD_SOCKET": "/env"}

    assert find_socket("/said", str(tmp_path), env) == "/said"
    assert find_socket(None, str(tmp_path), env) == str(tmp_path / "own.sock")
    assert find_socket(None, None, env) == "/env"


def test_a_config_says_where_its_daemon_is(tmp_path: Path) -> None:
    """
    Its socket, else the one in its state folder; a mistake elsewhere in the folder hides no daemon.
    """
    (tmp_path / "a.toml").write_text("this is no TOML")
    (tmp_path / "b.toml").write_text('[daemon]\nstate_dir = "state"\nmax_runs = "wrong"\n')
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "orchd.sock").touch()

    assert find_socket(None, None, {"ORCHD_CONFIG": str(tmp_path)}) == str(tmp_path / "state" / "orchd.sock")


def test_the_usual_places_are_the_systems_then_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The system service's socket comes before XDG_RUNTIME_DIR, and that before the state folder.
    """
    monkeypatch.setattr(places, "SYSTEM_SOCKET", str(tmp_path / "system"))
    env = {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_STATE_HOME": str(tmp_path / "state")}
    ordered = [tmp_path / "system", tmp_path / "run" / "orchd.sock", tmp_path / "state" / "orchd" / "orchd.sock"]
    for place in reversed(ordered):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        assert find_socket(None, None, env) == str(place)


def test_where_was_looked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without any daemon the sentence lists the places.
    """
    monkeypatch.setattr(places, "SYSTEM_SOCKET", str(tmp_path / "system"))
    env = {"XDG_RUNTIME_DIR": "/r", "XDG_STATE_HOME": "/s"}
    with pytest.raises(NotRunning, match=r"no socket at .*/system, /r/orchd.sock or /s/orchd/orchd.sock; start one"):
        find_socket(None, None, env)


def test_a_config_that_is_not_there_is_told() -> None:
    """
    A wrong --config is a mistake of the config, not a daemon that is down.
    """
    with pytest.raises(ConfigError, match="there is no config file or folder /nope"):
        find_socket(None, "/nope", {})


def test_a_path_longer_than_a_socket_is_refused() -> None:
    """
    The kernel would cut it off; the sentence says how long it may be.
    """
    with pytest.raises(UsageError, match="has 130 bytes, and a Unix socket can have 107"):
        connect(argparse.Namespace(socket="/" + "x" * 129, config=None))


def test_the_config_that_was_given_is_in_the_command_that_starts_its_daemon(tmp_path: Path) -> None:
    """
    What the sentence says can be typed as it is.
    """
    folder = tmp_path / "my flows"
    folder.mkdir()
    (folder / "orchd.toml").write_text('[daemon]\nsocket = "own.sock"\n')
    with pytest.raises(NotRunning, match=rf"start one with `orchd serve --config '{folder}'`, or use --socket"):
        find_socket(None, str(folder), {})

    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "own.sock"))
    with pytest.raises(NotRunning, match=rf"start one with `orchd serve --config '{folder}'`, or name its socket"):
        connect(argparse.Namespace(socket=None, config=str(folder))).get("/status")
