"""
The file of ``NAME=value`` lines that runs get as their environment.
"""

import re
from pathlib import Path
from typing import Final

from orchd.errors import ConfigError

_LINE: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)


def read_env_file(path: Path) -> dict[str, str]:
    """
    Read an environment file: ``NAME=value`` lines, ``#`` comments, values plain or in one pair of quotes.

    Raises:
        ConfigError: names the line, never its value.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"the env_file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the env_file {path} is not UTF-8 text: save it as UTF-8") from None
    values = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None or "\0" in stripped:
            raise ConfigError(f"{path}, line {number} is no NAME=value line: write one, or a # before it")
        values[match[1]] = _unquoted(match[2])
    return values


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
