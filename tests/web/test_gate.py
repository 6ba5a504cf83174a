"""
The gate when what it asks fails: nobody comes in, and who asks is told so.
"""

import asyncio
import json

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message
from structlog.testing import capture_logs

from orchd.errors import StoreError
from orchd.web.doorkeeper import Visitor
from orchd.web.gate import Gate
from orchd.web.pages.entrance import refused

TOKEN = (b"authorization", b"Bearer orchd_x")


def asked(error: Exception, path: str, *, method: str = "GET") -> tuple[int, dict[str, str], str]:
    """
    Ask a gate whose look at the store ends with *error*; returns status, headers and body.
    """

    async def known(session: str | None, token: str | None) -> Visitor | None:
        raise error

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    gate = Gate(PlainTextResponse("inside"), known=known, hosts=lambda: {"here"}, secure=False, page=refused)
    scope = {"type": "http", "method": method, "path": path, "server": ("127.0.0.1", 1), "query_string": b""}
    asyncio.run(gate(scope | {"headers": [(b"host", b"here"), TOKEN]}, receive, send))
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"].decode()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreError("postgres://secret is away"), 503, "store_error"),
        (ZeroDivisionError("secret"), 500, "internal_error"),
    ],
    ids=["store", "bug"],
)
@pytest.mark.parametrize("path", ["/api/v1/runs", "/metrics"])
def test_a_program_is_given_the_one_shape(error: Exception, status: int, code: str, path: str) -> None:
    """
    Status, word and sentence, with the policy for browsers, and nothing of what only the log may say.
    """
    got, headers, body = asked(error, path)

    assert got == status
    assert json.loads(body)["error"].keys() == {"code", "message", "field"}
    assert json.loads(body)["error"]["code"] == code
    assert "secret" not in body
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("error", [StoreError("secret"), ZeroDivisionError("secret")], ids=["store", "bug"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_person_is_shown_the_door(error: Exception, method: str) -> None:
    """
    As a page, as nobody is known.
    """
    _, headers, body = asked(error, "/runs", method=method)

    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert '<main class="door">' in body
    assert "secret" not in body


def test_a_bug_is_logged_whole() -> None:
    """
    With the error itself; a store that is away is told of by whoever writes it.
    """
    bug = ZeroDivisionError("secret")
    with capture_logs() as events:
        asked(bug, "/runs")
        asked(StoreError("away"), "/runs")

    (event,) = events
    assert (event["event"], event["path"], event["exc_info"]) == ("gate_failed", "/runs", bug)
