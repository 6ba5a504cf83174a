"""
``orchd flows``, ``orchd schedules`` and ``orchd runs``.
"""

from __future__ import annotations

import argparse

from orchd import clock
from orchd.cli import times
from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.output import emit
from orchd.cli.references import count
from orchd.client import Client, every

#: Runs that the API gives at once.
_PAGE = 500

_EXAMPLES = {
    "flows": ("orchd flows", "orchd flows --json"),
    "schedules": ("orchd schedules", "orchd schedules --json"),
    "runs": (
        "orchd runs",
        "orchd runs --flow data-engineer --limit 5",
        "orchd runs --state failed --since 2d       what failed in the last two days",
        "orchd runs --since 06:00 --json",
    ),
}


def configure(parser: Parser, name: str) -> None:
    """
    Add the arguments of the list called *name*.
    """
    parser.set_defaults(noun=name)
    if name == "runs":
        parser.add_argument("--flow", metavar="NAME", help="only runs of this flow")
        parser.add_argument("--state", metavar="STATE", help="only runs in this state: failed, running, success ...")
        parser.add_argument(
            "--since", metavar="TIME", help="only runs made since then: 2026-11-24, 06:30 or a span, 2d"
        )
        parser.add_argument("--limit", metavar="N", type=count, default=20, help="at most so many (default: 20)")
    add_json(parser)
    add_daemon(parser)
    add_examples(parser, *_EXAMPLES[name])


def run(args: argparse.Namespace) -> int:
    """
    Print the list.
    """
    client = connect(args)
    found = _runs(args, client) if args.noun == "runs" else every(client.get, f"/{args.noun}")
    emit(args, {args.noun: found}, view=args.noun)
    return 0


def _runs(args: argparse.Namespace, client: Client) -> list[dict[str, object]]:
    since = args.since and times.parse(args.since, now=clock.now(), past=True)
    state = args.state and _state(args.state)
    found: list[dict[str, object]] = []
    while (left := args.limit - len(found)) > 0:
        before = found[-1]["number"] if found else None
        page = client.get("/runs", flow=args.flow, state=state, since=since, limit=min(left, _PAGE), before=before)[
            "runs"
        ]
        found += page
        if len(page) < _PAGE:
            break
    return found


def _state(text: str) -> str:
    # People see `TimedOut` and type that, too.
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in text).lstrip("_")
