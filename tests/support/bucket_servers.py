"""
Servers of buckets as processes of their own: moto's for S3, an emulator of Google Cloud Storage. ``python -m
support.bucket_servers s3|gcs`` prints the URL, and serves until its input ends.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcp_storage_emulator.server import create_server
from moto.moto_server.threaded_moto_server import ThreadedMotoServer


@contextmanager
def running(kind: str) -> Iterator[str]:
    """
    Give the URL of a server of *kind*, ``s3`` or ``gcs``, that lives as long as the block.
    """
    words = [sys.executable, "-m", "support.bucket_servers", kind]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield next(line for line in process.stdout if line.startswith("http://")).strip()
        finally:
            process.stdin.close()


def make_bucket(kind: str, url: str, name: str) -> None:
    """
    Make an empty bucket in the server of *kind* at *url*.
    """
    if kind == "s3":
        asked = urllib.request.Request(f"{url}/{name}", method="PUT")
    else:
        body = b'{"name": "%s"}' % name.encode()
        header = {"Content-Type": "application/json"}
        asked = urllib.request.Request(f"{url}/storage/v1/b?project=test", data=body, headers=header)

    urllib.request.urlopen(asked).close()


def main(kind: str) -> None:
    """
    Serve.
    """
    server = create_server("127.0.0.1", 0, in_memory=True) if kind == "gcs" else ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server._api._httpd.server_address if kind == "gcs" else server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
