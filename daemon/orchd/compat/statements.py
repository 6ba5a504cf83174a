"""
Places in a source text, and import statements written anew with the comments that stood in them.
"""

import ast
import bisect
import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_FROM: Final = re.compile(rb"from[ \t]+([\w.]+)[ \t]+import\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """
    One name of a ``from`` statement as it is to be.
    """

    #: Which of the statement's names it was.
    index: int
    name: str
    local: str

    def text(self) -> str:
        """
        Return it as it stands in the statement.
        """
        return self.name if self.name == self.local else f"{self.name} as {self.local}"


class Places:
    """
    Offsets of nodes in a source, in bytes.
    """

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

        self.newline = "\r\n" if b"\r\n" in source else "\n"

    def span(self, node: ast.stmt | ast.expr | ast.alias) -> tuple[int, int]:
        """
        Return where *node* begins, and where what follows it begins.
        """
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[end_line - 1] + end_column

    def text(self, start: int, end: int) -> str:
        """
        Return what stands from *start* to *end*.
        """
        return self._source[start:end].decode()

    def line(self, offset: int) -> int:
        """
        Return the number of the line that *offset* is in, counted from 1.
        """
        return bisect.bisect_right(self._starts, offset)

    def before(self, offset: int) -> str:
        """
        Return what stands before *offset* in its line.
        """
        return self.text(self._starts[self.line(offset) - 1], offset)

    def edited(self, edits: Mapping[tuple[int, int], str]) -> bytes:
        """
        Return the source with new text at some places, none of which overlap.
        """
        source = self._source
        for (start, end), new in sorted(edits.items(), reverse=True):
            source = source[:start] + new.encode() + source[end:]

        return source


def module_span(places: Places, statement: ast.ImportFrom) -> tuple[int, int] | None:
    """
    Return where the module of *statement* stands; None when it is written over several lines.
    """
    start, end = places.span(statement)
    found = _FROM.match(places.text(start, end).encode())
    return None if found is None else (start + found.start(1), start + found.end(1))


def plain_text(names: Iterable[str]) -> str:
    """
    Return ``import a, b``.
    """
    return "import " + ", ".join(names)


def from_text(places: Places, statement: ast.ImportFrom, module: str, names: Iterable[Imported]) -> str:
    """
    Return ``from module import ...`` with some of the names of *statement*, and the comments that stood at them.
    """
    chosen = list(names)
    above, beside = _comments(places, statement)
    if not any(each.index in above or each.index in beside for each in chosen):
        return f"from {module} import {', '.join(each.text() for each in chosen)}"

    before = places.before(places.span(statement)[0])
    outer = before if not before.strip() else ""
    inner = f"{outer}    "
    lines = [f"from {module} import ("]
    for each in chosen:
        lines += [f"{inner}{comment}" for comment in above.get(each.index, ())]
        comment = beside.get(each.index)
        lines.append(f"{inner}{each.text()}," + (f"  {comment}" if comment else ""))

    return places.newline.join([*lines, f"{outer})"])


def _comments(places: Places, statement: ast.ImportFrom) -> tuple[dict[int, list[str]], dict[int, str]]:
    """
    Return the comments in *statement* by the number of the name below which, or beside which, they stand.
    """
    ends = [(alias.end_lineno or alias.lineno) - statement.lineno + 1 for alias in statement.names]
    text = places.text(*places.span(statement))
    above: dict[int, list[str]] = {}
    beside: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue

        same = [index for index, end in enumerate(ends) if end == token.start[0]]
        if same:
            beside[same[-1]] = token.string
        else:
            below = [index for index, end in enumerate(ends) if end > token.start[0]]
            above.setdefault(below[0] if below else len(ends) - 1, []).append(token.string)

    return above, beside
