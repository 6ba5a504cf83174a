"""
Where a daemon's socket is: as somebody says, as the environment or a config says, or in the usual places.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from orchd.errors import NotRunning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Where ``systemd/orchd.service`` has its socket.
SYSTEM_SOCKET = "/run/orchd/orchd.sock"
#: What is said in place of an agent's banner.
AGENT = "The daemon (process {pid}, {socket}) is the agent: it starts every run itself, and nothing else is needed."


def find_socket(
    socket: str | None, config: str | None, env: Mapping[str, str], *, configured: Callable[[], Any]
) -> str:
    """
    Return the path of the daemon's socket.

    Args:
        socket: what ``--socket`` says; then ``ORCHD_SOCKET``.

        config: what ``--config`` says; then ``ORCHD_CONFIG``. No more is read of it than where the socket is.

        env: the environment.

        configured: gives :mod:`orchd.client.configured`, which costs too much to be imported when no config is named.

    Raises:
        NotRunning: there is no socket in any of the places.
    """
    if named := socket or (None if config else env.get("ORCHD_SOCKET")):
        return named

    is_configured = config or env.get("ORCHD_CONFIG")
    places: list[str] = configured().sockets(is_configured, env) if is_configured else usual_places(env)
    found = next((path for path in places if os.path.exists(path)), None)
    if found is None:
        looked = places[0] if len(places) == 1 else " or ".join([", ".join(places[:-1]), places[-1]])
        serve = configured().serve_command(is_configured) if is_configured else "orchd serve"
        raise NotRunning(
            f"no daemon is running: there is no socket at {looked}; start one with `{serve}`, or use --socket"
        )

    return found


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
