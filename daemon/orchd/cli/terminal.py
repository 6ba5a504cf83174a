"""
Views on a terminal, drawn by rich: few colours, each with a meaning, and nothing wider than the window.
"""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from orchd.cli.screen import Cell, Column

_STYLES: Final = {
    "good": "green",
    "bad": "red",
    "busy": "cyan",
    "warn": "yellow",
    "quiet": "dim",
    "name": "bold",
    "": "",
}

#: Characters below which no column is cut while another can still give way.
_NARROWEST: Final = 12


class Terminal:
    """
    A :class:`~orchd.cli.screen.Screen` of colours and tables.
    """

    is_terminal = True

    def __init__(self, console: Console) -> None:
        """
        Draw on *console*.
        """
        self._console = console
        self._begun = False

    def heading(self, text: str, note: str = "") -> None:
        """
        Begin a part of the view, after an empty line unless it is the first.
        """
        if self._begun:
            self._console.print()
        self._begun = True
        self._console.print(Text.assemble((text, "bold"), (f"  {note}" if note else "", "dim")))

    def line(self, *cells: Cell) -> None:
        """
        Print cells beside each other; what is too long goes on below, under its beginning.
        """
        self._begun = True
        text = Text(" ").join(Text(str(cell), style=_STYLES[cell.style]) for cell in cells)
        self._console.print(text, soft_wrap=False)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, titles: bool = True) -> None:
        """
        Print *rows* under *columns*, without lines around them.
        """
        self._begun = True
        indent = 0 if titles else 2
        widths = fit(columns, _natural(columns, rows, titles=titles), self._console.width - indent)
        lines = [[Text(column.title, style="dim") for column in columns]] if titles else []
        lines += [[Text(str(cell), style=_STYLES[cell.style]) for cell in row] for row in rows]
        for line in lines:
            self._console.print(_placed(line, columns, widths, indent), no_wrap=True, overflow="ignore", crop=False)


def fit(columns: Sequence[Column], natural: Sequence[int], width: int) -> dict[int, int]:
    """
    Return the width of each column that is shown, so that all of them fit into *width* with two spaces between.

    Columns that may give way are cut first, the widest before the others; then those for wide terminals are left
    out, the last first; then the widest is cut, whatever it is.
    """
    widths = {number: natural[number] for number, column in enumerate(columns) if width >= column.from_width}
    while (over := sum(widths.values()) + 2 * (len(widths) - 1) - width) > 0:
        soft = [number for number in widths if columns[number].gives_way and widths[number] > _NARROWEST]
        extra = [number for number in widths if columns[number].from_width]
        if soft or not extra:
            widest = max(soft or widths, key=widths.__getitem__)
            others = [widths[number] for number in soft if widths[number] < widths[widest]]
            least = max([_NARROWEST, *others]) if soft else 1
            if widths[widest] <= 1:
                break
            widths[widest] -= max(min(over, widths[widest] - least), 1)
        else:
            del widths[extra[-1]]
    return widths


def _natural(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, titles: bool) -> list[int]:
    return [
        max([cell_len(column.title) if titles else 0, *(cell_len(str(row[number])) for row in rows)])
        for number, column in enumerate(columns)
    ]


def _placed(line: Sequence[Text], columns: Sequence[Column], widths: dict[int, int], indent: int) -> Text:
    whole = Text(" " * indent)
    for number, width in widths.items():
        cell = line[number]
        cell.truncate(width, overflow="ellipsis")
        cell.align("right" if columns[number].right else "left", width)
        whole.append_text(cell).append("  ")
    whole.rstrip()
    return whole


def open_screen() -> Terminal:
    """
    Return a screen on stdout, as wide as the window.
    """
    return Terminal(Console(highlight=False, markup=False, emoji=False))
