"""
What ``orchd open`` and ``orchd token`` answer.
"""

from orchd.cli.screen import Cell, Column, Screen
from orchd.cli.views.cells import Json, moment


def link(answer: Json, screen: Screen) -> None:
    """
    Show a link to the page.
    """
    if screen.is_terminal:
        screen.line(Cell("This link logs one browser in, once, within ten minutes:", "quiet"))
    screen.line(Cell(answer["url"]))


def token(answer: Json, screen: Screen) -> None:
    """
    Show a token, for the only time.
    """
    if screen.is_terminal:
        screen.line(Cell("Scripts send it as `Authorization: Bearer TOKEN`; it is shown this once:", "quiet"))
    screen.line(Cell(answer["token"]))


def tokens(answer: Json, screen: Screen) -> None:
    """
    Draw the tokens.
    """
    if not answer["tokens"]:
        screen.line(Cell("There is no token; `orchd token create NAME` makes one.", "quiet"))
        return

    columns = [Column(title="token"), Column(title="may"), Column(title="made by"), Column(title="made")]
    rows = [
        [
            Cell(each["name"], "name"),
            Cell("look" if each["read_only"] else "look and change"),
            Cell(each["who"]),
            moment(each["created_at"], screen),
        ]
        for each in answer["tokens"]
    ]
    screen.table(columns, rows)


def revoked(answer: Json, screen: Screen) -> None:
    """
    Say which token is good no longer.
    """
    screen.line(Cell("Token"), Cell(answer["revoked"], "name"), Cell("is good for nothing any more."))
