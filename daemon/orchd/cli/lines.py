"""
A run's log: ``HH:MM:SS | INFO    | text`` on a terminal; in a pipe with date and offset before it.
"""

from __future__ import annotations

import os
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TextIO

from orchd.cli.safe import safe

#: The numbers of Python's ``logging`` module.
LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
_NAMES: Final = {number: name for name, number in LEVELS.items()}

_DIM, _RED, _YELLOW, _CYAN, _BOLD, _RESET = (f"\x1b[{code}m" for code in ("2", "31", "33", "36", "1", "0"))
_COLOURS: Final = {"WARNING": _YELLOW, "ERROR": _RED, "CRITICAL": _RED, "stderr": _YELLOW, "INFO": _CYAN}


class LinePrinter:
    """
    Prints log lines. Colours are written by hand: a run may have a million lines.
    """

    def __init__(self, out: TextIO, *, raw: bool) -> None:
        """
        Print on *out*; with *raw* the bare text, nothing before it and nothing escaped.
        """
        self._out = out
        self._raw = raw
        self._local = _local_time if out.isatty() else _local_instant
        self._colours = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def header(self, run: dict[str, Any]) -> None:
        """
        Say which run the coming lines are of.
        """
        if not self._raw:
            at = f" {self._local(_second(run['started_at']))}" if run["started_at"] else ""
            self._out.write(self._paint(f"── {safe(run['flow'])} · {safe(run['name'])}{at}", _BOLD) + "\n")

    def footer(self, run: dict[str, Any]) -> None:
        """
        Say how the run ended.
        """
        if not self._raw:
            message = f": {safe(run['message'])}" if run["message"] else ""
            colour = "" if run["state"] == "success" else _RED
            self._out.write(self._paint(f"── {safe(run['name'])} is {run['shown']}{message}", colour or _DIM) + "\n")

    def lines(self, lines: list[dict[str, Any]]) -> None:
        """
        Print *lines*, and have them seen at once.
        """
        self._out.write("".join(map(self._line, lines)))
        self._out.flush()

    def _line(self, line: dict[str, Any]) -> str:
        if self._raw:
            return f"{line['text']}\n"

        first, *more = line["text"].split("\n")
        text = safe(first)
        # What the engine itself says of a task names it already.
        if line["task"] and not text.startswith("Task '"):
            index = f"[{line['map_index']}]" if line["map_index"] >= 0 else ""
            text = self._paint(f"{safe(line['task'])}{index}:", _DIM) + f" {text}"
        word = level_name(line["level"]) if line["stream"] == "logger" else line["stream"]
        bar = self._paint("|", _DIM)
        painted = self._paint(f"{word:<7}", _COLOURS.get(word, ""))
        at = self._local(_second(line["at"]))
        below = "".join(f"{'':{len(at)}} {bar} {'':7} {bar} {safe(rest)}\n" for rest in more)
        return f"{self._paint(at, _DIM)} {bar} {painted} {bar} {text}\n{below}"

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colours and colour else text


def level_name(level: int | str) -> str:
    """
    Return the name of a level that the API gave by its number or name.
    """
    return _NAMES.get(level, str(level)) if isinstance(level, int) else level.upper()


@lru_cache(maxsize=64)
def _local_time(second: str) -> str:
    return datetime.fromisoformat(second).astimezone().strftime("%H:%M:%S")


@lru_cache(maxsize=64)
def _local_instant(second: str) -> str:
    return datetime.fromisoformat(second).astimezone().isoformat(sep=" ")


def _second(text: str) -> str:
    # To the second: a million lines share few of them.
    return f"{text[:19]}+00:00"
