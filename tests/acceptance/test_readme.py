"""
The README's own commands, as a newcomer runs them: in a fresh clone, with nothing prepared.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Json
from support.needs import cannot_run
from support.waiting import eventually

PROJECT = Path(__file__).parents[2]
FENCED = re.findall(r"```sh\n(.+?)```", (PROJECT / "README.md").read_text(), re.DOTALL)
SERVE, ASK, CHECK = (block.strip() for block in FENCED[:3])
#: Set for a daemon by systemd or a login: a newcomer's daemon must do without.
NOT_A_NEWCOMERS = (
    "ORCHD_",
    "XDG_",
    "STATE_DIRECTORY",
    "RUNTIME_DIRECTORY",
    "NOTIFY_SOCKET",
    "VIRTUAL_ENV",
    "PIP_CONFIG",
)


class Newcomer:
    """
    Somebody with a clone, a home of his own and the README.
    """

    def __init__(self, folder: Path) -> None:
        """
        Clone the project as it was committed last.
        """
        self.clone = folder / "orchd"
        home = folder / "h"
        home.mkdir()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(NOT_A_NEWCOMERS)}
        self.env["HOME"] = str(home)
        self._let_pip_know_what_it_knows()
        if shutil.which("git") is None or not (PROJECT / ".git").exists():
            cannot_run("a clone needs git and a repository")
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(self.clone)], check=True)
        self.log = folder / "log"

    def _let_pip_know_what_it_knows(self) -> None:
        pip = [sys.executable, "-m", "pip"]
        cache = subprocess.run([*pip, "cache", "dir"], check=False, capture_output=True, text=True)
        settings = Path("~/.config/pip/pip.conf").expanduser()
        if cache.returncode == 0:
            self.env["PIP_CACHE_DIR"] = cache.stdout.strip()
        if settings.exists():
            self.env["PIP_CONFIG_FILE"] = str(settings)

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        """
        Type *command*, and let it go on.
        """
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", command],
                cwd=self.clone,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ask(self, command: str) -> subprocess.CompletedProcess[str]:
        """
        Type *command* in another terminal.
        """
        return subprocess.run(
            ["sh", "-c", command], cwd=self.clone, env=self.env, check=False, capture_output=True, text=True, timeout=60
        )

    def runs(self, flow: str) -> list[Json]:
        """
        Give the successful runs of *flow*; none while no daemon answers.
        """
        if not (self.clone / ".venv" / "bin" / "orchd").exists():
            return []
        told = self.ask(f".venv/bin/orchd runs --flow {flow} --state success --json --config config")
        return list(json.loads(told.stdout)["runs"]) if told.returncode == 0 else []


@pytest.fixture
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """
    A newcomer, whose clone is thrown away.
    """
    folder = tmp_path_factory.mktemp("readme")
    yield Newcomer(folder)
    shutil.rmtree(folder)


@pytest.mark.timeout(420)
def test_the_first_command_runs_the_examples_again_and_again(newcomer: Newcomer) -> None:
    """
    One command installs and serves; both flows run twice without anybody starting them; Ctrl-C ends everything.
    """
    serving = newcomer.start(SERVE)
    try:
        for flow, trigger in (("data-engineer", "schedule"), ("data-science", "after")):
            found = eventually(
                lambda flow=flow: serving.poll() is not None or (len(runs := newcomer.runs(flow)) >= 2 and runs),
                within_s=380,
                every_s=2,
                what=f"two runs of {flow}",
            )
            assert serving.poll() is None, newcomer.log.read_text()[-3000:]
            assert {trigger} == {run["trigger"] for run in found}
        for line in ASK.splitlines():
            told = newcomer.ask(line.replace("logs -f", "logs"))
            assert told.returncode == 0, (line, told.stderr)
            assert told.stdout
        os.killpg(serving.pid, signal.SIGINT)
        serving.wait(60)
    finally:
        if serving.poll() is None:
            os.killpg(serving.pid, signal.SIGKILL)
            serving.wait()


def test_the_second_command_is_what_ci_calls() -> None:
    """
    `tests/check` is the whole of it, and `.ci/run` ends in nothing else.
    """
    assert "tests/check" == CHECK
    assert os.access(PROJECT / CHECK, os.X_OK)
    assert 'exec tests/check "$@"' == (PROJECT / ".ci" / "run").read_text().splitlines()[-1]
