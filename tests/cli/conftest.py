"""
A server with canned answers, and the real `orchd` program.
"""

import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.canned import a_detail, a_fire, a_flow, a_run, a_schedule, a_slot, a_status
from support.program import ENVIRONMENT, PROGRAM, Orchd
from support.unix_server import UnixServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[UnixServer]:
    """
    A daemon with one flow, one schedule and one run.
    """
    server = UnixServer(tmp_path / "s")
    run = a_run()
    server.answers = {
        "GET /status": a_status(),
        "GET /flows": {"flows": [a_flow()]},
        "GET /schedules": {"schedules": [a_schedule()]},
        "GET /runs": {"runs": [run]},
        f"GET /runs/{run['id']}": a_detail(run),
        f"GET /runs/{run['name']}": a_detail(run),
        "GET /next": {"next": [a_fire(note="02:30 does not exist")]},
        "GET /why": {"of": "n", "kind": "slot", "sentences": ["It was late."], "slot": a_slot(), "run": None},
        "POST /runs": {"run": a_run(2, state="pending", shown="Pending", ended_at=None, duration_s=None)},
        "POST /runs/x/cancel": {"run": a_run(state="cancelled", shown="Cancelled")},
        "POST /schedules/every-minute/pause": {
            "schedule": a_schedule(paused={"who": "ann", "at": "2026-11-23T17:00:00Z", "note": "disk"})
        },
        "POST /schedules/every-minute/unpause": {"schedule": a_schedule()},
        "POST /projects": {"project": {"name": "Iris Project", "created_at": "", "flows": []}, "is_new": True},
        "POST /reload": {"ok": True, "error": None, "changes": ["schedule 'n' is new"], "broken": []},
    }
    server.start()
    yield server
    server.stop()


@pytest.fixture
def orchd(server: UnixServer) -> Orchd:
    """
    Runs the program against the server, its output in a pipe.
    """

    def run(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        environment = ENVIRONMENT | {"ORCHD_SOCKET": str(server.path)} | env
        return subprocess.run(
            [str(PROGRAM), *words], env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    return run


@pytest.fixture
def on_terminal(server: UnixServer) -> Callable[..., str]:
    """
    Runs the program on a terminal of its own of the given width, and returns what it drew.
    """

    def run(width: int, *words: str, **env: str) -> str:
        ours, theirs = pty.openpty()
        environment = ENVIRONMENT | {"ORCHD_SOCKET": str(server.path), "COLUMNS": str(width)} | env
        program = subprocess.Popen([str(PROGRAM), *words], env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        drawn = b""
        try:
            while chunk := os.read(ours, 65536):
                drawn += chunk
        except OSError:
            pass  # Linux says EIO when the last writer of a terminal is gone.
        os.close(ours)
        program.wait(10)
        return drawn.decode()

    return run
