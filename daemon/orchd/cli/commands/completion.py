"""
``orchd completion SHELL``.
"""

from __future__ import annotations

import argparse

import shtab

from orchd.cli import table
from orchd.cli.arguments import Parser, add_examples


def configure(parser: Parser, _name: str) -> None:
    """
    Add the arguments.
    """
    parser.add_argument(
        "shell", metavar="SHELL", choices=shtab.SUPPORTED_SHELLS, help=", ".join(shtab.SUPPORTED_SHELLS)
    )
    add_examples(
        parser,
        "orchd completion bash > ~/.local/share/bash-completion/completions/orchd",
        "orchd completion zsh > ~/.zfunc/_orchd",
    )


def run(args: argparse.Namespace) -> int:
    """
    Print the script.
    """
    print(shtab.complete(_whole(), shell=args.shell))
    return 0


def _whole() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="orchd")
    commands = whole.add_subparsers()
    for name, (_, help_line) in table.COMMANDS.items():
        parser = Parser(prog=f"orchd {name}", description=help_line)
        table.command(name).configure(parser, name)
        # Only taken over: building it as a subparser would need the arguments of another class.
        commands.add_parser(name, help=help_line, parents=[parser], add_help=False, conflict_handler="resolve")
    return whole
