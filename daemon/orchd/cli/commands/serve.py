"""
``orchd serve``.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from orchd import config
from orchd.cli import table
from orchd.cli.arguments import Parser, add_examples


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "--config",
        metavar="PATH",
        default=os.environ.get("ORCHD_CONFIG"),
        help="a config file, or a folder of them (default: $ORCHD_CONFIG, else every default)",
    )
    add_examples(
        parser,
        "orchd serve --config my-flows        made by `orchd init my-flows`",
        "orchd check --config my-flows && orchd serve --config my-flows",
    )


def run(args: argparse.Namespace) -> int:
    """
    Be the daemon until it is told to end.
    """
    path = Path(args.config) if args.config else None
    return int(table.part("service").serve(config.load(path, env=os.environ)))
