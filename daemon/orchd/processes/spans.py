"""
Standard streams of a run while its tasks run beside each other: each thread's lines stay whole.
"""

import io
import threading
from collections.abc import Callable
from typing import TextIO


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.text = ""


class SpanStream(io.TextIOBase):
    """
    Stands in for ``sys.stdout`` or ``sys.stderr``: hands on whole lines at once, and the rest when it is flushed.
    """

    encoding = "utf-8"

    def __init__(self, behind: TextIO, put: Callable[[str], None]) -> None:
        super().__init__()
        self.behind = behind
        self._put = put
        self._rest = _PerThread()

    def write(self, text: str) -> int:
        """
        Take *text*; its last line waits until it is whole or flushed.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")

        whole, newline, rest = (self._rest.text + text).rpartition("\n")
        self._rest.text = rest
        if newline:
            self._put(whole + newline)

        return len(text)

    def flush(self) -> None:
        """
        Hand on what this thread has printed of its last line.
        """
        text, self._rest.text = self._rest.text, ""
        if text:
            self._put(text)

        self.behind.flush()

    def writable(self) -> bool:
        """
        True.
        """
        return True

    def fileno(self) -> int:
        """
        The descriptor behind, for programs that a task starts.
        """
        return self.behind.fileno()

    @property
    def buffer(self) -> object:
        """
        The binary stream behind; nobody knows whose the bytes are that are written to it.
        """
        return self.behind.buffer
