"""
Settings that flows take from the environment: ``ORCHD__FLOWS__CHECKPOINTING`` is ``flows.checkpointing``.
"""

import ast
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from orchd.engine.context import context

#: Name of a setting -> its value where nothing else is said.
DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "cloud.use_local_secrets": True,
        "engine.executor.default_class": "orchd.engine.executors.local.LocalExecutor",
        "flows.checkpointing": False,
        "flows.eager_edge_validation": False,
        "flows.run_on_schedule": True,
        "home_dir": "~/.orchd",
        "logging.level": "INFO",
    }
)
#: Key of the context under which a block's own settings lie.
_OWN: Final = "_settings"


def setting(name: str) -> Any:
    """
    Return the setting *name*: of the block around, of the environment, or its default.

    Raises:
        KeyError: there is no such setting.
    """
    own = context.get(_OWN) or {}
    if name in own:
        return own[name]

    text = os.environ.get("ORCHD__" + name.upper().replace(".", "__"))
    return DEFAULTS[name] if text is None else _parsed(text.strip())


@contextmanager
def set_temporary_config(values: Mapping[str, Any]) -> Iterator[None]:
    """
    Hold other settings until the block ends, in this thread only.
    """
    with context({_OWN: {**(context.get(_OWN) or {}), **values}}):
        yield


class Config:
    """
    The settings as attributes: ``config.flows.checkpointing``.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str = "") -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        full = self._path + name
        if full in (context.get(_OWN) or {}) or full in DEFAULTS:
            value = setting(full)
            return os.path.expanduser(value) if full == "home_dir" else value

        if any(known.startswith(f"{full}.") for known in DEFAULTS):
            return Config(f"{full}.")

        raise AttributeError(f"'Config' object has no attribute '{name}'")


config: Final = Config()


def checkpointing_wanted() -> bool:
    """
    True when results are to be written. The daemon's runs always write them.
    """
    return bool(setting("flows.checkpointing"))


def log_level() -> str:
    """
    Return the least level that is shown.
    """
    return str(setting("logging.level")).upper() or "INFO"


def _parsed(text: str) -> Any:
    if text.lower() in ("true", "yes", "false", "no"):
        return text.lower() in ("true", "yes")

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
