"""
Writes a picture of tasks in the DOT language. What it shows is decided by who fills in the boxes and the lines.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Form(StrEnum):
    """
    What a task looks like.
    """

    TASK = "task"
    PARAMETER = "parameter"
    CONSTANT = "constant"
    #: Compares a value, and skips what follows unless it fits.
    CASE = "case"
    #: Goes on with the branch that was taken.
    MERGE = "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """
    One task, or one child of it.
    """

    #: Its slug; of a child with the index in brackets. The id of its element in SVG.
    id: str
    label: str
    form: Form = Form.TASK
    is_mapped: bool = False
    #: ``#rrggbb`` of its state; None where no state is known.
    color: str | None = None
    #: Name of its state; in lower case, a class of its element in SVG.
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    From the box *upstream* to the box *downstream*.
    """

    upstream: str
    downstream: str
    #: The argument that it feeds.
    label: str = ""
    is_mapped: bool = False


_INK: Final = "#24292f"
_FAINT: Final = "#57606a"
_LINES: Final = "#8c959f"
_PAPER: Final = "#f6f8fa"
_FORMS: Final[Mapping[Form, Mapping[str, str]]] = MappingProxyType(
    {
        Form.TASK: {"shape": "box", "style": "rounded,filled"},
        Form.PARAMETER: {"shape": "box", "style": "rounded,filled,dashed"},
        Form.CONSTANT: {"shape": "plain", "style": ""},
        Form.CASE: {"shape": "hexagon", "style": "filled", "margin": "0.04,0.02"},
        Form.MERGE: {"shape": "invtrapezium", "style": "rounded,filled", "margin": "0.02,0.02"},
    }
)
#: More boxes than this are joined by straight lines, as curved ones would take minutes.
_MANY: Final = 300


def dot_text(name: str, boxes: Iterable[Box], lines: Iterable[Line], *, horizontal: bool = False) -> str:
    """
    Return the picture called *name*.

    Args:
        horizontal: from left to right, not from top to bottom.
    """
    every = list(boxes)
    keys = {box.id: f"n{number}" for number, box in enumerate(every)}
    graph = {"rankdir": "LR" if horizontal else "TB", "bgcolor": "white", "pad": "0.2", "nodesep": "0.3"}
    graph |= {"ranksep": "0.45", "splines": "line", "nslimit": "2", "mclimit": "0.2"} if len(every) > _MANY else {}
    texts = {"fontname": "Helvetica,Arial,sans-serif", "fontcolor": _INK}
    boxed = {**texts, "fontsize": "11", "height": "0.35", "color": _LINES}
    lined = {**texts, "fontsize": "9", "fontcolor": _FAINT, "color": _LINES, "arrowsize": "0.6"}
    parts = [f"digraph {_quoted(_escaped(name))} {{"]
    parts += [f"  {kind} {_attributes(look)};" for kind, look in (("graph", graph), ("node", boxed), ("edge", lined))]
    parts += [f"  {keys[box.id]} {_attributes(_box(box))};" for box in every]
    for line in lines:
        look = {"label": _escaped(f" {line.label} ") if line.label else "", "style": "dashed" if line.is_mapped else ""}
        parts.append(f"  {keys[line.upstream]} -> {keys[line.downstream]} {_attributes(look)};")

    return "\n".join([*parts, "}", ""])


def _box(box: Box) -> dict[str, str]:
    told = f"{box.id}: {box.state}" if box.state else box.id
    look = {"label": _escaped(box.label), "tooltip": _escaped(told), "id": _printable(box.id), **_FORMS[box.form]}
    look["class"] = " ".join(filter(None, (box.form, "mapped" if box.is_mapped else "", (box.state or "").lower())))
    if box.form is not Form.CONSTANT:
        look["fillcolor"] = f"{box.color}40" if box.color else _PAPER
        look["color"] = box.color or _LINES

    if box.is_mapped:
        look["peripheries"] = "2"

    return look


def _attributes(values: Mapping[str, str]) -> str:
    return "[" + ", ".join(f"{key}={_quoted(value)}" for key, value in values.items() if value) + "]"


def _quoted(text: str) -> str:
    # Only the quotation mark is special in DOT itself; backslashes are read by whoever reads the value.
    return '"' + text.replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    """
    Return *text* so that a label shows it as it is: no escapes of Graphviz, no entities, no control characters.
    """
    shown = text.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "\\n".join(map(_printable, shown.split("\n")))


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
