"""
``orchd show RUN``.
"""

from __future__ import annotations

import argparse

from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.output import emit
from orchd.cli.references import reference
from orchd.client import every, quote


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "run",
        metavar="RUN",
        type=reference("run"),
        help="its name, its id, or the beginning of its id (4 characters and more)",
    )
    add_json(parser)
    add_daemon(parser)
    add_examples(parser, "orchd show calm-otter-3f2a1c", "orchd show 3f2a --json")


def run(args: argparse.Namespace) -> int:
    """
    Print one run with its tasks.
    """
    client = connect(args)
    run = client.get(f"/runs/{quote(args.run)}")
    if run["tasks_next"] is not None:
        run["tasks"] += every(client.get, f"/runs/{quote(run['id'])}/tasks", after=run["tasks_next"])
        run["tasks_next"] = None
    emit(args, run, view="show")
    return 0
