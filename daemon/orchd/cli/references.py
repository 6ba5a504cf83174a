"""
The arguments that name a run, a flow or a schedule: what can be none is refused before anybody is asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from orchd.errors import NotFound, UsageError

#: No flow and no schedule has a longer name, and no run.
_LONGEST = 200
#: How much of a wrong name is repeated.
_SHOWN = 80


def reference(noun: str) -> Callable[[str], str]:
    """
    Return the type of an argument that names a *noun* (``run``, ``flow``, ``schedule``), for argparse.
    """

    def checked(text: str) -> str:
        begin = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
        if not text:
            raise UsageError(f"the name of the {noun} is empty; `orchd {noun}s` lists those that there are")

        if len(text) > _LONGEST:
            raise UsageError(f"'{begin}' is no {noun}: a name has at most {_LONGEST} characters")

        if "/" in text:
            raise NotFound(f"there is no {noun} '{begin}': `orchd {noun}s` lists those that there are")

        return text

    return checked


def count(text: str) -> int:
    """
    Return the number of an argument that says how many, for argparse.
    """
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"'{text[:_SHOWN]}' is no count: write a whole number of 1 or more")

    return int(text)
