"""
Messages to systemd: ready, alive, reloading, stopping. Outside systemd they go nowhere.
"""

import os
import socket

from orchd import clock


class Notifier:
    """
    Sends datagrams to ``$NOTIFY_SOCKET`` (sd_notify(3)); safe from any thread.
    """

    def __init__(self, address: str | None = None) -> None:
        wanted = os.environ.get("NOTIFY_SOCKET") if address is None else address
        self._address = "\0" + wanted[1:] if wanted and wanted.startswith("@") else wanted
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def ready(self, status: str) -> None:
        """
        The daemon answers and ticks.
        """
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self, status: str) -> None:
        """
        A tick really ran: feed the watchdog.
        """
        self._send(f"WATCHDOG=1\nSTATUS={status}")

    def reloading(self) -> None:
        """
        The config is being read again; :meth:`ready` ends it.
        """
        self._send(f"RELOADING=1\nMONOTONIC_USEC={clock.monotonic_us()}")

    def stopping(self, status: str) -> None:
        """
        The daemon is going down on purpose.
        """
        self._send(f"STOPPING=1\nSTATUS={status}")

    def close(self) -> None:
        """
        Say no more.
        """
        self._socket.close()

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            self._socket.sendto(message.encode(), self._address)
        except OSError:
            # systemd itself is restarting; its watchdog is told again at the next tick.
            return
