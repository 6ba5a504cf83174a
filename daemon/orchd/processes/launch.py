"""
The daemon's side of its spawner: start it, send it requests, read its replies.
"""

import resource
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from orchd.errors import StateError
from orchd.processes.protocol import MAX_MESSAGE, REPLIES, Describe, Launch, Reply, Request

#: What a run gets of the daemon's environment, beside every ``LC_*``.
_KEPT: Final = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "USER",
        "LOGNAME",
        "SHELL",
        "TMPDIR",
        "ORCHD_RESULTS_DIR",
        "ORCHD_SECRETS_FILE",
        "ORCHD_CRASH_AT",
    }
)
#: Stands in the spawner's environment for the run's id, byte for byte, until the run writes its own over it.
RUN_ID_PLACEHOLDER: Final = "0" * 36
#: Seconds that a spawner may leave a request lying with its queue full before it counts as gone.
_SEND_TIMEOUT_S: Final = 5
_EXIT_TIMEOUT_S: Final = 1.0


class SpawnerGone(StateError):
    """
    The spawner has ended or takes no requests: close it and start it again; what it was sent may be lost.
    """


def clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    """
    Return the part of *env* that runs may see: never the daemon's secrets.
    """
    return {name: value for name, value in env.items() if name in _KEPT or name.startswith("LC_")}


class Spawner:
    """
    A spawner process. Requests may be sent from one thread while replies are read in another.
    """

    def __init__(self, runs_dir: Path, env: Mapping[str, str], *, file_limit: int | None = None) -> None:
        """
        Prepare a spawner that works in *runs_dir* with the clean part of *env*; nothing is started yet.

        Args:
            runs_dir: holds the folders of all runs.

            env: of the daemon.

            file_limit: how many descriptors a run may have at first; None for as many as this process.
        """
        self._file_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if file_limit is None else file_limit
        self._runs_dir = runs_dir
        self._env = clean_environment(env) | {"ORCHD_RUN_ID": RUN_ID_PLACEHOLDER}
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    @property
    def pid(self) -> int:
        """
        Process id of the spawner.

        Raises:
            SpawnerGone: it was never started, or closed.
        """
        if self._process is None:
            raise SpawnerGone("the spawner is not started: call start()")
        return self._process.pid

    def start(self) -> None:
        """
        Start the spawner by exec and return at once; requests wait in its socket until it has its imports.
        """
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_TIMEOUT_S, 0))
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-P", "-m", "orchd.processes.spawner"),
                        *(str(theirs.fileno()), str(self._file_limit)),
                    ],
                    pass_fds=[theirs.fileno()],
                    env=self._env,
                    cwd=self._runs_dir,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise SpawnerGone(f"the spawner cannot be started: {error}") from error
        self._socket = ours

    def fileno(self) -> int:
        """
        Return the descriptor that is readable when :meth:`receive` has something to say.
        """
        return self._open_socket().fileno()

    def launch(self, folder: Path) -> None:
        """
        Ask for a monitor for this run folder.

        Raises:
            SpawnerGone: ask the next spawner again; should this one have heard, the fence lets only one in.
        """
        self._send(Launch(folder=str(folder)))

    def describe(self, request: Describe) -> None:
        """
        Ask for the description of a flow file.

        Raises:
            SpawnerGone: no reply will come.
        """
        self._send(request)

    def receive(self) -> list[Reply]:
        """
        Return the replies that are there, oldest first, without waiting.

        Raises:
            SpawnerGone: it has ended and everything that it said has been returned.
        """
        replies: list[Reply] = []
        connection = self._open_socket()
        while True:
            try:
                data = connection.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return replies
            except OSError:
                data = b""
            if data:
                replies.append(REPLIES.decode(data))
            elif replies:
                return replies
            else:
                raise SpawnerGone(f"the spawner (process {self.pid}) has ended")

    def close(self) -> None:
        """
        Let the spawner end, and see that it does; its monitors and runs go on.
        """
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(_EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise SpawnerGone("the spawner is not started: call start()")
        return self._socket

    def _send(self, request: Request) -> None:
        try:
            self._open_socket().send(msgspec.json.encode(request))
        except OSError as error:
            raise SpawnerGone(f"the spawner takes no requests: {error}") from error
