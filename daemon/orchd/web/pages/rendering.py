"""
From facts to a page: templates, and how values are shown in them.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import jinja2
import msgspec
from fastapi import Request
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from orchd.model.states import TaskRunState
from orchd.web.doorkeeper import Visitor
from orchd.web.gate import FORM_KEY_FIELD, POLICY

_HERE: Final = Path(__file__).resolve().parent.parent
STATIC: Final = _HERE / "static"

#: State of a run or a task, or outcome of a slot -> the tone it has on a page. The word stands beside it: no tone
#: says anything alone.
TONES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("success", "cached", "mapped", "started"), "good"),
        **dict.fromkeys(("failed", "timed_out", "crashed", "trigger_failed", "missed"), "bad"),
        **dict.fromkeys(("running", "cancelling", "retrying"), "busy"),
        **dict.fromkeys(("waiting", "paused", "pending", "scheduled"), "wait"),
        **dict.fromkeys(("cancelled", "skipped"), "idle"),
    }
)

#: Tones, the first that is among several counts.
_LOUDEST: Final = ("bad", "busy", "wait", "idle", "good")
#: An instant as the API writes it within a sentence, and what clocks of the schedule's zone show.
_INSTANT: Final = re.compile(
    r"(?P<utc>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
    r"(?: \((?P<local>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d)\))?",
    re.ASCII,
)
_TIME: Final = Markup('<time datetime="{utc}" title="{title}" data-show="full">{shown}</time>')
#: What each form brings with it.
_FORM_KEY_INPUT: Final = Markup('<input type="hidden" name="{}" value="{}">')


def page(request: Request, template: str, *, status: int = 200, **facts: object) -> HTMLResponse:
    """
    Render *template* with *facts* for whoever sent *request*.
    """
    visitor: Visitor | None = request.scope.get("visitor")
    key = "" if visitor is None else visitor.form_key or ""
    text = (
        _environment()
        .get_template(template)
        .render(
            here=request.url.path,
            # What answers a form has no address of its own that could be asked for again.
            may_live=request.method == "GET",
            visitor=visitor,
            form_key=key,
            form_key_input=_FORM_KEY_INPUT.format(FORM_KEY_FIELD, key),
            may_change=visitor is None or visitor.may_change,
            **facts,
        )
    )
    return HTMLResponse(text, status_code=status)


def door(template: str, *, status: int, **facts: object) -> HTMLResponse:
    """
    Render a page for somebody who is not in. It brings its style with it, as nothing else answers to them.
    """
    style = asset("orchd.css").decode()
    text = _environment().get_template(template).render(style=Markup(style), **facts)
    policy = POLICY.replace("style-src 'self'", f"style-src 'sha256-{_digest(style)}'")
    return HTMLResponse(text, status_code=status, headers={"content-security-policy": policy})


@cache
def asset(name: str) -> bytes:
    """
    Return a file of ours that pages bring with them.
    """
    return (STATIC / name).read_bytes()


@cache
def asset_version() -> str:
    """
    Return a word that is another one whenever a file of :data:`STATIC` is, so that browsers may keep it for ever.
    """
    every = b"".join(asset(file.name) for file in sorted(STATIC.iterdir()))
    return hashlib.sha256(every).hexdigest()[:12]


def duration(seconds: float | None) -> str:
    """
    Return a length of time as a person says it: ``40 ms``, ``1.4 s``, ``3 m 05 s``, ``2 h 07 m``, ``3 d 04 h``.
    """
    if seconds is None:
        return ""

    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"

    if seconds < 10:
        return f"{seconds:.1f} s"

    whole = round(seconds)
    for large, small, unit in ((86_400, 3600, "d h"), (3600, 60, "h m"), (60, 1, "m s")):
        if whole >= large:
            first, second = unit.split()
            return f"{whole // large} {first} {whole % large // small:02d} {second}"

    return f"{whole} s"


def instant(text: str | None) -> str:
    """
    Return an instant (ISO text in UTC) as a page without a script shows it: ``2026-11-23 02:00:00 UTC``.
    """
    return "" if text is None else f"{text[:10]} {text[11:19]} UTC"


def timed(sentence: str) -> Markup:
    """
    Return *sentence* with each instant in it (and the local one in brackets behind it) as a page shows times.
    """
    return Markup(_INSTANT.sub(_time, escape(sentence)))


def _time(found: re.Match[str]) -> str:
    title = instant(found["utc"]) + (f", {found['local']} in its zone" if found["local"] else "")
    return _TIME.format(utc=found["utc"], title=title, shown=instant(found["utc"]))


def as_json(value: object) -> str:
    """
    Return *value* as JSON for a person: indented, keys as they came.
    """
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def tone(word: str) -> str:
    """
    Return the tone of a state or an outcome.
    """
    return TONES.get(word, "idle")


def shown(state: str) -> str:
    """
    Return the state of a task run as people see it: ``TimedOut``.
    """
    return TaskRunState(state).shown


def loudest(states: Iterable[str]) -> str:
    """
    Return the tone of a mapped task: of the tones of its children the one that wants to be seen first.
    """
    return min(map(tone, states), key=_LOUDEST.index)


def part(text: str) -> str:
    """
    Return *text*, which may have any character in it, as one part of the path of an address.
    """
    return quote(text, safe="")


def told(word: str) -> str:
    """
    Return a state or an outcome within a sentence: ``timed out``.
    """
    return word.replace("_", " ").replace("success", "succeeded")


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for each in (duration, instant, timed, as_json, tone, shown, part, told):
        made.filters[each.__name__] = each
    made.globals["version"] = asset_version()
    return made


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
