"""
From a path to a checked :class:`~orchd.config.settings.Config`: read, merge, validate, resolve.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from orchd.config import places
from orchd.config.complaints import place, say
from orchd.config.files import Merged, read
from orchd.config.problems import ConfigProblems, toml_value
from orchd.config.schedules import circle_problems, schedule_problems, spec_of, zone_problem
from orchd.config.settings import Config, DaemonSettings, FlowFiles, FlowSettings, Retention
from orchd.config.tables import Document, FlowTable, Table
from orchd.errors import ConfigError


def load(path: Path | None, *, env: Mapping[str, str]) -> Config:
    """
    Read the config at *path*, and return it whole and checked.

    Args:
        path: a file, or a folder whose ``*.toml`` files are merged; None for the defaults alone.

        env: where ``HOME``, ``TZ``, ``XDG_*``, ``STATE_DIRECTORY`` and ``RUNTIME_DIRECTORY`` are looked up.

    Raises:
        ConfigProblems: (a ConfigError) with one sentence for each mistake.
    """
    merged = read(path)
    try:
        document = Document.model_validate(merged.data)
    except ValidationError as error:
        # Sorted out by place: a value that fits no member of a union is reported once for each member.
        found = {_location(item["loc"]): say(item, merged) for item in reversed(error.errors())}
        raise ConfigProblems(tuple(reversed(found.values()))) from error

    written = document.daemon.timezone
    zone = written if written and places.is_zone(written) else places.timezone(env)
    problems = [*_daemon_problems(document, merged), *_path_problems(document, merged)]
    for name, table in document.schedules.items():
        problems += schedule_problems(name, table, merged, default_zone=zone)
    problems += circle_problems(document.schedules, merged)
    if problems:
        raise ConfigProblems(problems)

    return Config(
        daemon=_daemon(document, merged, zone, env),
        retention=Retention(**_given(document.retention)),
        flows=_flow_files(document, merged),
        flow=MappingProxyType({name: _flow_settings(table) for name, table in document.flow.items()}),
        schedules=tuple(spec_of(name, table, default_zone=zone) for name, table in document.schedules.items()),
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


def _location(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    return tuple(part for part in loc if part not in ("datetime", "date"))


def _given(table: Table) -> dict[str, Any]:
    return {key: value for key in type(table).model_fields if (value := getattr(table, key)) is not None}


def _daemon_problems(document: Document, merged: Merged) -> Iterator[str]:
    zone = document.daemon.timezone
    if zone and (problem := zone_problem(zone)):
        yield f"{place(('daemon', 'timezone'), merged)} = {toml_value(zone)}: {problem}"

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
    table = document.daemon
    state_dir = _resolve(table.state_dir, ("daemon", "state_dir"), merged) if table.state_dir else places.state_dir(env)
    default = places.socket(env, state_dir=state_dir)
    socket = _resolve(table.socket, ("daemon", "socket"), merged) if table.socket else default
    try:
        places.check_socket(socket)
    except ConfigError as error:
        where = f"{place(('daemon', 'socket'), merged)}: " if table.socket else ""
        raise ConfigProblems([f"{where}{error}"]) from error

    given = _given(table) | {"socket": socket, "state_dir": state_dir, "timezone": zone}
    return DaemonSettings(**({"store": "sqlite"} | given))


def _flow_files(document: Document, merged: Merged) -> FlowFiles:
    given = _given(document.flows)
    if texts := document.flows.paths:
        given["paths"] = tuple(_resolve(text, ("flows", "paths"), merged) for text in texts)
    if text := document.flows.env_file:
        given["env_file"] = _resolve(text, ("flows", "env_file"), merged)
    return FlowFiles(**given)


def _flow_settings(table: FlowTable) -> FlowSettings:
    return FlowSettings(**_given(table))
