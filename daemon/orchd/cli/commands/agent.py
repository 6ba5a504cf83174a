"""
``orchd agent local start``: what starts runs is the daemon.
"""

from __future__ import annotations

import argparse

from orchd.cli.arguments import Parser, add_daemon, add_examples
from orchd.cli.connection import connect
from orchd.client.places import AGENT


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments; those of the classic command are taken, and mean nothing here.
    """
    parser.add_argument("kind", metavar="local", choices=("local",), help="runs are processes of this host")
    parser.add_argument("act", metavar="start", choices=("start",), help="the daemon has started already")
    for names in (("-l", "--label"), ("-n", "--name"), ("-e", "--env"), ("-p", "--import-path"), ("--log-level",)):
        parser.add_argument(*names, action="append", help=argparse.SUPPRESS)
    for name in ("--no-hostname-label", "--show-flow-logs", "-f"):
        parser.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    add_daemon(parser)
    add_examples(parser, "orchd agent local start      exit code: 0 the daemon is up, 3 it is not running")


def run(args: argparse.Namespace) -> int:
    """
    Say that the daemon is the agent, when it is up.
    """
    client = connect(args)
    print(AGENT.format(pid=client.get("/status")["daemon"]["pid"], socket=client.path))
    return 0
