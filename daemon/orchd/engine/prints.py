"""
What a task prints, taken as whole lines.
"""

import io
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO


class PrintCapture(io.TextIOBase):
    """
    Stands in for ``sys.stdout`` and hands on each line that is not blank, once it is whole.
    """

    encoding = "utf-8"

    def __init__(self, *, say: Callable[[str], None], behind: TextIO) -> None:
        super().__init__()
        self.behind = behind
        self._say = say
        self._parts: list[str] = []

    def write(self, text: str) -> int:
        """
        Take *text*; its last line waits until it is ended or flushed at the task's end.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")

        *whole, rest = text.split("\n")
        for line in whole:
            self._parts.append(line)
            self.end_line()

        if rest:
            self._parts.append(rest)

        return len(text)

    def end_line(self) -> None:
        """
        Hand on what has been printed of the last line.
        """
        line = "".join(self._parts)
        self._parts.clear()
        if line.strip():
            self._say(line)

    def writable(self) -> bool:
        """
        True.
        """
        return True

    def isatty(self) -> bool:
        """
        False: nobody looks at this directly.
        """
        return False

    def fileno(self) -> int:
        """
        The descriptor behind, for programs that the task starts.
        """
        return self.behind.fileno()

    @property
    def buffer(self) -> object:
        """
        The binary stream behind; bytes written to it are not taken as lines.
        """
        return self.behind.buffer


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.capture: PrintCapture | None = None


class _Router(PrintCapture):
    """
    Stands in for ``sys.stdout`` while any task's prints are taken, and gives each thread's to that thread's capture.
    """

    def __init__(self, behind: TextIO) -> None:
        super().__init__(say=lambda line: None, behind=behind)
        self.thread = _PerThread()
        self.users = 0

    def write(self, text: str) -> int:
        """
        Hand *text* to the capture of this thread, or to the stream behind.
        """
        capture = self.thread.capture
        return self.behind.write(text) if capture is None else capture.write(text)

    def flush(self) -> None:
        """
        Let what is behind be seen.
        """
        if self.thread.capture is None:
            self.behind.flush()


_INSTALLING: Final = threading.Lock()


@contextmanager
def captured(say: Callable[[str], None]) -> Iterator[None]:
    """
    Hand the lines that this thread prints in the block to *say*.
    """
    with _INSTALLING:
        router = sys.stdout if isinstance(sys.stdout, _Router) else _Router(sys.stdout)
        router.users += 1
        sys.stdout = router

    before = router.thread.capture
    router.thread.capture = capture = PrintCapture(say=say, behind=router.behind)
    try:
        yield
    finally:
        router.thread.capture = before
        capture.end_line()
        with _INSTALLING:
            router.users -= 1
            if router.users == 0:
                sys.stdout = router.behind
