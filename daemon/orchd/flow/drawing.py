"""
Draws a flow as SVG.
"""

import importlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchd.engine.logs import get_logger, show_on_terminal
from orchd.flow.task import Task
from orchd.graph.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """
    A drawn flow. Notebooks show it by themselves.
    """

    #: The graph in the DOT language.
    source: str
    #: The picture.
    svg: str
    #: Where it was written.
    path: Path

    def _repr_svg_(self) -> str:
        return self.svg


def draw(graph: Graph[Task], *, filename: str | os.PathLike[str] | None) -> Drawing:
    """
    Draw *graph*: a node for each task, an edge for each dependency with the argument that it feeds.

    Args:
        filename: file to write, ``.svg`` is added if it is not there; None for a temporary one whose name is logged.
    """
    # Loaded here, as it is 8 MiB that every spawner and run would carry for a picture that they never draw.
    drawn = importlib.import_module("pygraphviz").AGraph(directed=True, strict=False, name=graph.name)
    for node in graph.nodes:
        drawn.add_node(node.slug, label=node.task.name, shape="ellipse", tooltip=node.slug)

    slugs = {node.task: node.slug for node in graph.nodes}
    for node in graph.nodes:
        for edge in node.upstream:
            drawn.add_edge(slugs[edge.upstream_task], node.slug, label=edge.key or "")

    svg = drawn.draw(format="svg", prog="dot").decode()
    path = _path(filename)
    path.write_text(svg)
    if filename is None:
        show_on_terminal()
        get_logger(graph.name).info("Drawn to %s", path)

    return Drawing(source=drawn.to_string(), svg=svg, path=path)


def _path(filename: str | os.PathLike[str] | None) -> Path:
    if filename is None:
        return Path(tempfile.mkdtemp(prefix="orchd-")) / "flow.svg"

    path = Path(filename)
    return path if path.suffix == ".svg" else path.with_name(path.name + ".svg")
