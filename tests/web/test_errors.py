"""
What is left in memory of a request that was refused.
"""

import gc
from collections.abc import Iterator

import pytest

from web.serving import Serving


@pytest.fixture
def no_collection() -> Iterator[None]:
    """
    Garbage stays where it is.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("runs", b"[" * 1_000_000, 400),
        ("runs", b'{"flow": ' + b"9" * 100_000 + b"}", 400),
        ("runs", b'{"flow": "load", "parameters": {"day": "' + b"x" * 70_000 + b'"}}', 400),
        ("runs", b"x" * 2_000_000, 413),
        ("runs/nowhere/cancel", b"{}", 404),
        ("nowhere", b"{}", 404),
    ],
    ids=["not read", "not valid", "not usable", "too long", "no run", "no path"],
)
def test_nothing_is_left_of_a_refused_request(api: Serving, path: str, body: bytes, status: int) -> None:
    """
    The error is gone with the answer, and so are the frames and the body that it holds.
    """
    before = {id(each) for each in _errors()}
    got, _ = api.ask("POST", f"/api/v1/{path}", raw=body)

    assert got == status
    assert [each for each in _errors() if id(each) not in before] == []


def _errors() -> list[Exception]:
    return [each for each in gc.get_objects() if isinstance(each, Exception) and each.__traceback__ is not None]
