"""
The API against its own document: schemathesis makes requests, good ones and bad ones, over TCP with a token.
"""

import os
import subprocess
import sys
from pathlib import Path

from page.visiting import Visitor
from support.daemon import Daemon

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def test_no_request_makes_the_daemon_fail(daemon: Daemon, nobody: Visitor) -> None:
    """
    Whatever fits the document, and what does not, is answered without a status of 500 or more.
    """
    token = daemon.cli("token", "create", "fuzz").split()[-1]
    words = [
        str(SCHEMATHESIS),
        "run",
        f"{nobody.address}/api/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {token}",
    ]
    bounds = [
        "--checks",
        "not_a_server_error",
        "--phases",
        "examples,fuzzing",
        "--max-examples",
        "5",
    ]
    left_out = ["--exclude-path", "/api/v1/stop", "--exclude-path", "/api/v1/reload"]
    run = daemon.finished(daemon.begin("greet"))["id"]
    hooks = {"SCHEMATHESIS_HOOKS": "page.fuzzing", "PYTHONPATH": str(Path(__file__).parents[1]), "FUZZED_RUN": run}
    done = subprocess.run(
        [*words, *bounds, *left_out, "--seed", "1", "--no-color"],
        env=os.environ | hooks,
        cwd=daemon.home,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert daemon.status()["daemon"]["pid"]
