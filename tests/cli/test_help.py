"""
A newcomer can work from `--help` alone.
"""

import pytest

from orchd.cli import table
from orchd.cli.arguments import Parser


@pytest.mark.parametrize("name", table.COMMANDS)
def test_every_command_shows_examples(name: str) -> None:
    """
    The help of each command ends with examples that begin with the command, and every argument has a sentence.
    """
    parser = Parser(prog=f"orchd {name}", description="")
    table.command(name).configure(parser, name)

    assert f"examples:\n  orchd {name}" in parser.format_help()
    assert all(action.help for action in parser._actions)
