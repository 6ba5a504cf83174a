"""
Secrets under the daemon: a run has them, and nothing that is kept of it tells them.
"""

from pathlib import Path

from support.daemon import Daemon

FLOW = """
import sys

import orchd
from orchd import Flow, LocalResult, Secret, task
from orchd.tasks.secrets import SecretTask


@task(log_stdout=True)
def logs(value):
    orchd.context.logger.info("it is %s", value)
    print("printed", value)
    return len(value)


@task
def prints(value):
    print("plainly", value, flush=True)
    print("aside", value, file=sys.stderr)


@task
def fails(value):
    raise ValueError(f"wrong password {value!r} for {Secret('DATABASE').get()['host']}")


with Flow("secretive", result=LocalResult()) as flow:
    password = SecretTask("PASSWORD")
    logs(password)
    prints(password)
    fails(password)
"""
PASSWORD = "correct-horse-'battery\nstaple"
FILE = """
PASSWORD = "correct-horse-'battery\\nstaple"

[DATABASE]
host = "db.internal.example"
"""


def secrets_file(daemon: Daemon, *, mode: int) -> Path:
    """
    Write the secrets of whoever runs *daemon*.
    """
    path = daemon.home / ".orchd" / "secrets.toml"
    path.parent.mkdir()
    path.write_text(FILE)
    path.chmod(mode)
    return path


def test_a_secret_is_in_nothing_that_is_kept(daemon: Daemon) -> None:
    """
    Tasks log it, print it, and fail with it in their message: no file of the daemon has it, and nothing that it says.
    """
    path = secrets_file(daemon, mode=0o600)
    daemon.flow("secretive.py", FLOW)
    daemon.start()
    told = daemon.finished(daemon.begin("secretive"), within_s=60)
    states = {each["slug"]: each["state"] for each in told["tasks"]}
    printed = daemon.cli("logs", "secretive")
    daemon.stop()
    kept = [file for file in daemon.home.rglob("*") if file.is_file() and file != path]
    files = {str(file): file.read_bytes() for file in kept}

    assert states == {"PASSWORD-1": "success", "logs-1": "success", "prints-1": "success", "fails-1": "failed"}
    assert all(word in printed for word in ("it is ********", "printed ********", "plainly ********", "aside ****"))
    assert "wrong password" in printed
    assert any(b"orchd.sqlite3" in name.encode() for name in files)
    for word in (b"correct-horse", b"staple", b"db.internal"):
        assert [name for name, data in files.items() if word in data] == []


def test_a_secrets_file_that_others_may_read_is_refused(daemon: Daemon) -> None:
    """
    The task fails with a sentence that says what to type.
    """
    path = secrets_file(daemon, mode=0o640)
    daemon.flow("secretive.py", FLOW)
    daemon.start()
    told = daemon.finished(daemon.begin("secretive"), within_s=60)
    [task] = [each for each in told["tasks"] if each["slug"] == "PASSWORD-1"]

    assert told["state"] == "failed"
    assert f"the secrets file {path} has mode 0640" in daemon.cli("logs", "secretive")
    assert f"chmod 600 {path}" in task["message"]
