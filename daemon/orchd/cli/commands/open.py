"""
``orchd open``.
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
    parser.add_argument("--read-only", action="store_true", help="whoever logs in by it may look, and change nothing")
    add_json(parser)
    add_daemon(parser)
    add_examples(
        parser,
        "orchd open                       then open the link in a browser",
        "orchd open --read-only           a link to hand on",
        "xdg-open $(orchd open | tail -1)",
    )


def run(args: argparse.Namespace) -> int:
    """
    Ask for a link to the web page, and print it alone on the last line.
    """
    emit(args, connect(args).post("/links", {"read_only": args.read_only}), view="link")
    return 0
