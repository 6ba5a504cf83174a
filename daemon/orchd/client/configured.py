"""
Where the socket of a config is. Nothing else of it is read, so that a mistake elsewhere in it hides no daemon.
"""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping

from orchd.client.places import usual_places
from orchd.errors import ConfigError


def sockets(path: str, env: Mapping[str, str]) -> list[str]:
    """
    Return where the daemon with the config at *path* may listen, likeliest first.

    Raises:
        ConfigError: there is nothing at *path*.
    """
    if not os.path.exists(path):
        raise ConfigError(f"there is no config file or folder {path}; `orchd init DIR` writes a first one")

    written = dict(_written(path))
    if "socket" in written:
        return [written["socket"]]

    state_dir = [os.path.join(written["state_dir"], "orchd.sock")] if "state_dir" in written else []
    runtime = env.get("RUNTIME_DIRECTORY", "").split(":")[0]
    service = [os.path.join(runtime, "orchd.sock")] if runtime else []
    system, *user = usual_places(env)
    return list(dict.fromkeys([*service, *state_dir, *user, system]))


def serve_command(path: str) -> str:
    """
    Return what a person types to start the daemon with the config at *path*.
    """
    return f"orchd serve --config {shlex.quote(path)}"


def _written(path: str) -> Iterator[tuple[str, str]]:
    names = [os.path.join(path, name) for name in sorted(os.listdir(path))] if os.path.isdir(path) else [path]
    for name in names:
        if os.path.basename(name).startswith(".") or not (name.endswith(".toml") or name == path):
            continue
        try:
            with open(name, "rb") as file:
                table = tomllib.load(file).get("daemon", {})
        except (OSError, ValueError):
            continue

        for key in ("socket", "state_dir"):
            if isinstance(table, dict) and isinstance(text := table.get(key), str) and text:
                folder = os.path.dirname(os.path.abspath(name))
                yield key, os.path.normpath(os.path.join(folder, os.path.expanduser(text)))
