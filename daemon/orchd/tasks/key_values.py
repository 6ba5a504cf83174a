"""
A store of keys and values that outlasts runs: a file for each key beside the results.

It is read and written whole, by any number of runs at once; of two that set a key at the same time one wins.
"""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from orchd.results.local import LocalResult
from orchd.results.whole import write_whole

_FOLDER: Final = ".keys"
_BEGIN: Final = "key-"
_ENDING: Final = ".json"


def set_key_value(key: str, value: Any) -> str:
    """
    Keep *value* under *key*, and return the key.

    Raises:
        TypeError: JSON cannot say *value*.

        OSError: it cannot be written.
    """
    write_whole(_file(key), json.dumps(value).encode())
    return key


def get_key_value(key: str) -> Any:
    """
    Return the value under *key*.

    Raises:
        ValueError: there is none.
    """
    try:
        return json.loads(_file(key).read_bytes())
    except FileNotFoundError:
        raise ValueError(f"No value found for key: {key}") from None


def delete_key(key: str) -> bool:
    """
    Forget *key*, and return True.

    Raises:
        ValueError: there is none.
    """
    try:
        _file(key).unlink()
    except FileNotFoundError:
        raise ValueError(f"No key {key} found to delete") from None

    return True


def list_keys() -> list[str]:
    """
    Return all keys, sorted.
    """
    files = _folder().glob(f"{_BEGIN}*{_ENDING}")
    return sorted(unquote(file.name.removeprefix(_BEGIN).removesuffix(_ENDING)) for file in files)


def _folder() -> Path:
    return Path(LocalResult().dir) / _FOLDER


def _file(key: str) -> Path:
    return _folder() / f"{_BEGIN}{quote(key, safe='')}{_ENDING}"
