"""
What a person reads is true: README and pages against the code.
"""

import re
from pathlib import Path

import pytest

from docs import make_states
from orchd import errors
from orchd.cli import table
from orchd.config.tables import NAMED, TABLES, keys
from orchd.model.slots import SENTENCES, Reason

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = sorted([ROOT / "README.md", ROOT / "systemd" / "README.md", *(ROOT / "daemon" / "docs").rglob("*.md")])


def test_the_states_page_is_generated() -> None:
    """
    The diagrams are those of the tables that every move is checked against.
    """
    assert make_states.page() == make_states.PAGE.read_text()


def test_the_readme_lists_every_config_key_and_no_other() -> None:
    """
    The config reference has one row for each key of each table, in no table that is not there.
    """
    part = README.split("<!-- config-reference")[1].split("## Commands")[0]
    listed: dict[str, set[str]] = {}
    name = ""
    for row in re.findall(r"^\| (.+?) \|", part, re.MULTILINE):
        if heading := re.fullmatch(r"\*\*`\[(\w+)(\.NAME)?\]`\*\*", row):
            name = heading[1]
            assert (heading[2] is not None) == (name in NAMED)
            listed[name] = set()
        elif re.fullmatch(r"`\w+`(, `\w+`)*", row):
            listed[name].update(re.findall(r"\w+", row))

    assert {name: set(keys(model)) for name, model in TABLES.items()} == listed


def test_the_readme_lists_every_command_and_no_other() -> None:
    """
    The command reference names each command of the program.
    """
    part = README.split("<!-- cli-reference")[1].split("## On a server")[0]
    listed = {word for row in re.findall(r"^\| (`orchd .+?) \|", part, re.MULTILINE) for word in _commands(row)}

    assert set(table.COMMANDS) == listed


def _commands(row: str) -> list[str]:
    return re.findall(r"`orchd (\w+)", row)


def test_every_file_that_the_readme_sends_a_reader_to_is_there() -> None:
    """
    A new reader finds the place of each decision in one step.
    """
    part = README.split("| you want to know | look in |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| .+? \| (.+?) \|$", part, re.MULTILINE)[1:]

    for row in rows:
        folder = ROOT
        for path in re.findall(r"`([\w/]+\.py)`", row):
            folder = (ROOT / path).parent if "/" in path else folder
            assert (folder / Path(path).name).is_file(), path


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_between_the_pages_leads_somewhere(page: Path) -> None:
    """
    No link to a file is dead.
    """
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())

    assert [] == [link for link in links if "://" not in link and not (page.parent / link).exists()]


def test_every_module_that_the_architecture_names_is_there() -> None:
    """
    The page of the hops names files that exist.
    """
    text = (ROOT / "daemon" / "docs" / "architecture.md").read_text()
    names = set(re.findall(r"`((?:\w+/)+\w+\.py)`", text))

    assert names
    assert [] == [name for name in names if not (ROOT / "daemon" / "orchd" / name).is_file()]


def test_every_decision_is_listed() -> None:
    """
    The list names each page of its folder, and no other.
    """
    folder = ROOT / "daemon" / "docs" / "decisions"
    listed = re.findall(r"\]\((\S+\.md)\)", (folder / "README.md").read_text())

    assert sorted(page.name for page in folder.glob("[0-9]*.md")) == listed


def test_the_readme_names_every_exit_code() -> None:
    """
    Those of the error tree, with 0 and 1.
    """
    part = README.split("Exit codes:")[1].split("\n\n")[0]

    assert {0, 1, *(kind.exit_code for kind in _kinds(errors.OrchdError))} == {int(n) for n in re.findall(r"\d+", part)}


def _kinds(kind: type[errors.OrchdError]) -> set[type[errors.OrchdError]]:
    return {kind}.union(*(_kinds(below) for below in kind.__subclasses__()))


def test_every_reason_of_a_slot_has_its_sentence() -> None:
    """
    Whatever the ledger says can be said in words.
    """
    assert set(Reason) == set(SENTENCES)
