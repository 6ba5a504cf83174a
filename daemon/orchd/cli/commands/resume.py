"""
``orchd resume RUN``.
"""

from __future__ import annotations

import argparse

from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.commands.start import see_through
from orchd.cli.connection import connect
from orchd.cli.references import reference
from orchd.client import quote


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "run", metavar="RUN", type=reference("run"), help="its name, its id, or the beginning of its id"
    )
    parser.add_argument(
        "--from", dest="from_task", metavar="TASK", help="run this task (its slug or name) and all below it anew"
    )
    parser.add_argument("--wait", action="store_true", help="wait for its end; exit code 0 when it succeeded, else 1")
    parser.add_argument("--follow", action="store_true", help="print its log while it goes; exit code as with --wait")
    add_json(parser)
    add_daemon(parser)
    add_examples(
        parser,
        "orchd resume calm-otter-3f2a1c",
        "orchd resume 3f2a --follow",
        "orchd resume 3f2a --from train-1      also for a run that succeeded",
    )


def run(args: argparse.Namespace) -> int:
    """
    Ask for the next attempt of the run, and wait for it when that is wanted.
    """
    body = {} if args.from_task is None else {"from_task": args.from_task}
    return see_through(args, connect(args).post(f"/runs/{quote(args.run)}/resume", body))
