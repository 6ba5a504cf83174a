"""
Secrets: where their values come from, and that what has been handed out is not told on.

A value comes from the variable ``ORCHD__CONTEXT__SECRETS__NAME``, else from the secrets file: TOML, ``NAME = value``,
readable by its owner alone. The file is ``$ORCHD_SECRETS_FILE``, else ``~/.orchd/secrets.toml``.
"""

import json
import os
import re
import stat
import threading
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from orchd.errors import ConfigError

_PREFIX: Final = "ORCHD__CONTEXT__SECRETS__"
#: Says where the secrets file is.
FILE_VARIABLE: Final = "ORCHD_SECRETS_FILE"
#: What stands where a secret would have stood.
HIDDEN: Final = "********"
#: A shorter text says nothing, and hiding it would blacken everything.
_SHORTEST: Final = 4


def find_secret(name: str, missing: Any) -> Any:
    """
    Return the secret *name*, which counts as handed out from now on, or *missing*.

    Text of the environment that is JSON becomes what it says.

    Raises:
        ConfigError: there is a secrets file, and it cannot be read or others may read it.
    """
    text = os.environ.get(f"{_PREFIX}{name}", os.environ.get(f"{_PREFIX}{name.upper()}"))
    if text is not None:
        _HANDED_OUT.add(text)
        return handed_out(from_json(text))

    path = secrets_file(os.environ)
    held = read_secrets_file(path) if path is not None else {}
    return handed_out(held[name]) if name in held else missing


def from_json(value: Any) -> Any:
    """
    Return what *value* says as JSON text, or *value* itself when it is none.
    """
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def secrets_file(env: Mapping[str, str]) -> Path | None:
    """
    Return the secrets file that the environment *env* names, or the one in the home folder if it is there.
    """
    named = env.get(FILE_VARIABLE)
    path = Path(named or "~/.orchd/secrets.toml").expanduser()
    return path if named or path.exists() else None


def read_secrets_file(path: Path) -> Mapping[str, Any]:
    """
    Return the secrets in the file at *path* by name.

    Raises:
        ConfigError: it is not there, others may read or change it, or it is no TOML. The message holds no value.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read()
    except OSError as error:
        raise ConfigError(f"the secrets file {path} cannot be read: {error.strerror}") from None

    if mode & 0o077:
        raise ConfigError(
            f"the secrets file {path} has mode {mode:04o}, so others on this machine may read or change it: "
            f"chmod 600 {path}"
        )

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ConfigError(f"the secrets file {path} is not UTF-8 text: save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        # The parser's own words may quote the line.
        where = re.search(r"line \d+", str(error))
        raise ConfigError(
            f'the secrets file {path} is no TOML{f" ({where[0]})" if where else ""}: write NAME = "value" lines'
        ) from None


class _HandedOut:
    """
    Values that user code holds, and the pattern that finds them in text. One for the process: a secret that one
    thread was given is printed by another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, text: str) -> None:
        """
        Hide *text* from now on: as it is, as ``repr`` and JSON write it, and each line of it.
        """
        wanted = {form for form in (text, *map(str.strip, text.splitlines())) if len(form) >= _SHORTEST}
        with self._lock:
            if not wanted <= self._texts:
                self._texts |= wanted
                longest_first = sorted(self._texts, key=len, reverse=True)
                self._pattern = re.compile("|".join("".join(map(_written, text)) for text in longest_first))

    def hide(self, text: str) -> str:
        """
        Return *text* without any of the values.
        """
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)


def _written(char: str) -> str:
    """
    Return the pattern of every way in which *char* is written: in ``repr`` of ``repr`` it has three backslashes.
    """
    if char in "'\"\\":
        return r"\\*" + re.escape(char)

    if char.isascii() and char.isprintable():
        return re.escape(char)

    escapes = {text[1:-1].replace("\\", r"\\+") for text in (repr(char), json.dumps(char))}
    return f"(?:{'|'.join((re.escape(char), *sorted(escapes)))})"


_HANDED_OUT: Final = _HandedOut()


def handed_out(value: Any) -> Any:
    """
    Return *value*, and hide each text and number in it from now on wherever :func:`hidden` is asked.
    """
    for text in _texts(value):
        _HANDED_OUT.add(text)

    return value


def hidden(text: str) -> str:
    """
    Return *text* with every secret that this process has handed out replaced.
    """
    return _HANDED_OUT.hide(text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif value is not None and not isinstance(value, bool):
        yield str(value)
