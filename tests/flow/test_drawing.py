"""
Drawing flows.
"""

import logging
from xml.etree import ElementTree

import pytest

from orchd import Flow, Parameter, Success, case, context, merge, task, unmapped
from orchd.flow.drawing import MAX_CHILDREN

SVG = "{http://www.w3.org/2000/svg}"
ODD = 'q"uo\\te\\N\n<b>bold</b> &amp; \x07'


def texts(drawing):
    """
    Return the texts that stand in the picture.
    """
    return [each.text.strip() for each in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text")]


def elements(drawing):
    """
    Return id -> the classes of the element that has it, for all tasks.
    """
    found = ElementTree.fromstring(drawing.svg).iter(f"{SVG}g")
    return {each.get("id"): set(each.get("class").split()) for each in found if "node" in each.get("class", "")}


def branching():
    """
    Return a flow with a parameter, a map, a reduce, two branches and a merge.
    """

    @task
    def fail_for_one(x, n):
        if x == 1:
            raise ValueError("one")

    with Flow('a "named" flow') as made:
        n = Parameter("n", default=3)
        children = fail_for_one.map(task(lambda n: list(range(n)), name="numbers")(n), n=unmapped(n))
        task(lambda xs: xs, name="total")(xs=children)
        with case(n, 3):
            three = task(lambda: 3, name="three")()
        with case(n, 4):
            four = task(lambda: 4, name="four")()
        merge(three, four)

    return made


def test_every_task_and_argument_is_in_the_picture(tmp_path):
    """
    Mapped tasks are marked, and each element has its task's slug as id and says what kind of task it is.
    """
    drawing = branching().visualize(filename=tmp_path / "p.svg")

    assert {"n", "numbers", "fail_for_one <map>", "total", "case(3)", "case(4)", "Merge", "xs", "x"} <= set(
        texts(drawing)
    )
    assert elements(drawing) == {
        "n": {"node", "parameter"},
        "numbers-1": {"node", "task"},
        "fail_for_one-1": {"node", "task", "mapped"},
        "total-1": {"node", "task"},
        "case(3)-1": {"node", "case"},
        "case(4)-1": {"node", "case"},
        "three-1": {"node", "task"},
        "four-1": {"node", "task"},
        "Merge-1": {"node", "merge"},
    }


def test_a_run_gives_the_boxes_their_states(tmp_path):
    """
    Each child of a mapped task has a box of its own, and everything the colour of its state.
    """
    flow = branching()
    drawing = flow.visualize(flow.run(), filename=tmp_path / "p")
    found = elements(drawing)

    assert {id: classes - {"node", "task"} for id, classes in found.items() if "fail_for_one" in id} == {
        "fail_for_one-1[0]": {"mapped", "success"},
        "fail_for_one-1[1]": {"mapped", "failed"},
        "fail_for_one-1[2]": {"mapped", "success"},
    }
    assert "skipped" in found["four-1"]
    assert "triggerfailed" in found["total-1"]
    assert Success.color in drawing.svg


def test_names_are_shown_as_they_are(tmp_path):
    """
    Quotes, backslashes, line breaks and what looks like HTML stay text.
    """
    with Flow(ODD) as flow:
        task(lambda x: x, name=ODD)(x=task(lambda: 1, name="<lambda>")())

    drawing = flow.visualize(filename=tmp_path / "p.svg")

    assert {'q"uo\\te\\N', "<b>bold</b> &amp; \ufffd", "<lambda>"} <= set(texts(drawing))
    assert (tmp_path / "p.svg").read_text() == drawing.svg == drawing._repr_svg_()


@pytest.mark.parametrize(
    ("name", "format", "path", "begins"),
    [
        ("p", None, "p.pdf", b"%PDF"),
        ("p", "svg", "p.svg", b"<?xml"),
        ("p", "png", "p.png", b"\x89PNG"),
        ("p.png", None, "p.png", b"\x89PNG"),
        ("p.png", "pdf", "p.png.pdf", b"%PDF"),
        ("v1.2", None, "v1.2.pdf", b"%PDF"),
    ],
)
def test_the_format_is_what_was_asked_for(tmp_path, name, format, path, begins):
    """
    By the argument, else by the ending of the name, else PDF as ever.
    """
    drawing = branching().visualize(filename=tmp_path / name, format=format)

    assert drawing.path == tmp_path / path
    assert drawing.path.read_bytes().startswith(begins)


def test_another_format_is_refused(tmp_path):
    """
    One sentence with those that there are.
    """
    with pytest.raises(ValueError, match="draws svg, png, pdf, and not 'bmp'"):
        branching().visualize(filename=tmp_path / "p", format="bmp")


def test_without_a_name_it_says_where_the_picture_is(caplog):
    """
    A temporary file; nothing is opened, as there may be no display.
    """
    with caplog.at_level(logging.INFO, logger="orchd"):
        drawing = branching().visualize()

    assert drawing.path.read_text().startswith("<?xml")
    assert f"Drawn to {drawing.path}" in caplog.messages
    assert "->" in drawing.source


def test_a_file_that_is_only_loaded_draws_nothing(tmp_path):
    """
    Unless it says where: each description of it would leave a file behind.
    """
    with context(loading_flow=True):
        assert branching().visualize().path is None
        assert branching().visualize(filename=tmp_path / "p.svg").path.exists()


def test_from_left_to_right(tmp_path):
    """
    The picture of a chain is wider than high then.
    """
    with Flow("chain") as flow:
        last = None
        for number in range(5):
            last = task(lambda x: x, name=f"t{number}")(last)

    def is_wide(drawing):
        root = ElementTree.fromstring(drawing.svg)
        return float(root.get("width")[:-2]) > float(root.get("height")[:-2])

    assert not is_wide(flow.visualize(filename=tmp_path / "p"))
    assert is_wide(flow.visualize(filename=tmp_path / "p", horizontal=True))


def test_many_children_share_a_box(tmp_path):
    """
    It counts their states, and has the colour of one that failed.
    """

    @task
    def fail_for_seven(x):
        if x == 7:
            raise ValueError("seven")

    with Flow("wide") as flow:
        fail_for_seven.map(list(range(MAX_CHILDREN + 1)))

    drawing = flow.visualize(flow.run(), filename=tmp_path / "p")

    assert "20 Success, 1 Failed" in texts(drawing)
    assert elements(drawing)["fail_for_seven-1"] == {"node", "task", "mapped", "failed"}


def test_a_thousand_tasks_are_drawn(tmp_path):
    """
    Every one of them.
    """
    with Flow("big") as flow:
        made = [Parameter("p", default=1)]
        for number in range(1000):
            made.append(task(lambda x: x, name=f"t{number}")(made[number // 3]))

    assert len(elements(flow.visualize(filename=tmp_path / "p.svg"))) == 1001
