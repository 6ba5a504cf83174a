"""
``orchd start FLOW``.
"""

from __future__ import annotations

import argparse
import sys
import uuid

from orchd import clock
from orchd.cli import times
from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.follow import Follower, announce_wait
from orchd.cli.lines import LinePrinter
from orchd.cli.output import emit
from orchd.cli.parameters import add_parameters, gather
from orchd.client import Client


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument("flow", metavar="FLOW", help="the flow's name, as `orchd flows` lists it")
    add_parameters(parser)
    parser.add_argument("--at", metavar="TIME", help="not now but then: 2026-11-24T06:30, 06:30, or a span, 10m")
    parser.add_argument("--wait", action="store_true", help="wait for its end; exit code 0 when it succeeded, else 1")
    parser.add_argument("--follow", action="store_true", help="print its log while it goes; exit code as with --wait")
    add_json(parser)
    add_daemon(parser)
    add_examples(
        parser,
        "orchd start data-engineer",
        "orchd start data-engineer --param test_data_ratio=0.3 --follow",
        "orchd start data-engineer --at 06:30",
        "orchd start data-engineer --wait && echo done",
    )


def run(args: argparse.Namespace) -> int:
    """
    Ask for the run, and wait for it when that is wanted.
    """
    body = {
        "flow": args.flow,
        "parameters": gather(args),
        "at": times.parse(args.at, now=clock.now(), past=False) if args.at else None,
        # So that a request that is sent twice makes one run.
        "idempotency_key": str(uuid.uuid4()),
    }
    answer = connect(args).post("/runs", body)
    if not (args.wait or args.follow):
        emit(args, answer, view="started")
        return 0

    if args.follow and not args.json:
        emit(args, answer, view="started")
    client: Client = connect(args, retry_for_s=float("inf"), on_wait=announce_wait)
    printer = LinePrinter(sys.stdout, raw=False) if args.follow and not args.json else None
    Follower(client, printer).run(answer["run"]["id"])
    final = client.get(f"/runs/{answer['run']['id']}")
    emit(args, {"run": final}, view="started")
    return 0 if final["state"] == "success" else 1
