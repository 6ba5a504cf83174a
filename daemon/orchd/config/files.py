"""
Reading TOML files, merging them, and finding the line of a key in their text.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from orchd.errors import ConfigError
from orchd.model.specs import Description

KeyPath = tuple[str | int, ...]

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY: Final = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_HEADER: Final = re.compile(rf"\s*\[\[?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?\s*(?:#.*)?")
_PARTS: Final = re.compile(_PART)
_LINE_OF_ERROR: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
#: Tables whose entries are things with a name; an entry stands whole in one file.
_NAMED: Final = ("schedules", "flow", "calendars")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """
    One file as read, with the lines on which its keys stand.
    """

    path: Path
    data: dict[str, Any]
    lines: dict[KeyPath, int]


@dataclass(slots=True)
class Merged:
    """
    All files as one table, and where each key of it came from.
    """

    data: dict[str, Any] = field(default_factory=dict)
    sources: dict[KeyPath, TomlFile] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    #: One sentence for each file that cannot be read, and for each key that two files say.
    problems: list[str] = field(default_factory=list)
    #: False when a file could not be read, so that nothing can be said to be missing.
    is_whole: bool = True

    def where(self, key: KeyPath) -> str:
        """
        Return ``path, line N`` of *key*, or of the nearest table around it; empty when no file says anything of it.
        """
        for length in range(len(key), 0, -1):
            if source := self.sources.get(key[:length]):
                line = next((source.lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in source.lines), None)
                return f"{source.path}, line {line}" if line else str(source.path)

        return str(self.files[0]) if self.files else ""

    def folder(self, key: KeyPath) -> Path:
        """
        Return the folder that relative paths under *key* are relative to: its file's.
        """
        source = next(found for n in range(len(key), 0, -1) if (found := self.sources.get(key[:n])))
        return source.path.absolute().parent


def read(path: Path | None) -> Merged:
    """
    Read *path* (a file, or a folder's ``*.toml`` files in the order of their names); None reads nothing.

    What is wrong with one file does not hide the others: it is among the problems of what is returned.

    Raises:
        ConfigError: there is nothing at *path*.
    """
    merged = Merged(files=() if path is None else tuple(_toml_files(path)))
    for name in merged.files:
        try:
            merged.problems += _merge(merged, _read_file(name))
        except ConfigError as error:
            merged.problems.append(str(error))
            merged.is_whole = False
    return merged


def flow_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """
    Return the flow files under *paths*, sorted, each once: a file as it is, of a folder its ``*.py`` at any depth.

    Files and folders whose name begins with ``.`` or ``_`` are passed over. Of those in folders
    :func:`without_helpers` leaves out more, once it is known what is in them.
    """
    found = {file for path in paths for file in ([path] if path.is_file() else _python_files(path))}
    return tuple(sorted(found))


def without_helpers(descriptions: Iterable[Description], paths: Sequence[Path]) -> tuple[Description, ...]:
    """
    Leave out what was found in folders under *paths* and makes no flow: modules that flow files import.
    """
    named = {str(path) for path in paths}
    return tuple(item for item in descriptions if item.file in named or not item.has_no_flow)


def _python_files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*.py"):
        if not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts):
            yield file


def _toml_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.glob("*.toml") if not file.name.startswith("."))

    if not path.exists():
        raise ConfigError(f"there is no config file or folder {path}; `orchd init DIR` writes a first one")

    return [path]


def _read_file(path: Path) -> TomlFile:
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return TomlFile(path, tomllib.loads(text), _lines_of_keys(text))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; check its owner and mode") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_not_toml(path, text, str(error))) from error


def _not_toml(path: Path, text: str, message: str) -> str:
    found = _LINE_OF_ERROR.search(message)
    line = f", line {found[1]}" if found and found[1] else ""
    what = _LINE_OF_ERROR.sub("", message)
    if "twice" in what or "overwrite" in what:
        return f"{path}{line}: {_twice(text, int(found[1]) if found and found[1] else 0)}; remove or rename one of them"

    if what.startswith(("Illegal character '\\n'", "Unterminated string", 'Expected "\'"')):
        return f"{path}{line}: not TOML: a closing quote is missing; text stands between two quotes on one line"

    hint = "; text stands in double quotes" if "Invalid value" in what else ""
    return f"{path}{line}: not TOML: {what[:1].lower()}{what[1:]}{hint}"


def _twice(text: str, number: int) -> str:
    second = next((path for line, path in _keys(text) if line == number), None)
    first = _lines_of_keys(text).get(second, number) if second else number
    if second is None or first == number:
        return "a key or table is written twice"

    words = ".".join(map(str, second))
    is_table = text.splitlines()[number - 1].lstrip().startswith("[")
    return f"{f'[{words}]' if is_table else words} is written twice, first in line {first}"


def _keys(text: str) -> Iterator[tuple[int, KeyPath]]:
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = _split(header[1])
            yield number, table
        elif key := _KEY.match(line):
            yield number, table + _split(key[1])


def _lines_of_keys(text: str) -> dict[KeyPath, int]:
    lines: dict[KeyPath, int] = {}
    for number, path in _keys(text):
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _split(dotted: str) -> KeyPath:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in _PARTS.findall(dotted))


def _merge(merged: Merged, file: TomlFile) -> Iterator[str]:
    for name, value in file.data.items():
        whole = merged.data.get(name)
        if whole is None:
            merged.data[name] = dict(value) if isinstance(value, dict) else value
            merged.sources[(name,)] = file
        elif not isinstance(whole, dict) or not isinstance(value, dict):
            yield _double(merged, file, (name,))
            continue
        if not isinstance(value, dict):
            continue

        for key, item in value.items():
            if (name, key) in merged.sources:
                yield _double(merged, file, (name, key))
            else:
                merged.data[name][key] = item
                merged.sources[(name, key)] = file


def _double(merged: Merged, file: TomlFile, key: KeyPath) -> str:
    line = file.lines.get(key)
    here = f"{file.path}, line {line}" if line else str(file.path)
    words = ".".join(map(str, key))
    what = f"[{words}]" if key[0] in _NAMED or len(key) == 1 else f"[{key[0]}] {key[-1]}"
    return f"{here}: {what} was already given in {merged.where(key)}; remove or rename one of them"
