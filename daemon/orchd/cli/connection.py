"""
Finding the daemon: by its socket, by its config, or in the usual places.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping

from orchd.cli import table
from orchd.client import Client, places
from orchd.errors import UsageError

#: Source: ``struct sockaddr_un`` has 108 bytes, the last of which is the NUL.
MAX_PATH_BYTES = 107


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
    Return the path of the socket of the daemon that is meant (see :func:`orchd.client.places.find_socket`).
    """
    return places.find_socket(socket, config, env, configured=lambda: table.part("configured"))


def _serve(config: str | None) -> str:
    return str(table.part("configured").serve_command(config)) if config else "orchd serve"
