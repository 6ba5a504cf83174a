"""
``orchd init [DIR]``.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from orchd.cli.arguments import Parser, add_examples
from orchd.cli.templates import FIRST_FLOW, ORCHD_TOML, SCHEDULES_TOML
from orchd.errors import StateError

_FILES = {"orchd.toml": ORCHD_TOML, "schedules.toml": SCHEDULES_TOML, "flows/hello.py": FIRST_FLOW}


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument("dir", metavar="DIR", nargs="?", default=".", help="the folder to write into (default: here)")
    add_examples(parser, "orchd init my-flows", "orchd init my-flows && orchd serve --config my-flows")


def run(args: argparse.Namespace) -> int:
    """
    Write the files, unless there is a config already, and say the next step.
    """
    folder = Path(args.dir)
    if configs := sorted(folder.glob("*.toml")):
        raise StateError(
            f"{folder} has a config already ({configs[0].name}), and nothing was written; "
            f"look at it with `orchd check --config {shlex.quote(str(folder))}`, or give another folder"
        )

    for name, text in _FILES.items():
        print(f"{_write(folder / name, text)} {folder / name}")
    print(f"\nNext: orchd serve --config {shlex.quote(str(folder))}")
    print("Then, in another terminal: orchd status, orchd logs -f hello")
    return 0


def _write(file: Path, text: str) -> str:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        if not file.exists():
            raise StateError(f"{file.parent} is no folder; give `orchd init` another one") from None

        return "kept "
    except OSError as error:
        raise StateError(f"{file} cannot be written: {error.strerror}; give `orchd init` another folder") from error

    return "wrote"
