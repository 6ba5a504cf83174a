"""
What the arguments of all commands have in common.
"""

from __future__ import annotations

import argparse
import os

from orchd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """
    Knows the width without `shutil`, which argparse would import for it even when no help is asked for.
    """

    def __init__(self, prog: str) -> None:
        """
        Format for the width of the terminal, or 100 characters without one.
        """
        try:
            width = int(os.environ.get("COLUMNS", "") or os.get_terminal_size(1).columns)
        except (OSError, ValueError):
            width = 100
        super().__init__(prog, width=max(width - 2, 40))


class Parser(argparse.ArgumentParser):
    """
    An argument parser whose complaints are ours: one sentence, and the exit code of wrong arguments.
    """

    def __init__(self, *, prog: str, description: str) -> None:
        """
        Begin the parser of one command; *description* is the first line of its help.
        """
        super().__init__(prog=prog, description=description, formatter_class=_Formatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """
        Raise *message* as a UsageError.
        """
        raise UsageError(f"{message}; `{self.prog} --help` shows what it takes")


def add_examples(parser: argparse.ArgumentParser, *lines: str) -> None:
    """
    End the help of *parser* with examples, one a line.
    """
    parser.epilog = "examples:\n" + "\n".join(f"  {line}" for line in lines)


def add_daemon(parser: argparse.ArgumentParser) -> None:
    """
    Add the arguments that say which daemon is meant.
    """
    which = parser.add_argument_group("which daemon")
    which.add_argument("--socket", metavar="PATH", help="its Unix socket (default: $ORCHD_SOCKET, else by --config)")
    which.add_argument(
        "--config", metavar="PATH", help="its config (default: $ORCHD_CONFIG, else the usual places of the socket)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """
    Add ``--json``.
    """
    parser.add_argument("--json", action="store_true", help="print JSON: stable keys, UTC times")
