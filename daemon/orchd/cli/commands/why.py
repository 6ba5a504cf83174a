"""
``orchd why RUN|FLOW|SCHEDULE[@TIME]``.
"""

from __future__ import annotations

import argparse

from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.output import emit
from orchd.cli.references import reference


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "of",
        metavar="RUN|FLOW|SCHEDULE[@TIME]",
        type=reference("run"),
        help="a run, a flow, a schedule, or one fire time of a schedule (its zone's time; 18:20 alone is today's)",
    )
    add_json(parser)
    add_daemon(parser)
    add_examples(
        parser,
        "orchd why nightly                       the last decision about it, and what comes",
        "orchd why nightly@2026-11-23T02:00      that one night",
        "orchd why calm-otter-3f2a1c             why this run started, or is held",
    )


def run(args: argparse.Namespace) -> int:
    """
    Print the reason from the ledger.
    """
    emit(args, connect(args).get("/why", of=args.of), view="why")
    return 0
