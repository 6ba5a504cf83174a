"""
Views on a terminal, drawn by rich: few colours, each with a meaning, and nothing wider than the window.
"""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
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
        shown = [number for number, column in enumerate(columns) if self._console.width >= column.from_width]
        table = Table(box=None, show_header=titles, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
        for number in shown:
            column = columns[number]
            table.add_column(
                column.title,
                justify="right" if column.right else "left",
                no_wrap=True,
                overflow="ellipsis",
                ratio=None,
                min_width=12 if column.gives_way else _longest(number, rows),
            )
        for row in rows:
            table.add_row(*(Text(str(row[number]), style=_STYLES[row[number].style]) for number in shown))
        self._console.print(Padding(table, (0, 0, 0, 2 if not titles else 0)))


def _longest(number: int, rows: Sequence[Sequence[Cell]]) -> int:
    return max((len(str(row[number])) for row in rows), default=0)


def open_screen() -> Terminal:
    """
    Return a screen on stdout, as wide as the window.
    """
    return Terminal(Console(highlight=False, markup=False, emoji=False))
