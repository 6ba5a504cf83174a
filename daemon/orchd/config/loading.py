"""
From a path to a checked :class:`~orchd.config.settings.Config`: read, merge, validate, resolve.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from orchd.config import places
from orchd.config.circles import circle_problems
from orchd.config.complaints import location, place, say
from orchd.config.files import KeyPath, Merged, read
from orchd.config.instants import has_calendars
from orchd.config.limits import pool_problems, wait_problems
from orchd.config.problems import ConfigProblems, toml_value
from orchd.config.schedules import schedule_problems, spec_of, zone_problem
from orchd.config.settings import Config, DaemonSettings, FlowFiles, FlowSettings, Retention
from orchd.config.tables import NAMED, Document, FlowTable, Table
from orchd.errors import ConfigError

_PLACE: Final = re.compile(r"(.+?), line (\d+): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """
    A config without what is wrong in it, and what that is.
    """

    config: Config
    #: One sentence for each mistake, in the order of files and lines.
    problems: tuple[str, ...]
    #: False when files or paths could not be read, so that no flow can be said to be missing.
    is_whole: bool


def load(path: Path | None, *, env: Mapping[str, str]) -> Config:
    """
    Read the config at *path*, and return it whole and checked.

    Args:
        path: a file, or a folder whose ``*.toml`` files are merged; None for the defaults alone.

        env: where ``HOME``, ``TZ``, ``XDG_*``, ``STATE_DIRECTORY`` and ``RUNTIME_DIRECTORY`` are looked up.

    Raises:
        ConfigProblems: (a ConfigError) with one sentence for each mistake.
    """
    examined = examine(path, env=env)
    if examined.problems:
        raise ConfigProblems(examined.problems)

    return examined.config


def examine(path: Path | None, *, env: Mapping[str, str]) -> Examined:
    """
    Do what :func:`load` does, but go on after each mistake, so that all of them are found.

    Raises:
        ConfigError: there is nothing at *path*.
    """
    merged = read(path)
    document, wrong = _validated(merged)
    written = document.daemon.timezone
    zone = written if written and places.is_zone(written) else places.timezone(env)
    wrong_paths = list(_path_problems(document, merged))
    problems = [*merged.problems, *wrong.values(), *_daemon_problems(document, merged, env), *wrong_paths]
    schedules = {}
    for name, table in document.schedules.items():
        found = list(schedule_problems(name, table, merged, default_zone=zone, calendars=document.calendars))
        found += wait_problems(name, table, merged)
        problems += found
        if not found and has_calendars(table, document.calendars):
            schedules[name] = table
    problems += circle_problems(document.schedules, merged)
    problems += pool_problems(document, merged)
    config = Config(
        daemon=_daemon(document, merged, zone, env),
        retention=Retention(**_given(document.retention)),
        flows=_flow_files(document, merged),
        flow=MappingProxyType({name: _flow_settings(table) for name, table in document.flow.items()}),
        pools=MappingProxyType(document.pools),
        schedules=tuple(
            spec_of(name, table, default_zone=zone, calendars=document.calendars) for name, table in schedules.items()
        ),
        path=None if path is None else path.absolute(),
        files=merged.files,
        origins=MappingProxyType(
            {
                (kind, name): merged.where((kind, name))
                for kind in ("schedules", "flow")
                for name in getattr(document, kind)
            }
        ),
    )
    is_whole = merged.is_whole and not wrong_paths and all(key[0] != "flows" for key in wrong)
    return Examined(config=config, problems=_in_order(problems, merged.files), is_whole=is_whole)


def _validated(merged: Merged) -> tuple[Document, dict[KeyPath, str]]:
    try:
        return Document.model_validate(merged.data), {}
    except ValidationError as error:
        errors = error.errors()
    wrong_items = {location(item["loc"])[:-1] for item in errors}
    # Sorted out by place: a value that fits no member of a union is reported once for each member, and a list without
    # a good item also as one that is too short.
    found = {
        key: say(item, merged)
        for item in reversed(errors)
        if (key := location(item["loc"])) not in wrong_items or item["type"] != "too_short"
    }
    data = {name: dict(value) if isinstance(value, dict) else value for name, value in merged.data.items()}
    for key in found:
        _remove(data, key)
    return Document.model_validate(data), dict(reversed(found.items()))


def _remove(data: dict[str, Any], key: KeyPath) -> None:
    """
    Take the setting that *key* is in out of *data*: a key of a table, or the whole of what has a name.
    """
    first, *rest = key
    table = data.get(str(first))
    if not rest or not isinstance(table, dict) or (first not in NAMED and rest[0] not in table):
        data.pop(str(first), None)
    else:
        table.pop(rest[0], None)


def _in_order(problems: Sequence[str], files: Sequence[Path]) -> tuple[str, ...]:
    numbers = {str(file): number for number, file in enumerate(files)}

    def place_of(problem: str) -> tuple[int, int]:
        found = _PLACE.match(problem)
        return (numbers.get(found[1], len(numbers)), int(found[2])) if found else (len(numbers), 0)

    return tuple(sorted(problems, key=place_of))


def _given(table: Table) -> dict[str, Any]:
    return {key: value for key in type(table).model_fields if (value := getattr(table, key)) is not None}


def _daemon_problems(document: Document, merged: Merged, env: Mapping[str, str]) -> Iterator[str]:
    try:
        places.check_socket(_socket(document, merged, env))
    except ConfigError as error:
        where = f"{place(('daemon', 'socket'), merged)}: " if document.daemon.socket else ""
        yield f"{where}{error}"

    zone = document.daemon.timezone
    if zone and (problem := zone_problem(zone)):
        yield f"{place(('daemon', 'timezone'), merged)} = {toml_value(zone)}: {problem}"

    listen = document.daemon.listen
    if listen is not None and listen.is_public and not document.daemon.behind_proxy:
        at = place(("daemon", "listen"), merged)
        yield (
            f'{at} = "{listen}": others could reach the page without TLS; put a proxy that does TLS before it and say '
            'behind_proxy = true, or write listen = "127.0.0.1:8420"'
        )

    store = document.daemon.store
    if store and store != "sqlite" and not store.startswith(("sqlite:", "postgresql+psycopg://")):
        at = place(("daemon", "store"), merged)
        yield f'{at} = {toml_value(store)}: is no store; write "sqlite" or "postgresql+psycopg://user@host/database"'


def _path_problems(document: Document, merged: Merged) -> Iterator[str]:
    written: list[tuple[tuple[str | int, ...], str, Callable[[Path], bool], str]] = [
        (("flows", "paths", number), text, Path.exists, "there is no such file or folder; correct the path or make it")
        for number, text in enumerate(document.flows.paths or ())
    ]
    if document.flows.env_file:
        words = "there is no such file; correct the path, or write a file of NAME=value lines there"
        written.append((("flows", "env_file"), document.flows.env_file, Path.is_file, words))
    for key, text, is_there, words in written:
        path = _resolve(text, key, merged)
        if not is_there(path):
            yield f"{place(key[:2], merged)} = {toml_value(text)}: {words} ({path})"


def _resolve(text: str, key: tuple[str | int, ...], merged: Merged) -> Path:
    # normpath, not resolve: a link in the path stays, so that a release can be switched by it.
    path = Path(text).expanduser()
    joined = path if path.is_absolute() else merged.folder(key) / path
    parts: list[str] = []
    for part in joined.parts:
        if part == ".." and len(parts) > 1:
            parts.pop()
        else:
            parts.append(part)
    return Path(*parts)


def _daemon(document: Document, merged: Merged, zone: str, env: Mapping[str, str]) -> DaemonSettings:
    given = _given(document.daemon) | {
        "socket": _socket(document, merged, env),
        "state_dir": _state_dir(document, merged, env),
        "timezone": zone,
        "listen": document.daemon.listen,
    }
    return DaemonSettings(**({"store": "sqlite"} | given))


def _state_dir(document: Document, merged: Merged, env: Mapping[str, str]) -> Path:
    text = document.daemon.state_dir
    return _resolve(text, ("daemon", "state_dir"), merged) if text else places.state_dir(env)


def _socket(document: Document, merged: Merged, env: Mapping[str, str]) -> Path:
    if text := document.daemon.socket:
        return _resolve(text, ("daemon", "socket"), merged)

    return places.socket(env, state_dir=_state_dir(document, merged, env))


def _flow_files(document: Document, merged: Merged) -> FlowFiles:
    given = _given(document.flows)
    if texts := document.flows.paths:
        given["paths"] = tuple(_resolve(text, ("flows", "paths"), merged) for text in texts)
    if text := document.flows.env_file:
        given["env_file"] = _resolve(text, ("flows", "env_file"), merged)
    return FlowFiles(**given)


def _flow_settings(table: FlowTable) -> FlowSettings:
    return FlowSettings(**_given(table))
