"""
``orchd create project NAME``.
"""

from __future__ import annotations

import argparse

from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.output import emit


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument("noun", metavar="project", choices=("project",), help="what is to be made")
    parser.add_argument("name", metavar="NAME", help="its name, of more words if you like")
    parser.add_argument("-d", "--description", metavar="TEXT", help="of the classic command; not kept")
    parser.add_argument("--skip-if-exists", action="store_true", help="of the classic command; so it is always")
    add_json(parser)
    add_daemon(parser)
    add_examples(parser, 'orchd create project "Iris Project"')


def run(args: argparse.Namespace) -> int:
    """
    Make it; one that is there already is good, too.
    """
    emit(args, connect(args).post("/projects", {"name": args.name}), view="created")
    return 0
