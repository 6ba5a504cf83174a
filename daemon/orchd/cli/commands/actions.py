"""
What a person may do in one word: ``orchd cancel``, ``pause``, ``unpause``, ``reload``.
"""

from __future__ import annotations

import argparse

from orchd.cli.arguments import Parser, add_daemon, add_examples, add_json
from orchd.cli.connection import connect
from orchd.cli.output import emit
from orchd.cli.references import reference
from orchd.cli.safe import complain
from orchd.client import quote
from orchd.errors import ConfigError

_EXAMPLES = {
    "cancel": ("orchd cancel calm-otter-3f2a1c", 'orchd cancel 3f2a --reason "wrong input"'),
    "pause": ("orchd pause nightly", 'orchd pause nightly --note "until the disk is replaced"'),
    "unpause": ("orchd unpause nightly",),
    "reload": ("orchd reload", "orchd check && orchd reload"),
}


def configure(parser: Parser, name: str) -> None:
    """
    Add the arguments of the action called *name*.
    """
    parser.set_defaults(action=name)
    if name == "cancel":
        parser.add_argument(
            "run", metavar="RUN", type=reference("run"), help="its name, its id, or the beginning of its id"
        )
        parser.add_argument("--reason", metavar="TEXT", default="", help="kept with the run")
    elif name in ("pause", "unpause"):
        parser.add_argument("schedule", metavar="SCHEDULE", type=reference("schedule"), help="its name in the config")
    if name == "pause":
        parser.add_argument("--note", metavar="TEXT", default="", help="kept with the pause, and shown by `orchd why`")
    add_json(parser)
    add_daemon(parser)
    add_examples(parser, *_EXAMPLES[name])


def run(args: argparse.Namespace) -> int:
    """
    Do it, and say what has changed.
    """
    client = connect(args)
    match args.action:
        case "cancel":
            emit(
                args,
                client.post(f"/runs/{quote(args.run)}/cancel", {"reason": args.reason} if args.reason else {}),
                view="started",
            )
        case "pause":
            path = f"/schedules/{quote(args.schedule)}/pause"
            emit(args, client.post(path, {"note": args.note}), view="paused")
        case "unpause":
            emit(args, client.post(f"/schedules/{quote(args.schedule)}/unpause"), view="paused")
        case "reload":
            answer = client.post("/reload")
            if not answer["ok"] and not args.json:
                raise ConfigError(f"{answer['error']} (the daemon goes on with the config it had)")

            emit(args, answer, view="reloaded")
            for file in answer["broken"]:
                complain(f"{file['file']} does not load: {file['error']}")
            return 0 if answer["ok"] else ConfigError.exit_code
    return 0
