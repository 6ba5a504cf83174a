"""
`orchd check` and old imports.
"""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from orchd.compat import has_old
from orchd.compat.files import absences_in, fix_file
from orchd.errors import FlowError, NotFound
from support.program import ENVIRONMENT, PROGRAM

FLOWS = Path(__file__).with_name("flows")
GOOD = "from prefect import Flow, task\nwith Flow('old') as flow:\n    task(lambda: 1, name='one')()\n"


def orchd(*words, **env):
    """
    Run the program to its end.
    """
    return subprocess.run(
        [PROGRAM, *map(str, words)], env=ENVIRONMENT | env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path):
    """
    A config that offers old imports to the flow files in ``flows``.
    """
    (tmp_path / "flows").mkdir()
    (tmp_path / "orchd.toml").write_text('[flows]\npaths = ["flows"]\nprefect_imports = true\n')
    return tmp_path


def test_names_that_mean_nothing_here_are_listed_with_their_lines(folder):
    """
    One line each, also where the file loads as the name is only used when it is run as a program.
    """
    shutil.copy(FLOWS / "context_uses.py", folder / "flows")
    done = orchd("check", "--config", folder)

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        f"orchd: warning: {folder}/flows/context_uses.py, line 26: prefect.serialization is not in orchd: it is a part "
        "of the classic tool's inside, not of its way of writing flows"
    ]


def test_names_are_listed_of_a_file_that_does_not_load(folder):
    """
    The name that stops the import is told once, the others after it too.
    """
    (folder / "flows" / "bad.py").write_text("from prefect import plugins\nfrom prefect.tasks.aws import S3Upload\n")
    done = orchd("check", "--config", folder)

    assert done.returncode == 65
    assert done.stderr.count("prefect.plugins is not in orchd") == 1
    assert "bad.py, line 2: prefect.tasks.aws.S3Upload is not in orchd: tasks for services" in done.stderr


def test_settings_that_mean_nothing_here_are_noted(folder):
    """
    Storage, run config and labels of a flow: one line each.
    """
    shutil.copy(FLOWS / "elsewhere.py", folder / "flows")
    done = orchd("check", "--config", folder)
    notes = [line.partition("flow 'elsewhere': ")[2] for line in done.stdout.splitlines() if line.startswith("note: ")]

    assert [note.split(" has ")[0].split(" are ")[0] for note in notes] == [
        "storage GitHub",
        "run_config KubernetesRun",
        "labels late, vm",
    ]
    assert "put its environment (A) into [flows] env_file" in notes[1]


def test_without_the_key_old_imports_are_a_mistake_that_says_what_to_do(folder):
    """
    The sentence names the key and the command.
    """
    (folder / "orchd.toml").write_text('[flows]\npaths = ["flows"]\n')
    (folder / "flows" / "old.py").write_text(GOOD)
    done = orchd("check", "--config", folder)

    assert done.returncode == 65
    assert done.stderr.splitlines() == [
        f"orchd: {folder}/flows/old.py: line 1: import failed: No module named 'prefect'; set `prefect_imports = true` "
        f"under [flows] in the config, or rewrite the file: `orchd check --fix {folder}/flows/old.py`"
    ]


def test_where_the_old_package_is_installed_it_wins(folder):
    """
    A sentence says so; files without old imports are not bothered.
    """
    (folder / "site").mkdir()
    (folder / "site" / "prefect.py").write_text("from orchd import Flow, task\nREAL = True\n")
    old = folder / "flows" / "old.py"
    old.write_text("import prefect\nassert prefect.REAL\n" + GOOD)
    path = {"PYTHONPATH": str(folder / "site")}
    told = orchd("run", "-p", old, **path)
    assert told.returncode == 0, told.stderr
    assert "warning: a package named 'prefect' is installed here" in told.stderr

    old.write_text(GOOD.replace("prefect", "orchd"))
    assert "warning" not in orchd("run", "-p", old, **path).stderr


def test_the_command_rewrites_files(folder):
    """
    It says what it changed and what it could not; then the file runs by itself.
    """
    old, bad = folder / "flows" / "old.py", folder / "flows" / "bad.py"
    old.write_text(GOOD + "flow.run()\n")
    bad.write_text("import prefect\nprefect.plugins\nx = 'PREFECT__A'\n")
    done = orchd("check", "--fix", old, bad)

    assert done.returncode == 65
    assert done.stdout.splitlines() == [f"{old}: 1 change", "  line 1: prefect -> orchd", f"{bad}: no changes"]
    assert [line.partition(", line ")[2].split(":")[0] for line in done.stderr.splitlines()] == ["3", "2"]
    assert orchd("run", "-p", old).returncode == 0
    ran = subprocess.run(
        [PROGRAM.with_name("python"), old], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert "Flow run SUCCESS" in ran.stdout, ran.stderr


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("def f(:\n", "line 1: syntax error"),
        ("import prefect\0", r"f\.py: syntax error: .*null bytes"),
        ("# coding: latin-2x\n", "unknown enc"),
    ],
)
def test_what_is_no_python_is_left_alone(tmp_path, words, part):
    """
    One sentence, and the bytes are the same.
    """
    file = tmp_path / "f.py"
    file.write_text(words)
    with pytest.raises(FlowError, match=part):
        fix_file(file)

    assert file.read_text() == words
    assert absences_in(file) == []


def test_a_file_that_is_not_there_is_told(tmp_path):
    """
    Neither rewriting nor listing makes one.
    """
    with pytest.raises(NotFound, match="takes the path of a Python file"):
        fix_file(tmp_path / "f.py")

    assert absences_in(tmp_path / "f.py") == []
    assert not has_old(tmp_path / "f.py")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-8"])
def test_permissions_and_encoding_are_kept(tmp_path, encoding):
    """
    Also behind a link, which stays one.
    """
    file, link = tmp_path / "f.py", tmp_path / "link.py"
    text = f"# coding: {encoding}\r\nimport prefect  # ü\r\nx = 'ü'; prefect.task\r\n"
    file.write_bytes(text.encode(encoding))
    file.chmod(0o751)
    link.symlink_to(file)
    fix_file(link)

    assert file.read_bytes() == text.replace("prefect", "orchd").encode(encoding)
    assert stat.S_IMODE(file.stat().st_mode) == 0o751
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["f.py", "link.py"]


def test_a_file_that_cannot_be_replaced_stays_as_it_is(tmp_path, monkeypatch):
    """
    No half of it, and no temporary file beside it.
    """
    file = tmp_path / "f.py"
    file.write_text(GOOD)

    def refuse(old, new):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(FlowError, match=r"cannot be rewritten: No space left on device"):
        fix_file(file)

    assert file.read_text() == GOOD
    assert os.listdir(tmp_path) == ["f.py"]
