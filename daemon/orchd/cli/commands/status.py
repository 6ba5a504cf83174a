"""
``orchd status``.
"""

from __future__ import annotations

import argparse

from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.output import emit


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    add_json(parser)
    add_daemon(parser)
    add_examples(
        parser,
        "orchd status",
        "orchd status --json | python3 -m json.tool",
        "orchd status --json > /dev/null && echo up      exit code: 0 up, 3 not running",
    )


def run(args: argparse.Namespace) -> int:
    """
    Print how the daemon stands.
    """
    emit(args, connect(args).get("/status"), view="status")
    return 0
