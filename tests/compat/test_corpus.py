"""
Flow files of 2021, each a way of writing that real ones have: as they are, and with their imports rewritten.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchd.compat.fixing import fix

FLOWS = sorted(Path(__file__).with_name("flows").glob("*.py"))
#: Those with a name that means nothing here; they keep the old imports beside ours.
WITH_REST = {file.name for file in FLOWS if fix(file.read_bytes()).left}


#: What Prefect 1.4.1 says of the same files, recorded by running them with it.
CLASSIC = json.loads(Path(__file__).with_name("classic.json").read_text())
#: Files that it was not asked about, or that have another outcome there.
NOT_ASKED = {
    "flow_of_flows.py": "it has no server here",
    "keys.py": "its store of keys is a service",
    "labels.py": "its 1.4 has no environments any more",
    "notifies.py": "it asks for the webhook's secret before it looks whether anybody is told",
    "scheduled.py": "it does not know the zones of a newer pendulum",
    "secrets.py": "it gives a secret's dict as a settings object",
    "terminal.py": "it writes a signal without a message as SKIP(None)",
}


def outcomes(files, *words):
    """
    Run *files*, each in a process of its own, and return what became of their tasks.
    """
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("outcomes.py")), *words, *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def unchanged():
    """
    What became of the files as they are.
    """
    return outcomes(FLOWS, "--old")


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    """
    What became of the files with our imports, in a process that does not know the old ones.
    """
    folder = tmp_path_factory.mktemp("fixed")
    for file in FLOWS:
        (folder / file.name).write_bytes(fix(file.read_bytes()).source)

    files = sorted(folder.glob("*.py"))
    rest = [file for file in files if file.name in WITH_REST]
    return outcomes([file for file in files if file not in rest]) | outcomes(rest, "--old")


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_a_rewritten_file_means_the_same(file, unchanged, fixed):
    """
    Every flow ends in the same state, and every task in the same state with the same result.
    """
    told = unchanged[file.name]

    assert isinstance(told, dict), told
    assert {state for state, _, _ in told.values()} == {"Failed" if file.stem == "terminal" else "Success"}
    assert fixed[file.name] == told


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_rewriting_twice_changes_nothing_more(file):
    """
    A file that was rewritten has nothing left to rewrite.
    """
    once = fix(file.read_bytes())

    assert once.changes
    assert fix(once.source).source == once.source
    assert fix(once.source).changes == ()


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_only_names_change(file):
    """
    Comments, texts and the shape of the code are the same; the old package is imported no more.
    """
    before, after = file.read_bytes(), fix(file.read_bytes()).source

    assert _comments(after) == _comments(before)
    assert _texts(after) == _texts(before)
    if file.name not in WITH_REST:
        assert "prefect" not in {
            alias.name.partition(".")[0]
            for node in ast.walk(ast.parse(after))
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {
            str(node.module).partition(".")[0]
            for node in ast.walk(ast.parse(after))
            if isinstance(node, ast.ImportFrom)
        }


def _comments(source):
    return [line.partition("#")[2] for line in source.decode().splitlines() if "#" in line and '"#' not in line]


def _texts(source):
    return [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]


def test_every_file_has_a_reason_or_a_record():
    """
    Nothing is left out unsaid.
    """
    assert {file.name for file in FLOWS} == CLASSIC.keys() | NOT_ASKED.keys()


@pytest.mark.parametrize("name", sorted(CLASSIC))
def test_the_classic_tool_says_the_same(name, unchanged):
    """
    State and message of each flow, and state and result of each task by its slug.
    """
    assert unchanged[name] == CLASSIC[name]
