"""
The picture of a flow's tasks, drawn once for each version, and coloured by the states of a run.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final
from xml.etree import ElementTree

from fastapi import APIRouter, Response

from orchd.errors import InternalError
from orchd.graph.dot import Box, Form, Line, dot_text
from orchd.model.specs import FlowSpec
from orchd.processes.draw import draw_in_child
from orchd.store import queries
from orchd.store.queries import TaskSummary
from orchd.web.asking import RunRef
from orchd.web.daemon import Daemon
from orchd.web.pages.rendering import loudest

_SVG: Final = "http://www.w3.org/2000/svg"
#: Seconds that one picture may take; several hundred tasks take one.
_TIME_LIMIT_S: Final = 20.0
#: Pictures that are kept, of a few ten KiB each.
_KEPT: Final = 64
#: Tone -> what a task is filled and edged with, on white paper.
_COLOURS: Final = {
    "good": ("#d3efdf", "#23824f"),
    "bad": ("#f9d9d5", "#ab2217"),
    "busy": ("#d5e6f3", "#1a5a87"),
    "wait": ("#f6e8c8", "#7c5200"),
    "idle": ("#e6e9ed", "#55606f"),
}


class Schematics:
    """
    ``/flows/NAME/schematic.svg`` and ``/runs/RUN/schematic.svg``.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        #: DOT -> its picture, or why there is none: what took too long once is not tried at each look.
        self._drawn: OrderedDict[str, bytes | InternalError] = OrderedDict()
        #: One at a time: pictures must not take the cores from runs.
        self._pen = threading.Lock()

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/flows/{name}/schematic.svg", self.of_flow)
        routes.add_api_route("/runs/{ref}/schematic.svg", self.of_run)
        return routes

    def of_flow(self, name: str) -> Response:
        """
        Draw a flow as it is now.
        """
        with self._daemon.database.reading() as conn:
            (newest,) = queries.versions(conn, name, limit=1)
        return _answer(self._picture(newest.spec))

    def of_run(self, ref: RunRef) -> Response:
        """
        Draw the flow of a run as it was, with the states that its tasks have.
        """
        with self._daemon.database.reading() as conn:
            row = queries.find_run(conn, ref)
            spec = queries.spec_of(conn, row.flow_version_id)
            tasks = queries.task_summaries(conn, row, children=1)
        return _answer(coloured(self._picture(spec), tasks) if spec is not None else _NOTHING)

    def _picture(self, spec: FlowSpec) -> bytes:
        dot = dot_of(spec)
        with self._pen:
            if dot not in self._drawn:
                self._drawn[dot] = _drawn(dot)
            self._drawn.move_to_end(dot)
            while len(self._drawn) > _KEPT:
                self._drawn.popitem(last=False)
            found = self._drawn[dot]
        if isinstance(found, InternalError):
            raise InternalError(str(found))

        return found


def _drawn(dot: str) -> bytes | InternalError:
    try:
        return draw_in_child(dot, time_limit_s=_TIME_LIMIT_S)
    except InternalError as error:
        return error


#: What a run is shown with whose flow was never described.
_NOTHING: Final = f'<svg xmlns="{_SVG}" width="1" height="1"></svg>'.encode()


def dot_of(spec: FlowSpec) -> str:
    """
    Return the tasks of *spec* in the DOT language.
    """
    parameters = {parameter.name for parameter in spec.parameters}
    boxes = [
        Box(
            id=task.slug,
            label=f"{task.name} <map>" if task.mapped else task.name,
            form=Form.PARAMETER if task.slug in parameters else Form.TASK,
            is_mapped=task.mapped,
        )
        for task in spec.tasks
    ]
    return dot_text(spec.name, boxes, _lines(spec))


def _lines(spec: FlowSpec) -> Iterator[Line]:
    slugs = {task.slug for task in spec.tasks}
    for edge in spec.edges:
        if edge.upstream in slugs and edge.downstream in slugs:
            yield Line(upstream=edge.upstream, downstream=edge.downstream, label=edge.key or "", is_mapped=edge.mapped)


def coloured(picture: bytes, tasks: Iterable[TaskSummary]) -> bytes:
    """
    Return *picture* with each task in the colours of its state; of several children the loudest counts.
    """
    tones = {each.task.slug: loudest(each.states or (each.task.state,)) for each in tasks}
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(picture)
    for group in root.iter(f"{{{_SVG}}}g"):
        if group.get("id") in tones and "node" in group.get("class", "").split():
            _paint(group, _COLOURS[tones[group.attrib["id"]]])
    return ElementTree.tostring(root)


def _paint(group: ElementTree.Element, colours: tuple[str, str]) -> None:
    fill, edge = colours
    for shape in group.iter():
        if shape.tag in (f"{{{_SVG}}}path", f"{{{_SVG}}}polygon"):
            shape.set("fill", fill if shape.get("fill") != "none" else "none")
            shape.set("stroke", edge)


def _answer(picture: bytes) -> Response:
    return Response(picture, media_type="image/svg+xml")
