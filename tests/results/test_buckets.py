"""
Results in buckets, of a real S3 protocol server and of a real emulator of Google Cloud Storage alike.
"""

import pickle
import subprocess
import sys

import pandas as pd
import pytest

from orchd import Flow, Parameter, task
from orchd.results.formats import CompressedSerializer, JSONSerializer, PandasSerializer
from orchd.results.gcs import GCSResult
from orchd.results.result import OutsideFolder, StorageError
from orchd.results.s3 import S3Result
from support.recording import executed


def counted(**task_args):
    """
    Return a flow of one task that counts its runs, the task, and the counter.
    """
    runs = []
    with Flow("my flow") as flow:
        last = task(lambda x: runs.append(x) or [x], name="work", **task_args)(Parameter("x", default=3))

    return flow, last, runs


def test_what_is_written_is_read(made):
    """
    write gives a copy with the key, read the value, exists the truth, and the first result is left alone.
    """
    result = made(location="sub/{n}.pkl")
    written = result.write({"a": 1}, n=5)

    assert (written.location, written.value, result.location) == ("sub/5.pkl", {"a": 1}, "sub/{n}.pkl")
    assert result.read("sub/5.pkl").value == {"a": 1}
    assert (result.exists("sub/{n}.pkl", n=5), result.exists("sub/6.pkl"), result.exists("sub")) == (True, False, False)
    with pytest.raises(FileNotFoundError, match=r"there is nothing at (s3|gs)://bucket-\d+/nope"):
        result.read("nope")


def test_a_value_without_a_location_gets_a_name_of_its_own(made):
    """
    Two writes do not meet.
    """
    first, second = made().write(1), made().write(2)

    assert first.location != second.location
    assert made().read(first.location).value == 1


def test_what_is_written_again_is_read_anew(made):
    """
    No reader sees a stale list or a stale object.
    """
    result = made(location="same")
    assert not result.exists("same")
    result.write(1)
    assert result.read("same").value == 1
    result.write(2)

    assert result.read("same").value == 2


@pytest.mark.parametrize(
    "serializer",
    [
        JSONSerializer(),
        PandasSerializer("csv", serialize_kwargs={"index": False}),
        CompressedSerializer(PandasSerializer("json"), format="gzip"),
    ],
    ids=["json", "csv", "json.gz"],
)
def test_serializers_choose_the_bytes(made, serializer):
    """
    Tables as files of pandas, compressed or not, and JSON come back as they went.
    """
    value = [1, "a"] if isinstance(serializer, JSONSerializer) else pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    result = made(serializer=serializer, location="v")
    result.write(value)
    read = result.read("v").value

    assert read.equals(value) if isinstance(value, pd.DataFrame) else read == value


def test_a_target_in_a_bucket_spares_the_run(made):
    """
    Under execute the first run writes a templated target, the second is Cached and says where it was found.
    """
    flow, last, runs = counted(target="{flow_name}/{x}/{task_name}.pkl")
    flow.result = made()
    _, first = executed(flow)
    state, told = executed(flow)

    assert runs == [3]
    assert state.result[last].result == [3]
    assert state.result[last].message == "Result found at task target my flow/3/work.pkl"
    assert (first.moves[-1].location, told.states("work-1")) == ("my flow/3/work.pkl", ["cached"])


def test_an_unreadable_target_counts_as_absent(made):
    """
    A torn object is warned about, the task runs, and the object is whole again.
    """
    torn = type("Torn", (JSONSerializer,), {"serialize": lambda self, value: pickle.dumps([1, 2, 3])[:-3]})
    made(serializer=torn(), location="t.pkl").write(0)
    flow, last, runs = counted(result=made(), target="t.pkl")
    state, told = executed(flow)

    assert (runs, state.result[last].is_successful(), made().read("t.pkl").value) == ([3], True, [3])
    assert any("the result at target t.pkl cannot be read" in text for text in told.texts())


def test_flow_run_writes_when_the_environment_says_so(made, monkeypatch):
    """
    flow.run() stores results in a bucket with ORCHD__FLOWS__CHECKPOINTING=true, and not without.
    """
    flow, _, _ = counted(result=made(location="out"))
    flow.run()
    before = made().exists("out")
    monkeypatch.setenv("ORCHD__FLOWS__CHECKPOINTING", "true")
    flow.run()

    assert (before, made().read("out").value) == (False, [3])


@pytest.mark.parametrize("location", ["../other/key", "a/../../b", ""])
def test_a_key_that_leaves_its_bucket_is_refused(made, location):
    """
    On its way a key is part of a URL, where .. would lead into another bucket.
    """
    with pytest.raises(OutsideFolder, match="is no key below"):
        made().exists(location)


def test_a_bucket_that_is_not_there_is_named(made):
    """
    The task fails with one sentence that says which bucket, and what to do.
    """
    there = made()
    there.bucket = "no-such-bucket"
    flow, last, _ = counted(result=there)
    state, _ = executed(flow)

    assert state.result[last].message == (
        f"there is no bucket {there.scheme}://no-such-bucket; make it, or name another one"
    )


@pytest.mark.parametrize("kind", [S3Result, GCSResult])
@pytest.mark.parametrize("bucket", [None, "", "s3://name", "name/folder"])
def test_a_bucket_has_a_plain_name(kind, bucket):
    """
    Anything else is refused where it is written.
    """
    with pytest.raises(ValueError, match="needs the plain name of a bucket"):
        kind(bucket)


@pytest.mark.parametrize(("kind", "package", "extra"), [("s3", "s3fs", "s3"), ("gcs", "gcsfs", "gcs")])
def test_without_the_extra_a_sentence_says_which(kind, package, extra):
    """
    The package is needed when a result is made, not when its name is imported.
    """
    script = f"""
import sys
sys.modules["{package}"] = None
from orchd.results.{kind} import {kind.upper()}Result
try:
    {kind.upper()}Result("name")
except ImportError as exc:
    print(exc)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == f"{kind.upper()}Result needs the package {package}: pip install 'orchd[{extra}]'\n"


def test_results_in_buckets_are_values(made):
    """
    Equal by all they hold, also after a pickle, as executors send them.
    """
    result = made(location="a")

    assert pickle.loads(pickle.dumps(result)) == result
    assert made(location="b") != result


def test_a_refusal_is_one_sentence():
    """
    Words of a library on several lines are told on one.
    """
    broken = S3Result("name")
    broken._files = lambda: (_ for _ in ()).throw(RuntimeError("first\n  second"))
    with pytest.raises(StorageError, match=r"^s3://name/x cannot be reached: RuntimeError: first second$"):
        broken.exists("x")


def test_results_with_tables_can_be_compared(made):
    """
    Tables have no one answer to whether they are equal: only the very same one is.
    """
    table = pd.DataFrame({"a": [1]})
    first, second = made().from_value(table), made().from_value(table.copy())

    assert first == first.copy()
    assert first != second
