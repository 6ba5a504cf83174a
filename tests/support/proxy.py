"""
Stands between a daemon and its Postgres, and loses the answers to commits.
"""

import contextlib
import socket
import threading
from pathlib import Path

#: What libpq sends to commit.
_COMMIT = b"COMMIT\0"


class LossyProxy:
    """
    A Unix socket like Postgres' own in *folder*; each time that :attr:`lose` is set, the next commit is carried out,
    and its connection ends without an answer.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        """
        Listen in *folder*, for the Postgres whose socket lies in *server*.
        """
        self.lose = threading.Event()
        self.lost = 0
        self._name = ".s.PGSQL.5432"
        self._server = server
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / self._name))
        self._listening.listen()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(str(self._server / self._name))
            except OSError:
                return
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._forward(client, server)
            back.join()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        """
        Hand on what the client sends; a commit whose answer is to be lost is its last word.
        """
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                if _COMMIT in data and self.lose.is_set():
                    self.lose.clear()
                    try:
                        client.shutdown(socket.SHUT_RDWR)
                        server.sendall(data)
                    except OSError:
                        # One of the two was gone already: then it is the answer to the next commit.
                        self.lose.set()
                    else:
                        self.lost += 1
                    break
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """
        Take no more connections; those that are end with their client.
        """
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listening.close()
