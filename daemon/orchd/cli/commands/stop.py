"""
``orchd stop``.
"""

from __future__ import annotations

import argparse
import sys

from orchd.cli.arguments import Parser, add_daemon, add_examples
from orchd.cli.connection import connect
from orchd.cli.pause import pause
from orchd.client import Client
from orchd.errors import NotRunning

#: Seconds between two looks whether the daemon is still there.
_LOOK_S = 0.1


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument("--cancel", action="store_true", help="cancel running runs, too, after [daemon] stop_grace")
    add_daemon(parser)
    add_examples(
        parser,
        "orchd stop               runs go on by themselves; the next daemon adopts them",
        "orchd stop --cancel      leaves nothing running",
    )


def run(args: argparse.Namespace) -> int:
    """
    End the daemon, and wait until it has ended.
    """
    client = connect(args)
    pid = client.get("/status")["daemon"]["pid"]
    client.post("/stop", {"cancel": args.cancel})
    while _pid(client) == pid:
        pause(_LOOK_S)
    if sys.stdout.isatty():
        print("The daemon has ended." if args.cancel else "The daemon has ended; running runs go on.")
    return 0


def _pid(client: Client) -> object:
    try:
        return client.get("/status")["daemon"]["pid"]
    except NotRunning:
        return None
