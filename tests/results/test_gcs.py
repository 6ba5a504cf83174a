"""
What only Google Cloud Storage has: its emulator, its credentials, uploads in parts.
"""

import types

import gcsfs
import gcsfs.core
import pytest

from orchd.errors import ConfigError
from orchd.results.gcs import GCSResult
from orchd.results.result import StorageError


@pytest.fixture
def in_parts(monkeypatch):
    """
    Uploads of more than 256 KiB go in parts, as those of more than 50 MiB do.
    """
    before = gcsfs.core.GCSFileSystem._pipe_file.__defaults__
    changed = tuple(2**18 if value == 50 * 2**20 else value for value in before)
    monkeypatch.setattr(gcsfs.core.GCSFileSystem._pipe_file, "__defaults__", changed)


@pytest.fixture
def no_pause(monkeypatch):
    """
    Nobody waits between two tries.
    """

    async def at_once(seconds):
        pass

    monkeypatch.setattr("gcsfs.retry.asyncio", types.SimpleNamespace(sleep=at_once))


def test_an_emulator_needs_no_scheme(gcs_bucket, gcs_url, monkeypatch):
    """
    STORAGE_EMULATOR_HOST may be host and port alone.
    """
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_url.removeprefix("http://"))
    GCSResult(gcs_bucket, location="x").write(1)

    assert GCSResult(gcs_bucket).read("x").value == 1


def test_a_large_value_goes_in_parts(gcs_bucket, in_parts):
    """
    It comes back as it went.
    """
    value = bytes(range(256)) * 2500
    GCSResult(gcs_bucket, location="big").write(value)

    assert GCSResult(gcs_bucket).read("big").value == value


def test_an_upload_that_fails_leaves_the_old_object(gcs_bucket, in_parts, no_pause, monkeypatch):
    """
    Whoever reads sees the old value.
    """
    GCSResult(gcs_bucket, location="big").write("old")
    send = gcsfs.core.upload_chunk

    async def stopping(fs, location, data, offset, *rest):
        if offset:
            raise OSError("no more")

        return await send(fs, location, data, offset, *rest)

    monkeypatch.setattr("gcsfs.core.upload_chunk", stopping)
    with pytest.raises(StorageError, match=r"^gs://\S+/big cannot be reached: "):
        GCSResult(gcs_bucket, location="big").write(bytes(600_000))

    assert GCSResult(gcs_bucket).read("big").value == "old"


def test_a_server_that_is_away_is_named(gcs_bucket, no_pause, monkeypatch):
    """
    A refused connection is a sentence, and nothing else is printed.
    """
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=r"^gs://\S+/x cannot be reached: ClientConnectorError: Cannot connect"):
        GCSResult(gcs_bucket).exists("x")


def test_credentials_may_be_a_secret(gcs_bucket, monkeypatch):
    """
    The secret GCP_CREDENTIALS holds the key of a service account; one that is none is refused in a sentence.
    """
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__GCP_CREDENTIALS", '{"type": "service_account"}')
    with pytest.raises(ConfigError, match="the secret GCP_CREDENTIALS is no key of a service account"):
        GCSResult(gcs_bucket).exists("x")
