"""
``orchd token create|list|revoke``.
"""

from __future__ import annotations

import argparse

from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.output import emit
from orchd.client import every, quote
from orchd.errors import UsageError


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument("what", choices=("create", "list", "revoke"), help="make one, list them, or end one")
    parser.add_argument("name", nargs="?", metavar="NAME", help="what it is called, such as ci")
    parser.add_argument("--read-only", action="store_true", help="for create: it may look, and change nothing")
    add_json(parser)
    add_daemon(parser)
    add_examples(
        parser,
        "orchd token create ci            prints the token, alone on the last line",
        "orchd token create grafana --read-only",
        "orchd token list",
        "orchd token revoke ci",
    )


def run(args: argparse.Namespace) -> int:
    """
    Make, list or end tokens for scripts that use the API over TCP.
    """
    if args.what == "list":
        if args.name or args.read_only:
            raise UsageError("`orchd token list` takes no name and no --read-only: it lists every token")

        emit(args, {"tokens": every(connect(args).get, "/tokens")}, view="tokens")
        return 0

    if not args.name:
        raise UsageError(f"`orchd token {args.what}` needs a name, such as: orchd token {args.what} ci")

    if args.what == "create":
        body = {"name": args.name, "read_only": args.read_only}
        emit(args, connect(args).post("/tokens", body), view="token")
        return 0

    if args.read_only:
        raise UsageError("--read-only is for `orchd token create`; leave it out")

    emit(args, connect(args).post(f"/tokens/{quote(args.name)}/revoke"), view="revoked")
    return 0
