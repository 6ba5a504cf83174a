"""
Cells that several views have in common.
"""

from datetime import datetime
from typing import Any, Final

from orchd import clock
from orchd.cli import times
from orchd.cli.screen import Cell, Screen

Json = dict[str, Any]

_STYLES: Final = {
    "success": "good",
    "cached": "good",
    "mapped": "good",
    "failed": "bad",
    "trigger_failed": "bad",
    "timed_out": "bad",
    "crashed": "bad",
    "pending": "busy",
    "running": "busy",
    "retrying": "busy",
    "waiting": "busy",
    "cancelling": "warn",
    "cancelled": "warn",
    "paused": "warn",
    "skipped": "quiet",
    "scheduled": "quiet",
}

#: Outcome of a slot -> its style.
OUTCOMES: Final = {"started": "good", "skipped": "warn", "missed": "bad"}


def state(thing: Json) -> Cell:
    """
    Return the state of a run or task, in its colour.
    """
    return Cell(thing["shown"], _STYLES.get(thing["state"], ""))


def moment(text: str | None, screen: Screen, *, style: str = "") -> Cell:
    """
    Return an instant of the API as it fits *screen*.
    """
    at = times.instant(text)
    if at is None:
        return Cell("", "quiet")

    return Cell(times.on_screen(at, now=clock.now()) if screen.is_terminal else times.in_pipe(at), style)


def when(text: str | None, screen: Screen) -> str:
    """
    Return an instant of the API with how far it is from now, for the middle of a sentence.
    """
    at = times.instant(text)
    if at is None:
        return "-"

    if not screen.is_terminal:
        return times.in_pipe(at)

    now = clock.now()
    return f"{times.on_screen(at, now=now)} ({times.relative(at, now=now)})"


def from_now(text: str | None) -> Cell:
    """
    Return how far an instant of the API is from now.
    """
    at = times.instant(text)
    return Cell("" if at is None else times.relative(at, now=clock.now()), "quiet")


def took(run: Json) -> Cell:
    """
    Return how long a run or task took, or has been going for.
    """
    if run["duration_s"] is not None:
        return Cell(times.span(run["duration_s"]))

    begun: datetime | None = times.instant(run["started_at"])
    if begun is None or run["ended_at"]:
        return Cell("")

    return Cell(times.span((clock.now() - begun).total_seconds()), "busy")


def count(number: int, noun: str) -> str:
    """
    Return ``1 run``, ``2 runs``.
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
