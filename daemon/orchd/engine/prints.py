"""
What a task prints, taken as whole lines.
"""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


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


@contextmanager
def captured(say: Callable[[str], None]) -> Iterator[None]:
    """
    Hand the lines that are printed in the block to *say*.
    """
    behind = sys.stdout
    capture = PrintCapture(say=say, behind=behind)
    sys.stdout = capture
    try:
        yield
    finally:
        sys.stdout = behind
        capture.end_line()
