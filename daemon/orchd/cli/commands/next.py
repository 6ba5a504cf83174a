"""
``orchd next [SCHEDULE]``.
"""

from __future__ import annotations

import argparse
import os
import sys

from orchd import clock
from orchd.cli import table, times
from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.output import emit
from orchd.cli.references import count, reference
from orchd.errors import NotRunning


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "schedule", metavar="SCHEDULE", nargs="?", type=reference("schedule"), help="only this one (default: all)"
    )
    parser.add_argument("-n", metavar="N", type=count, default=10, help="so many fire times (default: 10)")
    parser.add_argument("--from", dest="begin", metavar="TIME", help="after then, not after now: 2027-03-28, or 6d")
    parser.add_argument("--explain", action="store_true", help="say why a local time moved at a change of the clocks")
    add_json(parser)
    add_daemon(parser)
    add_examples(
        parser,
        "orchd next",
        "orchd next nightly -n 3",
        "orchd next nightly --from 2027-03-27 --explain      over the change to summer time",
        "orchd next --config my-flows                        computed from the config when no daemon runs",
    )


def run(args: argparse.Namespace) -> int:
    """
    Print coming fire times: the daemon's, or without one those of the config.
    """
    begin = args.begin and times.parse(args.begin, now=clock.now(), past=False)
    query = {"schedule": args.schedule, "n": args.n, "from": begin}
    configured = args.config or os.environ.get("ORCHD_CONFIG")
    try:
        answer = connect(args).get("/next", **query)
    except NotRunning:
        if not configured or args.socket:
            raise

        print("orchd: no daemon is running; this is computed from the config and the flow files", file=sys.stderr)
        answer = table.part("offline").next_fires(configured, args.schedule, n=args.n, begin=begin)
    if not args.explain and not args.json:
        answer |= {"next": [fire | {"note": None} for fire in answer["next"]]}
    emit(args, answer, view="next_fires")
    return 0
