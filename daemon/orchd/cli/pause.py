"""
Waiting a moment, so that Ctrl-C ends the wait.
"""

from __future__ import annotations

import select


def pause(seconds: float) -> None:
    """
    Return after *seconds*.
    """
    select.select((), (), (), seconds)
