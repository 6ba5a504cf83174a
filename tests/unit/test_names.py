"""
Names of flows and schedules.
"""

import pytest

from orchd.model.names import ESCAPES, name_problem


@pytest.mark.parametrize("name", ["a", "data-engineer", "ETL nightly (2)", "Übung", "x" * 200])
def test_a_name_may_be_almost_any_text(name: str) -> None:
    """
    Letters of every language, spaces and signs.
    """
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (3, "must be text, not int"),
        ("", "is empty"),
        ("x" * 201, "too long"),
        ("a@b", "is no name"),
        ("a/b", "is no name"),
        ("a\tb", "is no name"),
        ("a\x1b[31mb", "is no name"),
        ("a\x9bb", "is no name"),
        ("a\u202eb", "is no name"),
        ("a\u2066b", "is no name"),
    ],
)
def test_what_cannot_be_a_name_is_told(name: object, problem: str) -> None:
    """
    Other types, nothing, too much, and characters that mean something to us or to a terminal.
    """
    assert problem in (name_problem(name) or "")


def test_control_characters_have_visible_escapes() -> None:
    """
    What a terminal would obey is shown instead; a tab stays.
    """
    assert "a\x1b[2Jb\u202ec\td".translate(ESCAPES) == "a\\x1b[2Jb\\u202ec\td"
