"""
Pictures in a process of their own.
"""

import os
import subprocess
import sys
from typing import Final

from orchd.errors import InternalError

_KEPT: Final = ("PATH", "HOME", "LANG")


def draw_in_child(dot: str, *, time_limit_s: float) -> bytes:
    """
    Return the picture of *dot* (text in the DOT language) as SVG.

    Raises:
        InternalError: it cannot be drawn, or not in that time.
    """
    command = [sys.executable, "-m", "orchd.processes.draw_child"]
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        done = subprocess.run(
            command, input=dot.encode(), capture_output=True, timeout=time_limit_s, env=env, check=False
        )
    except subprocess.TimeoutExpired:
        raise InternalError(
            f"the picture was not drawn within {time_limit_s:g} s: the flow has too many tasks"
        ) from None

    # Not by the exit code: whoever reaps adopted processes may have been quicker to take it.
    if not done.stdout.rstrip().endswith(b"</svg>"):
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise InternalError(f"the picture was not drawn: {last or 'its process ended'}")

    return done.stdout
