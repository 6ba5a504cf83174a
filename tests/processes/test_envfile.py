"""
The environment file of runs.
"""

from pathlib import Path

import pytest

from orchd.errors import ConfigError
from orchd.processes.envfile import read_env_file


def test_lines_comments_and_quotes_are_read(tmp_path: Path) -> None:
    """
    Values are plain or in one pair of quotes; blanks around them, comments and ``export`` do not count.
    """
    file = tmp_path / "flows.env"
    file.write_text("# c\n\nA=1\nexport B = two words \nC='x#y'\nD=\"q\"\nE=\nF=a=b\nA=2\nG='\n")

    assert read_env_file(file) == {"A": "2", "B": "two words", "C": "x#y", "D": "q", "E": "", "F": "a=b", "G": "'"}


@pytest.mark.parametrize("line", ["secret", "1A=secret", "=secret", "A B=secret", "A=secret\0"])
def test_a_line_that_cannot_be_meant_is_named_without_its_value(tmp_path: Path, line: str) -> None:
    """
    The error gives the line's number and never what may be a secret.
    """
    file = tmp_path / "flows.env"
    file.write_text(f"A=1\n{line}\n")

    with pytest.raises(ConfigError, match="line 2") as caught:
        read_env_file(file)

    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """
    A missing file and one that is not text are config errors.
    """
    with pytest.raises(ConfigError, match="cannot be read"):
        read_env_file(tmp_path / "none.env")

    (tmp_path / "bytes.env").write_bytes(b"A=\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_env_file(tmp_path / "bytes.env")
