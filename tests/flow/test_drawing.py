"""
Drawing flows.
"""

from xml.etree import ElementTree

from orchd import Flow, Parameter, task


def flow():
    """
    Return a flow of a parameter and two tasks.
    """
    with Flow('a "named" flow') as made:
        first = task(lambda x: x, name="first <&>")(Parameter("p", default=1))
        task(lambda y: y, name="second")(y=first, upstream_tasks=[first])

    return made


def test_a_drawing_is_svg(tmp_path):
    """
    Every task and every argument stands in the picture, which is whole XML and lies in the file.
    """
    drawing = flow().visualize(filename=tmp_path / "picture")
    texts = [each.text for each in ElementTree.fromstring(drawing.svg).iter() if each.tag.endswith("text")]

    assert {"p", "first <&>", "second", "x", "y"} <= set(texts)
    assert drawing.path == tmp_path / "picture.svg"
    assert drawing.path.read_text() == drawing.svg == drawing._repr_svg_()
    assert "first-1" not in texts


def test_a_drawing_without_a_name_goes_to_a_temporary_file():
    """
    The file is there, and the source can be read.
    """
    drawing = flow().visualize()

    assert drawing.path.exists()
    assert "->" in drawing.source
