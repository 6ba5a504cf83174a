"""
``orchd --help``, ``orchd --version``, and what is said to a command that there is none of.
"""

import difflib
from importlib import metadata

from orchd.cli.table import COMMANDS
from orchd.errors import UsageError

_FIRST_STEPS = """\
first steps:
  orchd init my-flows                         a first config, flow and schedule
  orchd serve --config my-flows               the daemon, until Ctrl-C
  orchd status                                in another terminal
  orchd open                                  a link to the page, for your browser
  orchd logs -f hello                         what the flow prints, run after run

`orchd COMMAND --help` shows the arguments and examples of each command.
Commands find the daemon by --socket, by --config, or in the usual places
(ORCHD_SOCKET and ORCHD_CONFIG say the same for a whole shell)."""

_GROUPS = {
    "the daemon": ("init", "serve", "stop", "status", "reload", "check", "open", "token"),
    "flows and runs": ("flows", "run", "start", "runs", "show", "logs", "cancel"),
    "schedules": ("schedules", "next", "why", "pause", "unpause"),
    "the shell": ("completion",),
}


def show(words: list[str]) -> int:
    """
    Answer *words*, whose first is no command.

    Raises:
        UsageError: it is no option either.
    """
    match words:
        case [] | ["-h" | "--help" | "help"]:
            print(_overview())
        case ["help", name] if name in COMMANDS:
            print(f"`orchd {name} --help` shows it")
        case ["--version" | "-V" | "version"]:
            print(f"orchd {metadata.version('orchd')}")
        case [first, *_]:
            raise UsageError(_no_command(first))
    return 0


def _overview() -> str:
    lines = ["usage: orchd COMMAND ...", "", "Flows written the classic way, started on time by one daemon."]
    for title, names in _GROUPS.items():
        lines += ["", f"{title}:", *(f"  {name:<12}{COMMANDS[name][1]}" for name in names)]
    return "\n".join([*lines, "", _FIRST_STEPS])


def _no_command(word: str) -> str:
    if word.startswith("-"):
        return f"{word} stands before no command; write the command first, as in `orchd status {word} ...`"

    near = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean `orchd {near[0]}`?" if near else "`orchd --help` lists them all"
    return f"there is no command '{word}'; {hint}"
