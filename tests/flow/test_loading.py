"""
Loading and describing flow files, good ones and bad ones.
"""

import hashlib
import pickle
import subprocess
import sys

import cloudpickle
import msgspec
import pytest

from orchd.errors import FlowError, NotFound
from orchd.flow.describe import describe_file, is_json
from orchd.flow.loader import load_flows
from orchd.model.specs import Description
from support.recording import executed

GOOD = """
    from datetime import timedelta
    from orchd import Flow, Parameter, task

    assert __name__ == "<flow>", __name__

    @task(max_retries=2, retry_delay=timedelta(seconds=90), timeout=30)
    def work(x, y):
        return x

    with Flow("first") as first:
        work(Parameter("a", default=[1, {"b": None}]), Parameter("c"))

    with Flow("second") as second:
        work(Parameter("when", default=timedelta(1)), 2)

    again = first

    if __name__ == "__main__":
        first.run()
"""


def test_a_file_gives_its_flows_in_order(flow_file):
    """
    Each flow counts once, however many names it has, in the order in which they are written.
    """
    assert list(load_flows(flow_file(GOOD))) == ["first", "second"]


def test_a_description_says_it_all(flow_file):
    """
    Parameters with their defaults, tasks with their limits, edges by slugs; it survives the way to the daemon.
    """
    path = flow_file(GOOD)
    described = describe_file(path)
    first, second = described.flows

    assert described.error is None
    assert described.source_hash == hashlib.sha256(path.read_bytes()).hexdigest() == first.source_hash
    assert [(p.name, p.required, p.default, p.default_text) for p in first.parameters] == [
        ("a", False, [1, {"b": None}], None),
        ("c", True, None, None),
    ]
    assert second.parameters[0].default_text == "datetime.timedelta(days=1)"
    assert [(t.slug, t.max_retries, t.retry_delay_s, t.timeout_s) for t in first.tasks] == [
        ("a", 0, None, None),
        ("c", 0, None, None),
        ("work-1", 2, 90.0, 30.0),
    ]
    assert [(e.upstream, e.downstream, e.key) for e in first.edges] == [("a", "work-1", "x"), ("c", "work-1", "y")]
    assert msgspec.json.decode(msgspec.json.encode(described), type=Description) == described


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = = 1", "{file}, line 1: syntax error: invalid syntax"),
        ("def f(:\n pass", "{file}, line 1: syntax error: "),
        (
            "\nimport no_such_module_here",
            "{file}, line 2: import failed: No module named 'no_such_module_here'; install it for orchd, or put it "
            "beside the flow file",
        ),
        ("\n\n1 / 0", "{file}, line 3: ZeroDivisionError('division by zero') was raised while the file was loaded"),
        (
            "import sys\nsys.exit(3)",
            "{file}, line 2: the file ended itself with SystemExit(3) while it was loaded; put that under "
            '`if __name__ == "__main__":`',
        ),
        ("x = 1", '{file}: no flow found; write `with Flow("name") as flow:` at the top level of the file'),
        ("", "{file}: no flow found; "),
        (
            'from orchd import Flow\na = Flow("x")\nb = Flow("x")',
            "{file}, line 3: a flow named 'x' is already at line 2; give one of them another name",
        ),
        (
            "from orchd import Flow, task\nwith Flow('x') as f:\n a = task(lambda: 1, name='a')()\n"
            " b = task(lambda: 1, name='b')()\n a.set_upstream(b)\n b.set_upstream(a)",
            "{file}, line 2: tasks of flow 'x' wait for each other: ",
        ),
        ("raise KeyError('gone')", "{file}, line 1: KeyError('gone') was raised while the file was loaded"),
    ],
)
def test_a_bad_file_gives_one_sentence(flow_file, text, sentence):
    """
    Whatever is wrong with a file, its description says what and in which line.
    """
    path = flow_file(text)
    described = describe_file(path)

    assert described.flows == ()
    assert described.error.startswith(sentence.format(file=path))
    assert "\n" not in described.error


@pytest.mark.parametrize("source", [b"\x00", b"\xff\xfe", b"# -*- coding: nonsense -*-\n", b"x = '\xe4'"])
def test_bytes_that_are_no_python_give_one_sentence(flow_file, source):
    """
    NUL, wrong encodings and the like are the file's mistakes too.
    """
    path = flow_file("")
    path.write_bytes(source)

    assert describe_file(path).error.startswith(str(path))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    """
    A path that is no file gives a sentence with the path.
    """
    missing = tmp_path / "nofile.py"

    assert describe_file(missing).error == f"File does not exist: '{missing}'"
    assert describe_file(tmp_path).error == f"{tmp_path}: cannot be read: Is a directory"
    with pytest.raises(NotFound):
        load_flows(missing)


def test_the_person_s_traceback_is_kept(flow_file):
    """
    The cause of a FlowError is what the file raised.
    """
    with pytest.raises(FlowError) as caught:
        load_flows(flow_file("1 / 0"))

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("verb", ["run", "register"])
def test_running_at_the_end_of_a_file_only_warns(flow_file, verb):
    """
    flow.run() at module level does nothing while a file is loaded, and the description says in which line it stands.
    """
    path = flow_file(
        f"""
        from orchd import Flow, task
        with Flow("f") as flow:
            task(lambda: print("ran"), name="a")()
        assert flow.{verb}() is None
        """
    )
    described = describe_file(path)

    assert [flow.name for flow in described.flows] == ["f"]
    assert described.warnings == (
        f"{path}, line 5: Attempting to call `flow.{verb}` during execution of flow file will lead to unexpected "
        "results.",
    )


def test_a_module_beside_the_file_can_be_imported(flow_file):
    """
    The file's folder is the first on sys.path, also later, inside of tasks.
    """
    flow_file("VALUE = 7", name="beside_the_flow.py")
    path = flow_file(
        """
        from orchd import Flow, task

        def work():
            import beside_the_flow
            return beside_the_flow.VALUE

        with Flow("f") as flow:
            task(work)()
        """
    )
    state, _ = executed(load_flows(path)["f"])

    assert [each.result for each in state.result.values()] == [7]


def test_classes_of_a_flow_file_work_as_in_any_module(flow_file):
    """
    Dataclasses with postponed annotations can be made, and values of them can be read by a process that has not
    loaded the file.
    """
    path = flow_file(
        """
        from __future__ import annotations
        import dataclasses
        from orchd import Flow, task

        @dataclasses.dataclass
        class Point:
            x: int

        with Flow("f") as flow:
            task(lambda: Point(3), name="point")()
        """
    )
    (state,) = executed(load_flows(path)["f"])[0].result.values()
    stored = cloudpickle.dumps(state.result)
    code = f"import pickle; print(pickle.loads({stored!r}).x)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "3\n"
    assert pickle.loads(stored).x == 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, True),
        ([1, "a", 2.5, {"b": [True]}], True),
        ((1, 2), False),
        (float("nan"), False),
        (2**70, False),
        ({1: 2}, False),
        ({"a": object()}, False),
    ],
)
def test_json_is_judged_exactly(value, expected):
    """
    Only what JSON gives back unchanged counts as JSON.
    """
    assert is_json(value) is expected
