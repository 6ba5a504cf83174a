"""
Where secrets come from, and that their values are hidden in text.
"""

import json

import pytest

from orchd.errors import ConfigError
from orchd.results.secrets import HIDDEN, find_secret, handed_out, hidden, read_secrets_file


@pytest.fixture
def secrets_file(tmp_path, monkeypatch):
    """
    Return a function that writes a secrets file with a mode, and names it in the environment.
    """

    def write(data, *, mode=0o600):
        path = tmp_path / "secrets.toml"
        path.write_bytes(data)
        path.chmod(mode)
        monkeypatch.setenv("ORCHD_SECRETS_FILE", str(path))
        return path

    return write


def test_the_environment_goes_before_the_file(secrets_file, monkeypatch):
    """
    JSON text of the environment becomes what it says; values of the file are those of TOML.
    """
    secrets_file(b'A = "file"\nB = "file"\n[C]\nx = 1\n')
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__A", '{"from": "environment"}')
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__LOUD", "word")

    assert [find_secret(name, None) for name in ("A", "B", "C", "D")] == [
        {"from": "environment"},
        "file",
        {"x": 1},
        None,
    ]
    assert find_secret("loud", None) == "word"


def test_the_file_is_in_the_home_folder_by_default(tmp_path, monkeypatch):
    """
    Without ORCHD_SECRETS_FILE it is ~/.orchd/secrets.toml, and need not be there.
    """
    monkeypatch.delenv("ORCHD_SECRETS_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    absent = find_secret("A", None)
    path = tmp_path / ".orchd" / "secrets.toml"
    path.parent.mkdir()
    path.write_text('A = "here"')
    path.chmod(0o600)

    assert (absent, find_secret("A", None)) == (None, "here")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o610])
def test_a_file_for_others_is_refused(secrets_file, mode):
    """
    The sentence says which file, its mode, and what to type.
    """
    path = secrets_file(b'A = "topsecret"', mode=mode)
    with pytest.raises(ConfigError, match=f"{path} has mode {mode:04o}, so others .*: chmod 600 {path}$"):
        find_secret("A", None)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_is_read(secrets_file, mode):
    """
    Whether or not the owner may write it.
    """
    assert read_secrets_file(secrets_file(b'A = "topsecret"', mode=mode)) == {"A": "topsecret"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'A = "x"\nB = topsecret\n', r"is no TOML \(line 2\): write NAME = \"value\" lines$"),
        (b'A = "topsecret\xff"', "is not UTF-8 text: save it as UTF-8$"),
    ],
)
def test_a_broken_file_is_named_without_its_values(secrets_file, data, message):
    """
    The line is told, what stands in it is not.
    """
    with pytest.raises(ConfigError, match=message) as caught:
        read_secrets_file(secrets_file(data))

    assert "topsecret" not in str(caught.value)


def test_a_file_that_is_named_must_be_there(tmp_path, monkeypatch):
    """
    A wrong path is a sentence.
    """
    monkeypatch.setenv("ORCHD_SECRETS_FILE", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: No such file or directory$"):
        find_secret("A", None)


@pytest.mark.parametrize(
    "write",
    [str, repr, lambda text: repr(repr(text)), json.dumps, lambda text: json.dumps(json.dumps(text)), str.splitlines],
    ids=["plain", "repr", "repr of repr", "json", "json of json", "lines"],
)
def test_a_secret_is_hidden_however_it_is_written(write):
    """
    Quotes, line ends and letters beyond ASCII are escaped in messages; no part of the value is left.
    """
    value = handed_out({"key": "pa'ss\"wo\\rd\nzweite Zeile ü€😀\tEnde"})["key"]
    written = write(value)
    left = hidden(written if isinstance(written, str) else " ".join(written))

    assert HIDDEN in left
    assert not any(part in left for part in ("pa", "wo", "zweite", "Ende"))


def test_what_is_in_a_secret_is_hidden_too():
    """
    Texts and numbers in tables and lists; what is too short to be a secret is left alone.
    """
    handed_out({"user": "somebody", "pins": [123456, 7], "on": True, "none": None, "raw": b"bytes-too"})

    assert hidden("somebody 123456 7 True None bytes-too") == f"{HIDDEN} {HIDDEN} 7 True None {HIDDEN}"
