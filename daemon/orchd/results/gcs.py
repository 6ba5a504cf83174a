"""
Results in Google Cloud Storage.
"""

import importlib
import os
from collections.abc import Mapping
from typing import Any

from orchd.errors import ConfigError
from orchd.results.buckets import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, BucketResult, quiet
from orchd.results.secrets import find_secret


class GCSResult(BucketResult):
    """
    Keeps values as objects of a bucket of Google Cloud Storage.

    Credentials are found as Google's libraries find them (``GOOGLE_APPLICATION_CREDENTIALS``, gcloud's, the role of
    the machine), unless the secret ``GCP_CREDENTIALS`` holds a service account's key. Where ``STORAGE_EMULATOR_HOST``
    names an emulator, none are needed.
    """

    scheme = "gs"
    package = "gcsfs"
    extra = "gcs"

    def _files(self) -> Any:
        quiet("gcsfs")
        token = find_secret("GCP_CREDENTIALS", None)
        if token is None and os.environ.get("STORAGE_EMULATOR_HOST"):
            token = "anon"
        elif token is not None and not (isinstance(token, Mapping) and {"client_email", "private_key"} <= token.keys()):
            raise ConfigError(
                "the secret GCP_CREDENTIALS is no key of a service account; write the JSON that Google gave for it"
            )

        timeout = importlib.import_module("aiohttp").ClientTimeout(
            total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S
        )
        # Not gcsfs.GCSFileSystem, which asks another service for the kind of each bucket; emulators have none.
        return importlib.import_module("gcsfs.core").GCSFileSystem(
            token=token,
            requests_timeout=timeout,
            use_listings_cache=False,
        )
