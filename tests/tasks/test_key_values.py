"""
The store of keys and values.
"""

import os

import pytest

from orchd.tasks.key_values import delete_key, get_key_value, list_keys, set_key_value


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """
    Where results go.
    """
    monkeypatch.setenv("ORCHD_RESULTS_DIR", str(tmp_path / "results"))
    return tmp_path / "results"


def test_what_was_set_is_there_until_it_is_deleted():
    """
    The last value counts; any text is a key, and none leads out of the folder.
    """
    keys = ["last run", "../../up", ".hidden", "ü/ö", "a%2Fb", "..", ""]
    for number, key in enumerate(keys):
        assert set_key_value(key, {"n": 0}) == key
        set_key_value(key, {"n": number, "x": [None, "ü"]})

    assert [get_key_value(key)["n"] for key in keys] == list(range(len(keys)))
    assert list_keys() == sorted(keys)
    assert [delete_key(key) for key in keys] == [True] * len(keys)
    assert list_keys() == []


def test_a_key_that_is_not_there_is_an_error():
    """
    With its name.
    """
    with pytest.raises(ValueError, match="No value found for key: nope"):
        get_key_value("nope")

    with pytest.raises(ValueError, match="No key nope found to delete"):
        delete_key("nope")


def test_a_value_that_json_cannot_say_is_refused(folder):
    """
    Nothing is written.
    """
    with pytest.raises(TypeError, match="not JSON serializable"):
        set_key_value("k", object())

    assert not os.path.exists(folder)
