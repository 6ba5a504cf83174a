"""
Describing a flow file from a program that has no spawner.
"""

from pathlib import Path

import pytest

from orchd.processes.describe import describe_in_child

from .conftest import is_alive

GOOD = """
import os
from orchd import Flow, Parameter
with Flow(os.path.basename(os.getcwd())) as flow:
    Parameter("p")()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """
    Where the flow file of a test is.
    """
    folder = tmp_path / "flows"
    folder.mkdir()
    return folder / "flow_file.py"


def test_a_good_file_is_described(file: Path) -> None:
    """
    Its flows come back, and it was imported in its own folder.
    """
    file.write_text(GOOD)
    description = describe_in_child(file, time_limit_s=60.0)

    assert description.error is None
    assert [flow.name for flow in description.flows] == ["flows"]


def test_another_working_directory_may_be_asked_for(file: Path, tmp_path: Path) -> None:
    """
    *cwd* takes the place of the flow file's folder.
    """
    file.write_text(GOOD)

    assert [flow.name for flow in describe_in_child(file, time_limit_s=60.0, cwd=tmp_path).flows] == [tmp_path.name]


@pytest.mark.parametrize(
    ("text", "limit_s", "part"),
    [
        ("raise ValueError('broken')", 60.0, "broken"),
        ("import os; os._exit(4)", 60.0, "exit code 4"),
        ("import os, signal; os.kill(os.getpid(), 9)", 60.0, "SIGKILL"),
        ("import signal; signal.pause()", 1.0, "longer than 1 s"),
    ],
)
def test_a_bad_file_gives_one_sentence(file: Path, text: str, limit_s: float, part: str) -> None:
    """
    Whatever the file does, a description with an error comes back.
    """
    file.write_text(text)
    description = describe_in_child(file, time_limit_s=limit_s)

    assert description.error is not None
    assert part in description.error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("flow = Flow(3)", "The name of a flow should be text (received 3)"),
        ("flow = Flow(object)", "The name of a flow should be text (received <class 'object'>)"),
        ("flow = Flow('a/b')", "the name of a flow is no name: it has a control character, '@' or '/' in it ('a/b')"),
        ("flow = Flow('a\\x1b[2J\\u202eb')", r"'@' or '/' in it ('a\x1b[2J\u202eb')"),
        ("with Flow('a') as flow: Parameter(3)()", "The name of a task should be text (received 3)"),
        ("with Flow('a') as flow: Parameter('p', default='\\ud800')()", "what is in it cannot be said in JSON"),
        ("one, two = Flow('a'), Flow('a')", "line 2: a flow named 'a' is already at line 2"),
        ("x = = 1", "line 2: syntax error"),
    ],
)
def test_what_is_said_of_a_file_is_one_sentence_without_its_path(file: Path, text: str, error: str) -> None:
    """
    Names that are none, values that JSON cannot say, and mistakes on a line; whoever shows it names the file.
    """
    file.write_text(f"from orchd import Flow, Parameter\n{text}\n")
    description = describe_in_child(file, time_limit_s=60.0)

    assert error in (description.error or "")
    assert str(file) not in (description.error or "")
    assert description.flows == ()


def test_an_env_file_that_is_missing_is_said(file: Path) -> None:
    """
    The environment of runs is that of descriptions, and so are its errors.
    """
    file.write_text(GOOD)
    description = describe_in_child(file, time_limit_s=60.0, env_file=file.with_name("none.env"))

    assert description.error is not None
    assert "none.env" in description.error


def test_a_daemon_that_the_file_starts_is_not_left(file: Path) -> None:
    """
    Processes that escape from the child are killed by the id in their environment.
    """
    pid_file = file.with_name("pid")
    file.write_text(
        "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n"
        "        os.execvp('sleep', ['sleep', '1000'])\n    os._exit(0)\n"
        f"os.wait()\nwhile not os.path.exists({str(pid_file)!r}): pass\n"
    )
    describe_in_child(file, time_limit_s=60.0)

    assert not is_alive(int(pid_file.read_text()))
