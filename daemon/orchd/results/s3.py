"""
Results in S3, and in whatever speaks its protocol.
"""

import functools
import importlib
import os
from collections.abc import Mapping
from typing import Any, Final

from orchd.errors import ConfigError
from orchd.results.buckets import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, BucketResult
from orchd.results.result import Location
from orchd.results.secrets import find_secret
from orchd.results.serializers import Serializer

#: Key of the secret ``AWS_CREDENTIALS`` -> what boto3 calls it.
_CREDENTIALS: Final = {
    "ACCESS_KEY": "aws_access_key_id",
    "SECRET_ACCESS_KEY": "aws_secret_access_key",
    "SESSION_TOKEN": "aws_session_token",
}


class S3Result(BucketResult):
    """
    Keeps values as objects of a bucket of S3.

    Credentials, region and endpoint are found as boto3 finds them (``AWS_*`` of the environment, its files, the role
    of the machine), unless *boto3_kwargs* or the secret ``AWS_CREDENTIALS`` (``ACCESS_KEY``, ``SECRET_ACCESS_KEY``,
    ``SESSION_TOKEN``) say them.
    """

    scheme = "s3"
    package = "s3fs"
    extra = "s3"

    def __init__(
        self,
        bucket: str,
        boto3_kwargs: Mapping[str, Any] | None = None,
        upload_options: Mapping[str, Any] | None = None,
        *,
        value: Any = None,
        location: Location | None = None,
        serializer: Serializer | None = None,
    ) -> None:
        """
        Args:
            boto3_kwargs: of ``boto3.client("s3", ...)``: ``endpoint_url``, ``region_name``, ``aws_access_key_id`` ...;
                ``config`` may be botocore's, or a mapping of its options.

            upload_options: of the upload: ``ServerSideEncryption``, ``StorageClass``, ``Metadata`` ...

        Raises:
            ValueError: *bucket* is no name of a bucket.

            ImportError: the extra ``s3`` is not installed.
        """
        super().__init__(bucket, value=value, location=location, serializer=serializer)
        self.boto3_kwargs = dict(boto3_kwargs or {})
        self.upload_options = dict(upload_options or {})

    def _files(self) -> Any:
        client = self._credentials() | self.boto3_kwargs
        config = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "read_timeout": READ_TIMEOUT_S,
            "retries": {"mode": "standard", "total_max_attempts": 3},
        } | _options(client.pop("config", None))
        made = importlib.import_module("s3fs").S3FileSystem(
            session=_session(tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))),
            client_kwargs=client,
            config_kwargs=config,
            use_listings_cache=False,
        )
        # botocore has tried often enough; five times its patience would be minutes.
        made.retries = 1
        return made

    def _upload_options(self) -> Mapping[str, Any]:
        return self.upload_options

    def _credentials(self) -> dict[str, Any]:
        if "aws_access_key_id" in self.boto3_kwargs:
            return {}

        held = find_secret("AWS_CREDENTIALS", {})
        if not isinstance(held, Mapping):
            raise ConfigError("the secret AWS_CREDENTIALS is no table; write ACCESS_KEY and SECRET_ACCESS_KEY into it")

        return {name: held[key] for key, name in _CREDENTIALS.items() if held.get(key)}


@functools.cache
def _session(environment: tuple[tuple[str, str], ...]) -> Any:
    """
    Return what looks for endpoint and credentials in *environment*, and keeps them; s3fs keeps its connections by it.
    """
    return importlib.import_module("aiobotocore.session").AioSession()


def _options(config: Any) -> dict[str, Any]:
    """
    Return the options that a ``botocore.config.Config`` sets, by name.
    """
    if config is None or isinstance(config, Mapping):
        return dict(config or {})

    unset = config.OPTION_DEFAULTS
    return {name: value for name in unset if (value := getattr(config, name, unset[name])) != unset[name]}
