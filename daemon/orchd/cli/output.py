"""
What leaves a command: JSON as it came, or a view of it for a person.
"""

from __future__ import annotations

import argparse
import json
import sys

from orchd.cli import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def emit(args: argparse.Namespace, answer: dict[str, Any], *, view: str) -> None:
    """
    Print *answer* as JSON when ``--json`` asks for it, else by the function *view* of :mod:`orchd.cli.views`.
    """
    if args.json:
        print(json.dumps(answer, indent=2))
        return

    getattr(table.part("views"), view)(answer, open_screen())


def open_screen() -> Any:
    """
    Return the :class:`~orchd.cli.screen.Screen` that fits stdout: a terminal, or a pipe or file.
    """
    return table.part("terminal" if sys.stdout.isatty() else "pipe").open_screen()
