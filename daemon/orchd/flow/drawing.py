"""
Draws a flow, and a run of it if there was one.
"""

import importlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orchd.engine.context import context
from orchd.engine.logs import get_logger, show_on_terminal
from orchd.engine.state import State
from orchd.flow.collections import Constant
from orchd.flow.control_flow import CompareValue, Merge
from orchd.flow.parameter import Parameter
from orchd.flow.task import Task
from orchd.graph.dot import Box, Form, Line, dot_text
from orchd.graph.graph import Graph, Node

FORMATS: Final = ("svg", "png", "pdf")
#: Children that are drawn one by one; more of them share one box that counts their states.
MAX_CHILDREN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """
    A drawn flow. Notebooks show it by themselves.
    """

    #: The picture in the DOT language.
    source: str
    #: Where it was written; None where that was not asked for and the flow's file was only being loaded.
    path: Path | None

    @property
    def svg(self) -> str:
        """
        The picture as SVG; the element of each task has its slug as id.
        """
        return rendered(self.source, "svg").decode()

    def _repr_svg_(self) -> str:
        return self.svg


def draw(
    graph: Graph[Task],
    *,
    states: Mapping[Task, State] | None,
    filename: str | os.PathLike[str] | None,
    format: str | None,
    horizontal: bool,
) -> Drawing:
    """
    Draw *graph*: a box for each task, a line for each dependency with the argument that it feeds.

    Args:
        states: of the tasks after a run, which give the boxes their colours; None for none.

        filename: file to write; None for a temporary one whose name is logged. Nothing is opened, as nobody may sit
            there.

        format: ``svg``, ``png`` or ``pdf``; None for what the name ends with, else ``pdf``, and ``svg`` for a
            temporary file.

    Raises:
        ValueError: it is another format.

        OSError: the file cannot be written.
    """
    source = dot_of(graph, states=states, horizontal=horizontal)
    if filename is None and context.get("loading_flow"):
        # Else each description and each run of a file that draws itself would leave a temporary file behind.
        return Drawing(source=source, path=None)

    chosen, path = _target(filename, format)
    path.write_bytes(rendered(source, chosen))
    if filename is None:
        show_on_terminal()
        get_logger(graph.name).info("Drawn to %s", path)

    return Drawing(source=source, path=path)


def rendered(source: str, format: str) -> bytes:
    """
    Return the picture of *source*, which is in the DOT language.
    """
    # Loaded here, as it is 8 MiB that every spawner and run would carry for a picture that they never draw.
    drawn = importlib.import_module("pygraphviz").AGraph(string=source)
    picture: bytes = drawn.draw(format=format, prog="dot")
    return picture


def dot_of(graph: Graph[Task], *, states: Mapping[Task, State] | None = None, horizontal: bool = False) -> str:
    """
    Return the picture of *graph* in the DOT language.
    """
    known = states or {}
    boxes = {node.task: tuple(_boxes(node, known.get(node.task))) for node in graph.nodes}
    every = [box for group in boxes.values() for box in group]
    return dot_text(graph.name, every, list(_lines(graph, boxes)), horizontal=horizontal)


def _boxes(node: Node[Task], state: State | None) -> Iterator[Box]:
    name = node.task.name
    children = children_of(state)
    if children and len(children) <= MAX_CHILDREN:
        for index, child in enumerate(children):
            yield _box(node, f"{node.slug}[{index}]", f"{name}[{index}]", child)
    elif children:
        yield _box(node, node.slug, f"{name} <map>\n{_counted(children)}", _worst(children))
    else:
        yield _box(node, node.slug, f"{name} <map>" if node.is_mapped else name, state)


def _box(node: Node[Task], id: str, label: str, state: State | None) -> Box:
    return Box(
        id=id,
        label=label,
        form=_form(node.task),
        is_mapped=node.is_mapped,
        color=None if state is None else state.color,
        state=None if state is None else type(state).__name__,
    )


def _form(task: Task) -> Form:
    match task:
        case Parameter():
            return Form.PARAMETER
        case Constant():
            return Form.CONSTANT
        case CompareValue():
            return Form.CASE
        case Merge():
            return Form.MERGE
        case _:
            return Form.TASK


def _lines(graph: Graph[Task], boxes: Mapping[Task, Sequence[Box]]) -> Iterator[Line]:
    for node in graph.nodes:
        below = boxes[node.task]
        for edge in node.upstream:
            above = boxes[edge.upstream_task]
            # A child of a mapped task that maps over one with as many children depends on its own child only.
            is_pairwise = edge.mapped and not edge.flattened and len(above) == len(below) > 1
            pairs = zip(above, below, strict=True) if is_pairwise else ((one, two) for one in above for two in below)
            for upstream, downstream in pairs:
                yield Line(
                    upstream=upstream.id, downstream=downstream.id, label=edge.key or "", is_mapped=bool(edge.mapped)
                )


def children_of(state: State | None) -> Sequence[State]:
    """
    Return the states of a mapped task's children; nothing for any other.
    """
    children: Any = getattr(state, "map_states", None)
    return [each for each in children or () if each is not None]


def _counted(children: Sequence[State]) -> str:
    counts = Counter(type(child).__name__ for child in children)
    return ", ".join(f"{number} {name}" for name, number in counts.most_common())


def _worst(children: Sequence[State]) -> State:
    return next((child for child in children if child.is_failed()), children[0])


def _target(filename: str | os.PathLike[str] | None, format: str | None) -> tuple[str, Path]:
    if format is not None and format not in FORMATS:
        raise ValueError(f"flow.visualize() draws {', '.join(FORMATS)}, and not {format!r}")

    if filename is None:
        chosen = format or "svg"
        return chosen, Path(tempfile.mkdtemp(prefix="orchd-")) / f"flow.{chosen}"

    path = Path(filename)
    ending = path.suffix.removeprefix(".")
    chosen = format or (ending if ending in FORMATS else "pdf")
    return chosen, path if ending == chosen else path.with_name(f"{path.name}.{chosen}")
