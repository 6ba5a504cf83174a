"""
Finding the daemon: by its socket, by its config, or in the usual places.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping

from orchd.cli import table
from orchd.client import Client
from orchd.errors import NotRunning, UsageError

#: Source: ``struct sockaddr_un`` has 108 bytes, the last of which is the NUL.
MAX_PATH_BYTES = 107
#: Where ``systemd/orchd.service`` has its socket.
SYSTEM_SOCKET = "/run/orchd/orchd.sock"


def connect(args: argparse.Namespace, *, retry_for_s: float = 0.0, on_wait: Callable[[], None] | None = None) -> Client:
    """
    Return a client of the daemon that *args* (and the environment) mean.

    Raises:
        NotRunning: there is no socket in any of the usual places.

        UsageError: the path is longer than a socket's can be.
    """
    path = find_socket(args.socket, args.config, os.environ)
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise UsageError(
            f"the socket path {path} has {len(os.fsencode(path))} bytes, and a Unix socket can have {MAX_PATH_BYTES}; "
            "give the daemon a shorter one ([daemon] socket)"
        )

    return Client(path, retry_for_s=retry_for_s, on_wait=on_wait, serve=_serve(None if args.socket else args.config))


def find_socket(socket: str | None, config: str | None, env: Mapping[str, str]) -> str:
    """
    Return the path of the daemon's socket.

    Args:
        socket: what ``--socket`` says; then ``ORCHD_SOCKET``.

        config: what ``--config`` says; then ``ORCHD_CONFIG``. No more is read of it than where the socket is.

        env: the environment.
    """
    if named := socket or (None if config else env.get("ORCHD_SOCKET")):
        return named

    if configured := config or env.get("ORCHD_CONFIG"):
        places: list[str] = table.part("configured").sockets(configured, env)
    else:
        places = usual_places(env)
    found = next((path for path in places if os.path.exists(path)), None)
    if found is None:
        looked = places[0] if len(places) == 1 else " or ".join([", ".join(places[:-1]), places[-1]])
        raise NotRunning(
            f"no daemon is running: there is no socket at {looked}; "
            f"start one with `{_serve(configured)}`, or use --socket"
        )

    return found


def _serve(config: str | None) -> str:
    return str(table.part("configured").serve_command(config)) if config else "orchd serve"


def usual_places(env: Mapping[str, str]) -> list[str]:
    """
    Return where a daemon's socket is when nothing says so: the system service's, then the user's.
    """
    runtime = env.get("XDG_RUNTIME_DIR", "")
    state = env.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    user = [os.path.join(runtime, "orchd.sock")] if runtime else []
    return [SYSTEM_SOCKET, *user, os.path.join(state, "orchd", "orchd.sock")]
