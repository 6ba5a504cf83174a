"""
What only S3 has: endpoints and credentials as boto3 takes them, options of an upload, uploads in parts.
"""

import json
import subprocess
import sys
import urllib.request

import pytest
from botocore.config import Config

from orchd.errors import ConfigError
from orchd.results.result import StorageError
from orchd.results.s3 import S3Result

#: An upload in three parts, of which the last is never said to be complete.
UNFINISHED = """
import asyncio, sys
import s3fs
from orchd.results.s3 import S3Result

s3fs.S3FileSystem._pipe_file.__defaults__ = (5 * 2**20, *s3fs.S3FileSystem._pipe_file.__defaults__[1:])
call = s3fs.S3FileSystem._call_s3

async def stopping(self, method, *args, **kwargs):
    if method == "{method}":
        {what}
    return await call(self, method, *args, **kwargs)

s3fs.S3FileSystem._call_s3 = stopping
try:
    S3Result("{bucket}", location="big").write(bytes(11 * 2**20))
except OSError as exc:
    print(exc)
"""
HANG = 'print("uploaded", flush=True); await asyncio.Event().wait()'


def parts_of(s3_url, bucket):
    """
    Return what the server says of unfinished uploads.
    """
    with urllib.request.urlopen(f"{s3_url}/{bucket}?uploads") as answer:
        return answer.read().decode().count("<UploadId>")


@pytest.mark.parametrize("way", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "boto3_kwargs"])
def test_an_endpoint_is_given_as_to_boto3(s3_bucket, s3_url, monkeypatch, way):
    """
    By either variable, or by boto3_kwargs.
    """
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    if way != "boto3_kwargs":
        monkeypatch.setenv(way, s3_url)

    given = {"endpoint_url": s3_url} if way == "boto3_kwargs" else None
    result = S3Result(s3_bucket, given, location="x")
    result.write(way)

    assert result.read("x").value == way


@pytest.mark.parametrize("way", ["boto3_kwargs", "environment", "file"])
def test_credentials_may_be_a_secret(s3_bucket, monkeypatch, tmp_path, way):
    """
    boto3_kwargs, and the secret AWS_CREDENTIALS of the environment or the secrets file, stand for boto3's own ways.
    """
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    held = {"ACCESS_KEY": "test", "SECRET_ACCESS_KEY": "tset"}
    given = {"aws_access_key_id": "test", "aws_secret_access_key": "tset"} if way == "boto3_kwargs" else None
    if way == "environment":
        monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__AWS_CREDENTIALS", json.dumps(held))
    elif way == "file":
        path = tmp_path / "secrets.toml"
        path.write_text('[AWS_CREDENTIALS]\nACCESS_KEY = "test"\nSECRET_ACCESS_KEY = "tset"\n')
        path.chmod(0o600)
        monkeypatch.setenv("ORCHD_SECRETS_FILE", str(path))

    S3Result(s3_bucket, given, location="x").write(1)

    assert S3Result(s3_bucket, given).exists("x")


def test_without_credentials_a_sentence_says_so(s3_bucket, monkeypatch):
    """
    Nothing is asked of anybody.
    """
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageError, match=r"^s3://\S+ cannot be reached: NoCredentialsError: Unable to locate"):
        S3Result(s3_bucket).write(1)


def test_a_secret_of_another_form_is_refused(s3_bucket, monkeypatch):
    """
    The message does not tell it.
    """
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__AWS_CREDENTIALS", "topsecret")
    with pytest.raises(ConfigError, match="the secret AWS_CREDENTIALS is no table") as caught:
        S3Result(s3_bucket).write(1)

    assert "topsecret" not in str(caught.value)


def test_a_server_that_is_away_is_named(s3_bucket, monkeypatch):
    """
    A refused connection is a sentence, after a few tries.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=r"cannot be reached: EndpointConnectionError: Could not connect"):
        S3Result(s3_bucket, {"config": {"retries": {"total_max_attempts": 1}}}).exists("x")


@pytest.mark.parametrize("config", [Config, dict])
def test_a_server_that_is_silent_is_given_up(s3_bucket, silent_url, config):
    """
    Time limits and tries are those of botocore's config, as an object or as a mapping.
    """
    given = {"endpoint_url": silent_url, "config": config(read_timeout=0.2, retries={"total_max_attempts": 1})}
    with pytest.raises(StorageError, match=r"cannot be reached: ReadTimeoutError: Read timeout"):
        S3Result(s3_bucket, given).exists("x")


def test_an_upload_takes_options(s3_bucket, s3_url):
    """
    They are those of the classic tool's upload.
    """
    S3Result(s3_bucket, upload_options={"ACL": "public-read", "Metadata": {"made": "here"}}, location="x").write(1)
    with urllib.request.urlopen(f"{s3_url}/{s3_bucket}/x") as answer:
        assert answer.headers["x-amz-meta-made"] == "here"


def test_an_upload_that_fails_is_given_up(s3_bucket, s3_url):
    """
    No object is there, and its parts are taken back.
    """
    script = UNFINISHED.format(
        method="complete_multipart_upload", what='raise RuntimeError("no more")', bucket=s3_bucket
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == f"s3://{s3_bucket}/big cannot be reached: RuntimeError: no more\n"
    assert (S3Result(s3_bucket).exists("big"), parts_of(s3_url, s3_bucket)) == (False, 0)


def test_a_kill_between_two_parts_leaves_the_old_object(s3_bucket, s3_url):
    """
    Whoever reads sees the old value; the parts wait for the bucket's own rule, as nobody is left to take them back.
    """
    S3Result(s3_bucket, location="big").write("old")
    script = UNFINISHED.format(method="complete_multipart_upload", what=HANG, bucket=s3_bucket)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "uploaded\n"
        process.kill()

    assert S3Result(s3_bucket).read("big").value == "old"
    assert parts_of(s3_url, s3_bucket) == 1
