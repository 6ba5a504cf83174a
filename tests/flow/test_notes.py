"""
What a description says of settings that have no meaning here, and of mapped tasks.
"""

from orchd.flow.describe import describe_file

FLOW = """
from orchd import Flow, task
from orchd.flow.elsewhere import ECSRun, Git

one = task(lambda x: x, name="one")
with Flow("f", storage=Git(labels=["a"]), run_config=ECSRun(labels=["b", "a"], env={"KEY": "secret"})) as flow:
    one.map([1, 2])

with Flow("plain") as plain:
    one(1)
"""


def test_settings_of_another_place_are_notes(tmp_path):
    """
    Labels are kept, sorted; one sentence for each setting, with the names of variables and never their values.
    """
    (tmp_path / "f.py").write_text(FLOW)
    first, plain = describe_file(tmp_path / "f.py").flows

    assert first.labels == ("a", "b")
    assert [note.split(" has ")[0].split(" are ")[0] for note in first.notes] == [
        "storage Git",
        "run_config ECSRun",
        "labels a, b",
    ]
    assert "(KEY)" in first.notes[1]
    assert "secret" not in "".join(first.notes)
    assert (plain.labels, plain.notes) == ((), ())


def test_mapped_tasks_are_marked(tmp_path):
    """
    So that they can be drawn without the flow's file.
    """
    (tmp_path / "f.py").write_text(FLOW)
    first, plain = describe_file(tmp_path / "f.py").flows

    assert {task.name: task.mapped for task in first.tasks if task.name == "one"} == {"one": True}
    assert [task.mapped for task in plain.tasks] == [False]
