"""
Results on disk: where they go, that they are whole, and targets that spare a task its run.
"""

import base64
import os
import pickle
import threading

import pytest

import orchd
from orchd import Flow, LocalResult, Parameter, task
from orchd.results.result import Result
from orchd.results.serializers import PickleSerializer
from orchd.results.whole import write_whole
from support.recording import executed


def counted(**task_args):
    """
    Return a flow of one task that counts its runs, the task, and the counter.
    """
    runs = []
    with Flow("my flow") as flow:
        last = task(lambda x: runs.append(x) or [x], name="work", **task_args)(Parameter("x", default=3))

    return flow, last, runs


def files(folder):
    """
    Return the files below *folder*.
    """
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("plain.pkl", "plain.pkl"),
        ("{flow_name}/{task_name}.pkl", "my flow/work.pkl"),
        ("{task_slug}-{x}-{parameters[x]:03d}", "work-1-3-003"),
        ("{date:%a_%b_%d_%Y_%H:%M:%S}/{task_name}_output", "Sat_Nov_06_2021_15:37:29/work_output"),
        ("{date:YYYY-MM-DD}-{map_index}-{{literal}}", "2021-11-06-None-{literal}"),
        ("{today_nodash}/{yesterday}/{tomorrow}", "20211106/2021-11-05/2021-11-07"),
    ],
)
@pytest.mark.parametrize("where", ["location", "target"])
def test_locations_are_templates(tmp_path, location, name, where):
    """
    Parameters, keys of the context and inputs fill in a location or a target.
    """
    flow, last, _ = counted(**{where: location} if where == "target" else {})
    flow.result = LocalResult(dir=tmp_path, location=location if where == "location" else None)
    state = flow.run(context={"date": "2021-11-06T15:37:29.605869+00:00", "checkpointing": True})

    assert files(tmp_path) == [name]
    assert state.result[last]._result.location == str(tmp_path / name)
    assert LocalResult(dir=tmp_path).read(name).value == [3]


def test_a_target_that_is_there_spares_the_run(tmp_path):
    """
    The second run reads the stored result, is Cached, and says where it was found.
    """
    flow, last, runs = counted(target="t.pkl")
    flow.result = LocalResult(dir=tmp_path)
    executed(flow)
    state, told = executed(flow)

    assert runs == [3]
    assert state.result[last].result == [3]
    assert state.result[last].message == "Result found at task target t.pkl"
    assert told.states("work-1") == ["cached"]
    assert told.moves[-1].location == "t.pkl"


@pytest.mark.parametrize("torn", [b"", b"not a pickle", pickle.dumps([1, 2, 3])[:-3]])
def test_an_unreadable_target_counts_as_absent(tmp_path, torn):
    """
    A torn target is warned about, the task runs, and the target is whole again.
    """
    (tmp_path / "t.pkl").write_bytes(torn)
    flow, last, runs = counted(result=LocalResult(dir=tmp_path), target="t.pkl")
    state, told = executed(flow)

    assert runs == [3]
    assert state.result[last].is_successful()
    assert LocalResult(dir=tmp_path).read("t.pkl").value == [3]
    assert any("the result at target t.pkl cannot be read" in text for text in told.texts())


@pytest.mark.parametrize("target", ["../out.pkl", "a/../../out.pkl", "/{task_name}.pkl", "{x}/../../{x}"])
def test_a_path_that_leaves_its_folder_is_refused(tmp_path, target):
    """
    Neither .. nor an absolute path leads out of the result's folder.
    """
    folder = tmp_path / "results"
    flow, last, runs = counted(result=LocalResult(dir=folder), target=target)
    state, _ = executed(flow)

    assert runs == []
    assert "leaves its folder" in state.result[last].message
    assert files(tmp_path) == []


def test_without_checkpointing_nothing_is_written(tmp_path):
    """
    flow.run() in a terminal stores nothing unless the environment says so.
    """
    flow, last, _ = counted(result=LocalResult(dir=tmp_path))
    state = flow.run()

    assert state.result[last].is_successful()
    assert files(tmp_path) == []


def test_the_context_around_turns_checkpointing_on_or_off(tmp_path, monkeypatch):
    """
    It counts more than the setting, as it always did; what the run itself is given counts more still.
    """
    flow, _, _ = counted(result=LocalResult(dir=tmp_path, location="r"))
    with orchd.context(checkpointing=True):
        flow.run(context={"checkpointing": False})
        assert files(tmp_path) == []

        flow.run()
        assert files(tmp_path) == ["r"]

    (tmp_path / "r").unlink()
    monkeypatch.setenv("ORCHD__FLOWS__CHECKPOINTING", "true")
    with orchd.context(checkpointing=False):
        flow.run()

    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("more", "is_on", "words"),
    [
        ({}, True, "so the task runs and writes it anew."),
        ({}, False, "so the task runs; nothing is written, as its results are not stored."),
        ({"checkpoint": False}, True, "so the task runs; nothing is written, as its results are not stored."),
    ],
)
def test_a_target_that_cannot_be_read_says_whether_it_is_written_anew(tmp_path, caplog, more, is_on, words):
    """
    It is where results are stored, and neither the run nor the task says otherwise.
    """
    flow, _, runs = counted(target="t.pkl", result=LocalResult(dir=tmp_path), **more)
    (tmp_path / "t.pkl").write_bytes(b"torn")
    with orchd.context(checkpointing=is_on):
        flow.run()

    assert words in caplog.text
    assert runs == [3]
    assert ((tmp_path / "t.pkl").read_bytes() != b"torn") == words.endswith("anew.")


@pytest.mark.parametrize(
    ("is_on", "is_there", "words", "calls"),
    [
        (True, False, ": the second is given what is stored there; write", [1]),
        (False, True, ": the second is given what is stored there; write", []),
        (False, False, ": nothing can be read there, so the second runs too; where results are stored, it is", [1, 2]),
    ],
)
def test_two_tasks_with_one_target_are_told_what_comes_of_it(tmp_path, caplog, is_on, is_there, words, calls):
    """
    The second is given a result only when there is one.
    """
    result, called = LocalResult(dir=tmp_path), []
    if is_there:
        (tmp_path / "t.pkl").write_bytes(pickle.dumps(7))

    @task(target="t.pkl", result=result)
    def work(x):
        called.append(x)
        return x

    with Flow("f") as flow:
        work(2, upstream_tasks=[work(1)])

    with orchd.context(checkpointing=is_on):
        flow.run()

    assert words in caplog.text
    assert called == calls


def test_the_environment_turns_checkpointing_on(tmp_path, monkeypatch):
    """
    ORCHD__FLOWS__CHECKPOINTING=true stores results of flow.run() too, under a name made from the time.
    """
    monkeypatch.setenv("ORCHD__FLOWS__CHECKPOINTING", "true")
    flow, _, _ = counted(result=LocalResult(dir=tmp_path))
    flow.run()

    (name,) = files(tmp_path)
    assert name.startswith("orchd-result-20")


def test_checkpoint_false_is_never_stored(tmp_path):
    """
    A task may keep its result to itself.
    """
    flow, _, _ = counted(result=LocalResult(dir=tmp_path), checkpoint=False)
    executed(flow)

    assert files(tmp_path) == []


def test_what_cannot_be_pickled_is_said_clearly(tmp_path):
    """
    The task fails with a sentence that names the type and what to do; nothing is left on disk.
    """
    with Flow("f") as flow:
        last = task(lambda: threading.Lock(), name="lock", result=LocalResult(dir=tmp_path))()

    state, told = executed(flow)

    assert state.is_failed()
    assert state.result[last].message.startswith(
        "The result of task 'lock' cannot be stored: a value of type 'lock' cannot be pickled"
    )
    assert "checkpoint=False" in state.result[last].message
    assert told.states("lock-1") == ["running", "failed"]
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("where", "ran"),
    [("target", []), ("location", [3])],
)
def test_an_unknown_key_fails_the_task(tmp_path, where, ran):
    """
    A target is filled in before the task runs, a location after.
    """
    if where == "target":
        flow, last, runs = counted(target="{nokey}")
        flow.result = LocalResult(dir=tmp_path)
    else:
        flow, last, runs = counted()
        flow.result = LocalResult(dir=tmp_path, location="{nokey}")

    state, _ = executed(flow)

    assert state.result[last].message == "Unexpected error: KeyError('nokey')"
    assert runs == ran


def test_a_target_needs_a_result():
    """
    A target without any result says that one must be chosen.
    """
    flow, last, _ = counted(target="t.pkl")
    state, _ = executed(flow)

    assert state.result[last].message.startswith("Unexpected error: ResultNotImplementedError('Not implemented on")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    """
    Whoever reads sees the old file or the new one, and no temporary one is left behind.
    """
    write_whole(tmp_path / "f", b"old")

    def broken(descriptor):
        raise OSError("disk gone")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="disk gone"):
        write_whole(tmp_path / "f", b"new")

    assert (tmp_path / "f").read_bytes() == b"old"
    assert files(tmp_path) == ["f"]


def test_write_and_read(tmp_path):
    """
    write gives a copy with the full path, read gives the value, and the first result is left alone.
    """
    result = LocalResult(dir=tmp_path, location="sub/{n}.pkl")
    written = result.write({"a": 1}, n=5)

    assert written.location == str(tmp_path / "sub" / "5.pkl")
    assert result.location == "sub/{n}.pkl"
    assert result.exists("sub/{n}.pkl", n=5)
    assert not result.exists("nope")
    assert result.read("sub/5.pkl").value == result.read(written.location).value == {"a": 1}
    with pytest.raises(FileNotFoundError):
        result.read("nope")


def test_a_location_may_be_a_function(tmp_path):
    """
    It gets all keys as keywords.
    """
    written = LocalResult(dir=tmp_path, location=lambda n, **keys: f"made-{n}").write(1, n=7, other=8)

    assert written.location == str(tmp_path / "made-7")


def test_the_default_folder_comes_from_the_environment(tmp_path, monkeypatch):
    """
    ORCHD_RESULTS_DIR is where results go that name no folder; an absolute location may then lie anywhere.
    """
    monkeypatch.setenv("ORCHD_RESULTS_DIR", str(tmp_path))

    assert LocalResult().write(1).location.startswith(str(tmp_path))
    assert LocalResult().path_of("/elsewhere/x") == LocalResult(dir="/elsewhere").path_of("x")


def test_functions_survive_pickling():
    """
    What plain pickle cannot store, functions written anywhere, cloudpickle can.
    """
    serializer = PickleSerializer()
    double = serializer.deserialize(serializer.serialize(lambda x: 2 * x))

    assert double(4) == 8
    assert serializer == PickleSerializer()


def test_the_plain_result_stores_nothing():
    """
    It holds a value, and says so when asked to store it.
    """
    assert not Result(5).can_store
    assert repr(Result(5)) == "<Result: 5>"
    with pytest.raises(NotImplementedError, match="choosing a Result subclass"):
        Result().write(5)


def test_pickles_in_base64_are_read():
    """
    Old classic releases wrote them so; other text is no pickle.
    """
    assert PickleSerializer().deserialize(base64.b64encode(pickle.dumps([1]))) == [1]
    with pytest.raises(pickle.UnpicklingError):
        PickleSerializer().deserialize(b"zzz")


def test_results_are_values():
    """
    Equal by all they hold; a copy for another value forgets where the first one lies.
    """
    first = LocalResult(dir="/x", location="a")

    assert first == first.copy()
    assert first != LocalResult(dir="/y", location="a")
    assert (first.from_value(3).value, first.from_value(3).location) == (3, None)
