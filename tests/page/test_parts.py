"""
The pure parts of the pages: forms of parameters, strips of runs, what changed between versions.
"""

from datetime import UTC, datetime

import msgspec
import pytest

from orchd.model.instants import to_us
from orchd.model.specs import EdgeSpec, FlowSpec, ParameterSpec
from orchd.store.queries import BarView, VersionView
from orchd.web.pages.changes import changes
from orchd.web.pages.fields import PREFIX, Kind, fields_of, read
from orchd.web.pages.rendering import loudest, timed
from orchd.web.pages.strips import strip
from store.making import flow_spec

URL = ParameterSpec(name="url", required=True)
RATIO = ParameterSpec(name="ratio", required=False, default=0.2)
NAME = ParameterSpec(name="name", required=False, default="world")
LOUD = ParameterSpec(name="loud", required=False, default=False)
MANY = ParameterSpec(name="many", required=False, default={"a": [1, 2]})
STRANGE = ParameterSpec(name="strange", required=False, default_text="<object at 0x1>")
EVERY = (URL, RATIO, NAME, LOUD, MANY, STRANGE)


def _sent(**values: str) -> dict[str, str]:
    untouched = {field.name: field.text for field in fields_of(EVERY, {})}
    return {PREFIX + name: text for name, text in (untouched | values).items()}


def test_a_field_is_typed_by_its_default() -> None:
    """
    Text, number, choice; everything else is JSON.
    """
    kinds = {field.name: field.kind for field in fields_of(EVERY, {})}

    assert kinds == {
        "url": Kind.JSON,
        "ratio": Kind.NUMBER,
        "name": Kind.TEXT,
        "loud": Kind.CHOICE,
        "many": Kind.JSON,
        "strange": Kind.JSON,
    }


def test_an_untouched_form_says_nothing() -> None:
    """
    Defaults stay the flow's own; what is required is missed.
    """
    got = read(EVERY, _sent())

    assert got.parameters == {}
    assert [(field.name, field.error) for field in got.fields if field.error] == [("url", "a value is needed")]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("url", "https://example.org", "https://example.org"),
        ("url", '"7"', "7"),
        ("url", "7", 7),
        ("ratio", "0.3", 0.3),
        ("ratio", " 1 ", 1),
        ("name", "", ""),
        ("name", "  x ", "  x "),
        ("name", "7", "7"),
        ("loud", "true", True),
        ("many", "[]", []),
        ("strange", "null", None),
    ],
)
def test_what_is_typed_is_what_is_meant(field: str, text: str, value: object) -> None:
    """
    By the kind of its field, and only where it differs from the default.
    """
    got = read(EVERY, _sent(url="x") | {PREFIX + field: text})

    assert got.is_good
    assert got.parameters == {"url": "x"} | {field: value}


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("ratio", "much", "is no number"),
        ("ratio", "true", "is no number"),
        ("many", "{a: 1}", "this is no JSON"),
        ("many", "[1", "this is no JSON"),
        ("url", "  ", "a value is needed"),
        ("many", "[" * 33 + "]" * 33, "nested deeper"),
        ("many", "[" * 100_000, "nested deeper"),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field(field: str, text: str, said: str) -> None:
    """
    What was typed stays in the form.
    """
    got = read(EVERY, _sent(url="x") | {PREFIX + field: text})
    (wrong,) = [each for each in got.fields if each.error]

    assert not got.is_good
    assert (wrong.name, wrong.text) == (field, text)
    assert said in str(wrong.error)


def test_a_text_of_several_lines_stays_as_it_is() -> None:
    """
    Browsers send both characters at the end of each line; untouched it is the default still.
    """
    poem = ParameterSpec(name="poem", required=False, default="one\ntwo")

    assert read([poem], {f"{PREFIX}poem": "one\r\ntwo"}).parameters == {}
    assert read([poem], {f"{PREFIX}poem": "one\r\nthree"}).parameters == {"poem": "one\nthree"}


def test_a_form_may_begin_with_the_values_of_a_run() -> None:
    """
    As run again does; sent back untouched they are the same values.
    """
    given = {"url": "https://example.org", "ratio": 0.5, "many": {"b": None}, "strange": [1]}
    sent = {PREFIX + field.name: field.text for field in fields_of(EVERY, given)}

    assert read(EVERY, sent).parameters == given


def _bar(number: int, duration_s: float | None, state: str = "success") -> BarView:
    at_us = to_us(datetime(2026, 11, 23, 2, 0, number, tzinfo=UTC))
    return BarView(id=str(number), name="calm-otter", state=state, at_us=at_us, duration_s=duration_s)


def test_a_strip_shows_runs_in_order() -> None:
    """
    Bars stand beside each other, the longest run is the highest, and no bar is too low to be seen.
    """
    drawn = strip([_bar(1, 1), _bar(2, 100), _bar(3, None, "running")], places=10)

    assert [bar.id for bar in drawn.bars] == ["1", "2", "3"]
    step = drawn.bars[1].x - drawn.bars[0].x
    assert drawn.bars[2].x - drawn.bars[1].x == step > 0
    assert drawn.bars[2].x + step <= drawn.width
    assert drawn.bars[1].height > drawn.bars[0].height == drawn.bars[2].height > 0
    assert "calm-otter: Success in 1 m 40 s" in drawn.bars[1].title


def test_a_strip_of_nothing() -> None:
    """
    Has its width all the same, so that nothing jumps when the first run comes.
    """
    assert strip([], places=10).bars == ()
    assert strip([], places=10).width == strip([_bar(1, 0)], places=10).width


def _version(number: int, spec: FlowSpec) -> VersionView:
    return VersionView(version=number, created_at="", spec=spec, project=None, labels=())


def test_what_changed_is_said_in_words() -> None:
    """
    Of each version against the one before it; of the first there is nothing to say.
    """
    old = flow_spec(tasks=("a", "b"))
    new = msgspec.structs.replace(
        flow_spec(tasks=("b", "c"), source_hash="bb"),
        file="/elsewhere/load.py",
        parameters=(RATIO,),
        edges=(EdgeSpec(upstream="b", downstream="c"),),
        labels=("gpu",),
    )
    newest, first = changes([_version(2, new), _version(1, old)])

    assert first.changes == ()
    assert newest.changes == (
        "moved from /flows/load.py",
        "task c is new",
        "task a is gone",
        "parameter ratio is new",
        "tasks are wired otherwise",
        "labels: gpu",
        "the file's text changed",
    )
    assert changes([]) == []


def test_instants_in_a_sentence_become_times() -> None:
    """
    What clocks of the schedule's zone show moves into the title, and nothing else of it becomes markup.
    """
    sentence = "<b> began at 2026-11-30T08:14:14.426337Z (2026-11-30 09:14:14.426337+01:00), a@2026-11-30T08:15:00Z"

    assert timed(sentence) == (
        '&lt;b&gt; began at <time datetime="2026-11-30T08:14:14.426337Z" title="2026-11-30 08:14:14 UTC, 2026-11-30 '
        '09:14:14.426337+01:00 in its zone" data-show="full">2026-11-30 08:14:14 UTC</time>, a@<time datetime='
        '"2026-11-30T08:15:00Z" title="2026-11-30 08:15:00 UTC" data-show="full">2026-11-30 08:15:00 UTC</time>'
    )


@pytest.mark.parametrize(
    ("states", "seen"),
    [("success", "good"), ("success cached failed", "bad"), ("success running", "busy"), ("skipped success", "idle")],
)
def test_of_several_children_the_loudest_gives_the_tone(states: str, seen: str) -> None:
    """
    A failure is seen before what runs, and that before what is done.
    """
    assert loudest(states.split()) == seen
