"""
How values become bytes, and results that are no files.
"""

import bz2
from datetime import UTC, datetime

import pandas as pd
import pytest

from orchd.results.formats import CompressedSerializer, DateTimeSerializer, JSONSerializer, PandasSerializer
from orchd.results.inline import ConstantResult, InlineResult, SecretResult
from orchd.results.serializers import PickleSerializer


@pytest.mark.parametrize(
    ("serializer", "value"),
    [
        (JSONSerializer(), {"a": [1, None]}),
        (DateTimeSerializer(), datetime(2020, 1, 2, 3, tzinfo=UTC)),
        (CompressedSerializer(PickleSerializer(), format="zlib"), {1, 2}),
        (
            CompressedSerializer(
                JSONSerializer(), compress=bz2.compress, decompress=bz2.decompress, compress_kwargs={"compresslevel": 1}
            ),
            "text",
        ),
    ],
)
def test_what_is_written_is_read(serializer, value):
    """
    A serializer reads what it wrote.
    """
    assert serializer.deserialize(serializer.serialize(value)) == value


def test_tables_are_written_as_files_of_pandas():
    """
    The file type and its arguments are those of pandas.
    """
    table = pd.DataFrame({"a": [1, 2]})
    csv = PandasSerializer("csv", serialize_kwargs={"index": False})

    assert csv.serialize(table) == b"a\n1\n2\n"
    assert csv.deserialize(csv.serialize(table)).equals(table)
    with pytest.raises(ValueError, match="Could not find deserialization methods for foo"):
        PandasSerializer("foo")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"format": "bz2", "compress": len, "decompress": len}, ValueError, "but not both"),
        ({}, ValueError, "You must specify either"),
        ({"format": "nosuchlib"}, ImportError, "Compression module for 'nosuchlib' is not installed"),
    ],
)
def test_compression_needs_one_way(arguments, error, message):
    """
    A module or two functions, not both and not neither.
    """
    with pytest.raises(error, match=message):
        CompressedSerializer(JSONSerializer(), **arguments)


def test_an_inline_result_is_its_location():
    """
    The location is the JSON text of the value.
    """
    written = InlineResult().write({"a": 1})

    assert (written.location, written.value) == ('{"a": 1}', {"a": 1})
    assert InlineResult().read('{"a": 1}').value == {"a": 1}
    assert (InlineResult().exists("1"), InlineResult().exists("{bad")) == (True, False)
    with pytest.raises(TypeError, match="only supports JSONSerializer or DateTimeSerializer"):
        InlineResult(serializer=PickleSerializer())


def test_a_constant_is_never_written():
    """
    It is always there, and refuses to be written; a secret cannot be stored at all.
    """
    constant = ConstantResult(value=3)

    assert (constant.read("x").value, constant.exists("x"), SecretResult(3).can_store) == (3, True, False)
    with pytest.raises(ValueError, match="Cannot write values"):
        constant.write(4)
    with pytest.raises(ValueError, match="Can't pass a serializer"):
        ConstantResult(serializer=JSONSerializer())
