"""
The standard streams of a run: what Python code prints there tells no secret.
"""

import io
import sys

from orchd.results.secrets import hidden


class HidingStream(io.TextIOWrapper):
    """
    Writes text without the secrets that this process has handed out. Bytes, and other programs, pass it by.
    """

    def write(self, text: str) -> int:
        """
        Write *text*, and return its length.
        """
        super().write(hidden(text))
        return len(text)


def hide_secrets() -> None:
    """
    Put such streams in the place of ``sys.stdout`` and ``sys.stderr``; they write lines at once, as before.
    """
    for name in ("stdout", "stderr"):
        binary = getattr(sys, name).detach()
        stream = HidingStream(binary, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
