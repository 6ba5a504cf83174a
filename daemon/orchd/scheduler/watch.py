"""
Watching processes and sockets from the asyncio loop, which hands everything that happens on to the writer.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from orchd.model.ids import FlowRunId
from orchd.processes import fence
from orchd.processes.folder import RunFolder

#: Stands behind the name of the API's socket.
_SUFFIX: Final = ".nudge"
#: Source: ``struct sockaddr_un``.
_MAX_PATH: Final = 107
#: A nudge is the id of a run.
_MAX_NUDGE: Final = 64


class MonitorWatch:
    """
    Tells when a monitor is gone, by its pidfd.

    Args:
        gone: called in the loop's thread with the id of the run whose monitor is gone.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, gone: Callable[[FlowRunId], None]) -> None:
        self._loop = loop
        self._gone = gone

    def watch(self, run_id: FlowRunId, folder: RunFolder, pid: int) -> bool:
        """
        Watch the monitor *pid*, from any thread.

        Returns:
            False when nothing is watched: it does not hold the run's lock any more, or no descriptor is to be had.
        """
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return False
        # Probed again under the pidfd: the number may have gone to somebody else in between.
        if not _holds(folder, pid):
            os.close(pidfd)
            return False
        self._loop.call_soon_threadsafe(self._loop.add_reader, pidfd, self._ended, pidfd, run_id)
        return True

    def _ended(self, pidfd: int, run_id: FlowRunId) -> None:
        self._loop.remove_reader(pidfd)
        os.close(pidfd)
        self._gone(run_id)


def _holds(folder: RunFolder, pid: int) -> bool:
    try:
        return fence.probe(folder).monitor_pid == pid
    except OSError:
        return False


class NudgeSocket:
    """
    The datagram socket at which runs say 'look at me'. Losing a datagram only costs a second.

    Args:
        nudged: called in the loop's thread with each run id that came.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, path: Path, nudged: Callable[[FlowRunId], None]) -> None:
        self._loop = loop
        self._nudged = nudged
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.bind(str(path))
        loop.add_reader(self._socket, self._receive)

    @classmethod
    def beside(
        cls, loop: asyncio.AbstractEventLoop, api_socket: Path, nudged: Callable[[FlowRunId], None]
    ) -> "NudgeSocket | None":
        """
        Make it beside the API's socket; None when its path would be too long, and runs are only looked at.
        """
        path = api_socket.with_name(api_socket.name + _SUFFIX)
        return None if len(os.fsencode(path)) > _MAX_PATH else cls(loop, path, nudged)

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._nudged(FlowRunId(self._socket.recv(_MAX_NUDGE).decode("ascii", "replace")))

    def close(self) -> None:
        """
        Listen no more.
        """
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self.path.unlink(missing_ok=True)
