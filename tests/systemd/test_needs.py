"""
A machine that lacks a tool: skipped where people work, failed where nothing may be skipped.
"""

import pytest

from support.needs import cannot_run


@pytest.fixture(autouse=True)
def _nobody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Neither of the two variables is set, wherever this test itself runs.
    """
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("ORCHD_NOTHING_SKIPPED", raising=False)


def test_a_missing_tool_is_skipped_with_its_reason() -> None:
    """
    The reason is what pytest prints beside the skipped test.
    """
    with pytest.raises(pytest.skip.Exception, match="needs a moon"):
        cannot_run("this needs a moon")


@pytest.mark.parametrize("variable", ["CI", "ORCHD_NOTHING_SKIPPED"])
def test_a_missing_tool_fails_in_ci(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """
    Either variable turns the skip into a failure.
    """
    monkeypatch.setenv(variable, "1")
    with pytest.raises(pytest.fail.Exception, match="needs a moon, and nothing may be skipped here"):
        cannot_run("this needs a moon")
