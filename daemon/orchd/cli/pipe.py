"""
Views in a pipe or a file: plain text, aligned, one row a line, nothing cut.
"""

from collections.abc import Sequence

from orchd.cli.screen import Cell, Column


class Pipe:
    """
    A :class:`~orchd.cli.screen.Screen` of plain text.
    """

    is_terminal = False

    def __init__(self) -> None:
        """
        Begin with nothing printed.
        """
        self._begun = False

    def heading(self, text: str, note: str = "") -> None:
        """
        Begin a part of the view, after an empty line unless it is the first.
        """
        self._print(("\n" if self._begun else "") + text + (f" ({note})" if note else ""))

    def line(self, *cells: Cell) -> None:
        """
        Print cells beside each other on one line.
        """
        self._print(" ".join(map(str, cells)))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, titles: bool = True) -> None:
        """
        Print *rows* under *columns*, two spaces apart.
        """
        texts = [[str(cell) or "-" for cell in row] for row in rows]
        if titles:
            texts.insert(0, [column.title.upper().replace(" ", "_") for column in columns])
        widths = [max(map(len, column), default=0) for column in zip(*texts, strict=True)]
        for row in texts:
            placed = zip(row, widths, columns, strict=True)
            words = (text.rjust(width) if column.right else text.ljust(width) for text, width, column in placed)
            self._print("  ".join(words).rstrip())

    def _print(self, text: str) -> None:
        self._begun = True
        print(text)


def open_screen() -> Pipe:
    """
    Return a plain screen on stdout.
    """
    return Pipe()
