"""
``orchd logs RUN|FLOW``.
"""

from __future__ import annotations

import argparse
import sys

from orchd import clock
from orchd.cli import times
from orchd.cli.arguments import Parser, add_daemon, add_examples
from orchd.cli.connection import connect
from orchd.cli.follow import Follower, announce_wait
from orchd.cli.lines import LEVELS, LinePrinter
from orchd.cli.references import reference
from orchd.client import Client, quote
from orchd.errors import NotFound, UsageError

#: Lines shown of a run that is over before its flow's next one is waited for.
_LAST_LINES = 10


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "of",
        metavar="RUN|FLOW",
        type=reference("run"),
        help="a run (name, id, or its beginning), or a flow: its newest run",
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on: a run to its end, a flow for ever")
    parser.add_argument("-n", "--tail", metavar="N", type=int, help="only the last N lines")
    parser.add_argument("--task", metavar="TASK", help="only lines of this task")
    parser.add_argument("--level", metavar="LEVEL", help="only lines of this level and above: debug, info, warning ...")
    parser.add_argument("--since", metavar="TIME", help="only lines since then: 06:30, 2026-11-24T06:30 or a span, 10m")
    parser.add_argument("--raw", action="store_true", help="the bare text, control characters and all")
    add_daemon(parser)
    add_examples(
        parser,
        "orchd logs calm-otter-3f2a1c",
        "orchd logs -f calm-otter-3f2a1c      ends with the run; exit code 0 when it succeeded, else 1",
        "orchd logs -f data-science           goes on into later runs; Ctrl-C ends",
        "orchd logs data-science --task train --level warning",
        "orchd logs --raw 3f2a > output.txt",
    )


def run(args: argparse.Namespace) -> int:
    """
    Print the log, and follow it when that is wanted.
    """
    filters = {
        "task": args.task,
        "level": args.level and _level(args.level),
        "since": args.since and times.parse(args.since, now=clock.now(), past=True),
    }
    # The first question tells a mistake from a daemon that is away; only then is it worth waiting.
    client = connect(args)
    is_flow = _is_flow(client, args.of)
    client.retry_for_s = float("inf") if args.follow else 0.0
    client.on_wait = announce_wait
    follower = Follower(client, LinePrinter(sys.stdout, raw=args.raw), filters)
    if is_flow and args.follow:
        follower.flow(args.of, tail=_LAST_LINES if args.tail is None else args.tail)

    run_id = _newest(client.get("/runs", flow=args.of, limit=1)["runs"], args.of) if is_flow else args.of
    if not args.follow:
        follower.print_now(run_id, tail=args.tail)
        return 0

    return 0 if follower.run(run_id, tail=args.tail)["state"] == "success" else 1


def _is_flow(client: Client, name: str) -> bool:
    try:
        client.get(f"/flows/{quote(name)}")
    except NotFound:
        return False

    return True


def _newest(runs: list[dict[str, str]], flow: str) -> str:
    if not runs:
        raise NotFound(f"flow '{flow}' has no run yet; `orchd start {flow}` starts one, `orchd logs -f {flow}` waits")

    return runs[0]["id"]


def _level(text: str) -> int:
    if text.upper() not in LEVELS:
        raise UsageError(f"--level {text} is no level; write one of {', '.join(LEVELS).lower()}")

    return LEVELS[text.upper()]
