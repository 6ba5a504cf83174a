"""
The strip of a flow's last runs: one bar each, as high as the run was long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchd.store.queries import BarView
from orchd.web.pages.rendering import duration, instant

_STEP: Final = 7
_HEIGHT: Final = 28
_LEAST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """
    One run: where its bar stands, and what is said when somebody points at it. Lengths are pixels.
    """

    id: str
    state: str
    title: str
    x: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """
    All bars, oldest first.
    """

    bars: tuple[Bar, ...]
    width: int


def strip(runs: Sequence[BarView], *, places: int) -> Strip:
    """
    Place the bars of *runs* (oldest first) in a strip that has room for *places*.
    """
    longest = max((run.duration_s or 0 for run in runs), default=0)
    bars = tuple(
        Bar(id=run.id, state=run.state, title=_title(run), x=n * _STEP, height=_height(run, longest))
        for n, run in enumerate(runs)
    )
    return Strip(bars=bars, width=places * _STEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """
    The same bars without a word to each, so that many flows fit onto a page: one path of SVG for each state.
    """

    #: State -> commands of the path.
    paths: Mapping[str, str]
    width: int


def sketch(runs: Sequence[BarView], *, places: int) -> Sketch:
    """
    Draw the bars of *runs* (oldest first) in a strip that has room for *places*.
    """
    parts: dict[str, list[str]] = {}
    for bar in strip(runs, places=places).bars:
        parts.setdefault(bar.state, []).append(f"M{bar.x} {_HEIGHT}v-{bar.height}h5v{bar.height}z")
    return Sketch(paths={state: "".join(each) for state, each in parts.items()}, width=places * _STEP)


def _height(run: BarView, longest: float) -> int:
    if run.duration_s is None or longest == 0:
        return _LEAST

    return max(_LEAST, round(_HEIGHT * run.duration_s / longest))


def _title(run: BarView) -> str:
    took = f" in {duration(run.duration_s)}" if run.duration_s is not None else ""
    return f"{run.name}: {run.shown}{took}, {instant(run.at)}"
