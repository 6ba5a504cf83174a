"""
Servers of buckets, and buckets in them.
"""

import itertools
import socket
from collections.abc import Callable, Iterator

import pytest

from orchd.results.buckets import BucketResult
from orchd.results.gcs import GCSResult
from orchd.results.s3 import S3Result
from support.bucket_servers import make_bucket, running

#: Every test has buckets of its own in servers that many share.
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """
    Where a server of the S3 protocol listens.
    """
    with running("s3") as url:
        yield url


@pytest.fixture(scope="session")
def gcs_url() -> Iterator[str]:
    """
    Where an emulator of Google Cloud Storage listens.
    """
    with running("gcs") as url:
        yield url


@pytest.fixture
def no_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """
    Nothing of whoever runs the tests names an account.
    """
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)

    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def s3_bucket(s3_url: str, no_cloud: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    Return the name of an empty bucket; endpoint and credentials are in the environment.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    name = f"bucket-{next(_NUMBERS)}"
    make_bucket("s3", s3_url, name)
    return name


@pytest.fixture
def gcs_bucket(gcs_url: str, no_cloud: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    Return the name of an empty bucket; the emulator is in the environment.
    """
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_url)
    name = f"bucket-{next(_NUMBERS)}"
    make_bucket("gcs", gcs_url, name)
    return name


@pytest.fixture(params=["s3", "gcs"])
def made(request: pytest.FixtureRequest) -> Callable[..., BucketResult]:
    """
    Return a function that makes results in an empty bucket of each service in turn.
    """
    bucket = request.getfixturevalue(f"{request.param}_bucket")
    kind = S3Result if request.param == "s3" else GCSResult
    return lambda **arguments: kind(bucket, **arguments)


@pytest.fixture
def silent_url() -> Iterator[str]:
    """
    Where a server takes connections and never says a word.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
