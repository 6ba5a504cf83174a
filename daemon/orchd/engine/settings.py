"""
Settings of flows: ``flows.checkpointing`` is what the variable ``ORCHD__FLOWS__CHECKPOINTING`` says, else the person's
own file, else the default.
"""

import ast
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from orchd.engine.context import context
from orchd.engine.user_config import user_settings

#: Name of a setting -> its value where nothing else is said.
DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "cloud.use_local_secrets": True,
        "engine.executor.default_class": "orchd.engine.executors.local.LocalExecutor",
        "flows.checkpointing": False,
        "flows.eager_edge_validation": False,
        "flows.run_on_schedule": True,
        "home_dir": "~/.orchd",
        "logging.datefmt": "%Y-%m-%d %H:%M:%S%z",
        "logging.extra_loggers": (),
        "logging.format": "[%(asctime)s] %(levelname)s - %(name)s | %(message)s",
        "logging.level": "INFO",
        "logging.log_attributes": (),
        "tasks.defaults.max_retries": 0,
        "tasks.defaults.retry_delay": None,
        "tasks.defaults.timeout": None,
    }
)
#: Key of the context under which a block's own settings lie.
_OWN: Final = "_settings"
_CONTEXT: Final = "ORCHD__CONTEXT__"


def setting(name: str) -> Any:
    """
    Return the setting *name*: of the block around, of the environment, of the person's file, or its default.

    Raises:
        KeyError: there is no such setting.

        ConfigError: the person's file cannot be read.
    """
    own = context.get(_OWN) or {}
    if name in own:
        return own[name]

    text = os.environ.get("ORCHD__" + name.upper().replace(".", "__"))
    if text is not None:
        return _parsed(text.strip())

    written = user_settings()
    return written[name] if name in written else DEFAULTS[name]


def context_keys() -> dict[str, Any]:
    """
    Return what the settings ``context.*`` put into ``orchd.context`` of every run; secrets are not among it.

    Raises:
        ConfigError: the person's file cannot be read.
    """
    keys = {
        name.removeprefix("context."): each for name, each in user_settings().items() if name.startswith("context.")
    }
    for name, text in os.environ.items():
        if name.startswith(_CONTEXT) and not name.startswith(f"{_CONTEXT}SECRETS__"):
            keys[name.removeprefix(_CONTEXT).lower()] = _parsed(text.strip())

    return keys


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
        known = {**DEFAULTS, **user_settings(), **(context.get(_OWN) or {})}
        if full in known:
            value = setting(full)
            return os.path.expanduser(value) if full == "home_dir" else value

        if any(each.startswith(f"{full}.") for each in known):
            return Config(f"{full}.")

        raise AttributeError(f"'Config' object has no attribute '{name}'")


config: Final = Config()


def checkpointing_wanted() -> bool:
    """
    True when results are to be written: the context around says so, else the setting. The daemon's runs always write
    them.
    """
    return context["checkpointing"] is True if "checkpointing" in context else bool(setting("flows.checkpointing"))


def default_retries() -> int:
    """
    Return how often a task that does not say it is tried again.

    Raises:
        ValueError: the setting ``tasks.defaults.max_retries`` is no number.
    """
    return _whole("tasks.defaults.max_retries") or 0


def default_retry_delay() -> timedelta | None:
    """
    Return how long a task that does not say it waits before it is tried again.

    Raises:
        ValueError: the setting ``tasks.defaults.retry_delay`` is no number of seconds.
    """
    value = setting("tasks.defaults.retry_delay")
    if isinstance(value, timedelta):
        return value

    seconds = _whole("tasks.defaults.retry_delay")
    return None if seconds is None else timedelta(seconds=seconds)


def default_timeout() -> int | None:
    """
    Return the time limit in seconds of a task that does not say it.

    Raises:
        ValueError: the setting ``tasks.defaults.timeout`` is no number of seconds.
    """
    return _whole("tasks.defaults.timeout")


def log_level() -> str:
    """
    Return the least level that is shown.
    """
    return str(setting("logging.level")).upper() or "INFO"


def setting_list(name: str) -> tuple[str, ...]:
    """
    Return the texts that the setting *name* lists; the list may be written as text, as the classic tool's files do.

    Raises:
        ValueError: it is no list of texts.
    """
    value = setting(name)
    listed = _parsed(value) if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
        raise ValueError(f"the setting {name} is {value!r}; write a list of names, as ['one', 'two']")

    return tuple(listed)


def _whole(name: str) -> int | None:
    value = setting(name)
    if value is None or value is False:
        return None

    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"the setting {name} is {value!r}; write a whole number, or false for none")

    return value


def _parsed(text: str) -> Any:
    if text.lower() in ("true", "yes", "false", "no"):
        return text.lower() in ("true", "yes")

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
