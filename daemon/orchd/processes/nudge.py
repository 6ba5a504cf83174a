"""
Telling the daemon 'look at this run' by a datagram. Best effort: the daemon looks once a second anyway.
"""

import contextlib
import os
import signal
import socket
from typing import Final

from orchd import clock

#: Seconds in which one datagram is enough.
QUIET_S: Final = 0.02


class Nudge:
    """
    Sends datagrams that hold the run's id.
    """

    def __init__(self, address: str | None, run_id: str) -> None:
        """
        Send to the Unix datagram socket *address*; None for nowhere.
        """
        self._address = address
        self._data = run_id.encode()

    def send(self) -> None:
        """
        Send one datagram; nobody may be listening. No descriptor is kept, so that none is left in the run.
        """
        if self._address is None:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(self._data, self._address)


class ThrottledNudge:
    """
    The run's nudge after each record: at most one in :data:`QUIET_S`, and the last one is never lost.

    A record inside the quiet time asks the monitor, by SIGUSR1, to nudge when the quiet time is over: a timer of the
    run's own would be a thread or a signal in user code's way.
    """

    def __init__(self, nudge: Nudge, *, monitor_pid: int) -> None:
        """
        Nudge through *nudge* at once, or through the monitor later.
        """
        self._nudge = nudge
        self._monitor_pid = monitor_pid
        self._quiet_until = 0.0
        self._is_asked = False

    def __call__(self) -> None:
        """
        A record was written.
        """
        now = clock.monotonic()
        if now >= self._quiet_until:
            self._nudge.send()
            self._is_asked = False
            self._quiet_until = now + QUIET_S
        elif not self._is_asked:
            self._is_asked = True
            self._quiet_until = now + QUIET_S
            with contextlib.suppress(OSError):
                os.kill(self._monitor_pid, signal.SIGUSR1)
