"""
What views draw on: headings, lines and tables of styled cells. A terminal and a pipe each have their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchd.cli.safe import safe


@dataclass(frozen=True, slots=True)
class Cell:
    """
    One piece of text and what it is, from which the terminal takes its colour.
    """

    text: str
    #: ``good``, ``bad``, ``busy``, ``quiet``, ``name``, or empty.
    style: str = ""

    def __str__(self) -> str:
        """
        Return the text with its control characters escaped: it may come from anybody's code.
        """
        return safe(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    One column of a table.
    """

    title: str
    right: bool = False
    #: The column that gives way when the terminal is narrow: it is cut with an ellipsis.
    gives_way: bool = False
    #: Left out on terminals narrower than this many characters.
    from_width: int = 0


class Screen(Protocol):
    """
    Where a view is drawn.
    """

    @property
    def is_terminal(self) -> bool:
        """
        True for a person's terminal; false for a pipe, where each row is one line and nothing is cut.
        """

    def heading(self, text: str, note: str = "") -> None:
        """
        Begin a part of the view.
        """

    def line(self, *cells: Cell) -> None:
        """
        Print cells beside each other on one line.
        """

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, titles: bool = True) -> None:
        """
        Print *rows* under *columns*.
        """
