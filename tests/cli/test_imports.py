"""
`orchd status --json` begins at once, because it imports almost nothing.
"""

import subprocess
import sys

from support.program import ENVIRONMENT
from support.unix_server import UnixServer

#: All modules of ours that the command may need. Each more is time that every script with it pays.
OURS = {
    "orchd",
    "orchd.cli",
    "orchd.cli.arguments",
    "orchd.cli.commands",
    "orchd.cli.commands.status",
    "orchd.cli.connection",
    "orchd.cli.main",
    "orchd.cli.output",
    "orchd.cli.table",
    "orchd.client",
    "orchd.client.places",
    "orchd.errors",
}
#: Of the standard library: these three, what they bring, and what argparse brings when it is used.
BARE = "import argparse, importlib, json, socket; argparse.ArgumentParser()._get_formatter()"
MODULES = "; import sys; print(*sys.modules, file=sys.stderr)"


def _modules(code: str, **env: str) -> set[str]:
    words = [sys.executable, "-c", code + MODULES]
    done = subprocess.run(words, env=ENVIRONMENT | env, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.split())


def test_status_as_json_imports_almost_nothing(server: UnixServer) -> None:
    """
    Beside argparse, json and socket only our own small modules are imported: the list is held here.
    """
    code = "from orchd.cli.main import main; main(['status', '--json'])"
    found = _modules(code, ORCHD_SOCKET=str(server.path)) - _modules(BARE)

    assert {name for name in found if name.startswith("orchd")} == OURS
    assert found - OURS <= {"__future__", "gc"}
