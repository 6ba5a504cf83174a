"""
Text from anybody's code, made safe for a terminal; and the one way in which a command complains.
"""

import sys

from orchd.model.names import ESCAPES


def safe(text: str) -> str:
    """
    Return *text* on one line, with each control character as its escape, such as ``\\x1b``.
    """
    return text.translate(ESCAPES)


def complain(text: str) -> None:
    """
    Print *text* on stderr as one line that begins with our name.
    """
    print(f"orchd: {safe(text)}", file=sys.stderr)
