"""
The person's own file of settings for flows: ``$ORCHD__USER_CONFIG_PATH``, else ``~/.orchd/config.toml``.
"""

import functools
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from orchd.errors import ConfigError

_VARIABLE: Final = "ORCHD__USER_CONFIG_PATH"


def user_settings() -> Mapping[str, Any]:
    """
    Return the settings of the file by their full names, as ``flows.checkpointing``; none where there is no file.

    Each process reads it once, so that no run sees half of a change.

    Raises:
        ConfigError: the file that the environment names is not there, it is no TOML, or it has secrets.
    """
    return _read(os.environ.get(_VARIABLE), os.environ.get("HOME"), os.getpid())


@functools.cache
def _read(named: str | None, home: str | None, pid: int) -> Mapping[str, Any]:
    path = Path(named or "~/.orchd/config.toml").expanduser()
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if not named:
            return MappingProxyType({})

        raise ConfigError(f"there is no {path}, which {_VARIABLE} names; correct it, or make the file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the settings in {path} cannot be read: {error}") from None

    if tables.get("context", {}).get("secrets"):
        raise ConfigError(
            f"{path} has secrets, which others may read; move what is in [context.secrets] into ~/.orchd/secrets.toml, "
            "and chmod 600 it"
        )

    return MappingProxyType(dict(_flat(tables, "")))


def _flat(table: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
