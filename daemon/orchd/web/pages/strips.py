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
    bars = tuple(
        Bar(id=run.id, state=run.state, title=_title(run), x=n * _STEP, height=height)
        for n, (run, height) in enumerate(zip(runs, _heights(runs), strict=True))
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
    for n, (run, height) in enumerate(zip(runs, _heights(runs), strict=True)):
        parts.setdefault(run.state, []).append(f"M{n * _STEP} {_HEIGHT}v-{height}h5v{height}z")
    return Sketch(paths={state: "".join(each) for state, each in parts.items()}, width=places * _STEP)


def _heights(runs: Sequence[BarView]) -> list[int]:
    longest = max((run.duration_s or 0 for run in runs), default=0)
    if not longest:
        return [_LEAST] * len(runs)

    return [max(_LEAST, round(_HEIGHT * (run.duration_s or 0) / longest)) for run in runs]


def _title(run: BarView) -> str:
    took = f" in {duration(run.duration_s)}" if run.duration_s is not None else ""
    return f"{run.name}: {run.shown}{took}, {instant(run.at)}"
