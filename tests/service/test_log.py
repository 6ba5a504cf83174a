"""
The daemon's own log: for people on a terminal, for programs anywhere else.
"""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from orchd import log


class Terminal(io.StringIO):
    """
    A stream that is a terminal.
    """

    def isatty(self) -> bool:
        """
        Say so.
        """
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """
    Leave structlog as it was found.
    """
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_one_json_line_an_event() -> None:
    """
    With level, time in UTC, and the room that it comes from.
    """
    stream = io.StringIO()
    log.configure(stream)
    log.get("tick").info("run_claimed", run="calm-otter")
    log.get("tick").debug("not shown")
    (line,) = stream.getvalue().splitlines()

    assert {"event": "run_claimed", "level": "info", "room": "tick", "run": "calm-otter"}.items() <= (
        json.loads(line).items()
    )
    assert json.loads(line)["timestamp"].endswith("Z")


def test_a_terminal_gets_text_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without colours when nobody wants them.
    """
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    log.configure(stream)
    log.get("tick").info("run_claimed", run="calm-otter")

    assert "run_claimed" in stream.getvalue()
    assert "run=calm-otter" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
