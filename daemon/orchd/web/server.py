"""
Serving the application on a Unix socket, inside a loop that is not uvicorn's own.
"""

import asyncio
import contextlib
import os
import pwd
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from orchd.errors import StateError

_PEER = struct.Struct("3i")
#: Seconds that requests under way get when the daemon ends.
GOODBYE_S: Final = 3


class _PeerProtocol(H11Protocol):
    """
    HTTP over a Unix socket, whose client is the user at the other end.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        peer = transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        _, uid, _ = _PEER.unpack(peer)
        # The place of a port is free here: what it holds then is read by `asking.caller_uid` alone.
        self.client = (_user(uid), uid)


class QuietServer(uvicorn.Server):
    """
    uvicorn without what a quiet daemon has no use for: signal handlers, and a look around ten times a second.
    """

    def __init__(self, settings: uvicorn.Config) -> None:
        super().__init__(settings)
        self.stopped = asyncio.Event()

    async def main_loop(self) -> None:
        """
        Go on until the daemon stops.
        """
        await self.stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """
        Leave the signals to the daemon.
        """
        yield


class UnixServer:
    """
    The API on the Unix socket *path*, for the daemon's own user and group.

    Args:
        listening: what :func:`listen` made of *path*.
    """

    def __init__(self, app: FastAPI, path: Path, listening: socket.socket) -> None:
        self._path = path
        self._server = QuietServer(
            uvicorn.Config(
                app,
                http=_PeerProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                loop="none",
                date_header=False,
                timeout_graceful_shutdown=GOODBYE_S,
            )
        )
        self._socket = listening

    async def serve(self) -> None:
        """
        Answer until :meth:`stop`.
        """
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """
        Answer what is being asked, take nothing new, and end :meth:`serve`.
        """
        self._server.should_exit = True
        self._server.stopped.set()

    def close(self) -> None:
        """
        Take the socket away.
        """
        self._path.unlink(missing_ok=True)


def listen(path: Path) -> socket.socket:
    """
    Bind the Unix socket *path*, mode 0660; a stale one is replaced.

    Raises:
        StateError: a daemon answers on it, or it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
            raise StateError(f"{path} is in the way: it is no socket; remove it, or set socket under [daemon]")
        if path.exists() and _is_answered(path):
            raise StateError(f"another daemon answers on the socket {path}: stop it, or set socket under [daemon]")
        path.unlink(missing_ok=True)
        return _bound(path)
    except OSError as error:
        why = error.strerror or error
        raise StateError(f"the socket {path} cannot be made: {why}; set socket under [daemon]") from error


def _bound(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o117)
    try:
        made.bind(str(path))
        made.listen(128)
    except OSError:
        made.close()
        raise
    finally:
        os.umask(old)
    return made


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        try:
            tried.connect(str(path))
        except OSError:
            return False
    return True


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
