"""
Exceptions of the person's code, as they are said.
"""

from pathlib import Path
from types import TracebackType
from typing import Final

_PACKAGE: Final = str(Path(__file__).parent.parent)


def said(exc: BaseException) -> str:
    """
    Return ``repr(exc)``, and something that can be read when that itself fails.
    """
    try:
        return repr(exc)
    except Exception as inner:
        return f"{type(exc).__name__}(<its repr raised {type(inner).__name__}>)"


def own_traceback(trace: TracebackType | None) -> TracebackType | None:
    """
    Return *trace* from the first frame on that is not ours.
    """
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        trace = trace.tb_next

    return trace
