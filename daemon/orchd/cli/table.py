"""
The table of commands and of the heavy parts behind them; they are imported when they are needed, and only here.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # `typing` would double the time that `orchd status --json` takes to begin
if TYPE_CHECKING:
    from typing import Any

#: Command -> (module below ``orchd.cli.commands``, one line of help), in the order of the overview.
COMMANDS = {
    "init": ("init", "write a first config, a first flow and its schedule"),
    "serve": ("serve", "run the daemon here, in the foreground"),
    "stop": ("stop", "end the daemon; runs go on, or are cancelled with --cancel"),
    "status": ("status", "is the daemon up, what runs, what comes next, what failed"),
    "flows": ("lists", "list the flows that the daemon knows"),
    "schedules": ("lists", "list the schedules, and when each fires next"),
    "runs": ("lists", "list runs, newest first"),
    "show": ("show", "show one run with its tasks"),
    "run": ("run", "run a flow file here and now, without a daemon"),
    "start": ("start", "ask the daemon to start a flow"),
    "logs": ("logs", "print or follow what a run printed and logged"),
    "cancel": ("actions", "cancel a run"),
    "resume": ("resume", "start the next attempt of a run, with the results that are still good"),
    "pause": ("actions", "pause a schedule"),
    "unpause": ("actions", "let a paused schedule go on"),
    "next": ("next", "list coming fire times"),
    "why": ("why", "say why something did or did not run"),
    "check": ("check", "check config, flow files and schedules without starting anything"),
    "reload": ("actions", "have the daemon read config and flow files again"),
    "open": ("open", "give a link that logs a browser in to the web page"),
    "token": ("token", "make, list or revoke tokens of scripts that use the API over TCP"),
    "create": ("create", "make a project, into which flows are registered"),
    "agent": ("agent", "say that the daemon is the agent"),
    "completion": ("completion", "print a completion script for your shell"),
}

#: Word -> module of a part that costs too much to be imported before it is known to be needed.
PARTS = {
    "overview": "orchd.cli.overview",
    "configured": "orchd.client.configured",
    "views": "orchd.cli.views",
    "terminal": "orchd.cli.terminal",
    "pipe": "orchd.cli.pipe",
    "service": "orchd.service",
    "compat": "orchd.compat",
    "old_names": "orchd.compat.files",
    "local": "orchd.flow.local",
    "describe": "orchd.processes.describe",
    "offline": "orchd.cli.offline",
    "ahead": "orchd.cli.ahead",
    "safe": "orchd.cli.safe",
}


def command(name: str) -> Any:
    """
    Import and return the module of the command *name*, which has ``configure(parser, name)`` and ``run(args)``.
    """
    return importlib.import_module(f"orchd.cli.commands.{COMMANDS[name][0]}")


def part(name: str) -> Any:
    """
    Import and return the heavy part *name* of :data:`PARTS`.
    """
    return importlib.import_module(PARTS[name])
