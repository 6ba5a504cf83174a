"""
``orchd start FLOW``.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from datetime import datetime
from typing import Any

from orchd import clock
from orchd.cli import times
from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.follow import Follower, announce_wait
from orchd.cli.lines import LinePrinter
from orchd.cli.output import emit
from orchd.cli.parameters import add_parameters, gather
from orchd.cli.references import reference
from orchd.client import Client
from orchd.errors import UsageError


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "flow", metavar="FLOW", type=reference("flow"), help="the flow's name, as `orchd flows` lists it"
    )
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
        "at": args.at and _coming(args.at, now=clock.now()),
        # So that a request that is sent twice makes one run.
        "idempotency_key": str(uuid.uuid4()),
    }
    return see_through(args, connect(args).post("/runs", body))


def see_through(args: argparse.Namespace, answer: dict[str, Any]) -> int:
    """
    Print the run of *answer*, and wait for its end or follow it when ``--wait`` or ``--follow`` say so.

    Returns:
        The exit code of the command.
    """
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


def _coming(text: str, *, now: datetime) -> str:
    at = times.parse(text, now=now, past=False)
    if datetime.fromisoformat(at) < now:
        how_far = times.relative(datetime.fromisoformat(at), now=now)
        raise UsageError(f"--at {text} was {how_far}; write a time that comes, or leave it out to start at once")

    return at
