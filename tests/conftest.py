"""
What holds for all tests.
"""

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """
    Escape what is not UTF-8 in a report: a parallel worker cannot send it, and the whole session would end.
    """
    return _escaped((yield))


def _escaped(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {key: _escaped(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_escaped(item) for item in value)
        case _:
            return value
