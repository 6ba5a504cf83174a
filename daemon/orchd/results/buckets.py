"""
What results in buckets share: keys, whole objects, and errors in one sentence. Which service it is, others say.
"""

import importlib.util
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self

from orchd.errors import ConfigError
from orchd.results.result import Location, OutsideFolder, Result, StorageError
from orchd.results.serializers import Serializer

#: Seconds until a server that does not take a connection counts as away.
CONNECT_TIMEOUT_S: Final = 10
#: Seconds of silence in the middle of an answer after which it is asked again.
READ_TIMEOUT_S: Final = 20


class BucketResult(Result):
    """
    Keeps values as objects of a bucket. An object is there whole or not at all: a service shows it when its upload,
    in however many parts, is complete; one that fails is given up, and one whose process dies is never seen.
    """

    #: ``s3`` of ``s3://bucket/key``.
    scheme: str
    #: Module that speaks to the service, and the extra of orchd that brings it.
    package: str
    extra: str

    def __init__(
        self,
        bucket: str,
        *,
        value: Any = None,
        location: Location | None = None,
        serializer: Serializer | None = None,
    ) -> None:
        """
        Raises:
            ValueError: *bucket* is no name of a bucket.

            ImportError: the extra is not installed.
        """
        kind = type(self).__name__
        if not isinstance(bucket, str) or not bucket or "/" in bucket:
            raise ValueError(
                f"{kind} needs the plain name of a bucket, not {bucket!r}; write {kind}(bucket='name'), and folders "
                "into the location"
            )

        if importlib.util.find_spec(self.package) is None:
            raise ImportError(f"{kind} needs the package {self.package}: pip install 'orchd[{self.extra}]'")

        super().__init__(value=value, location=location, serializer=serializer)
        self.bucket = bucket

    def read(self, location: str) -> Self:
        """
        Return a copy that holds the value of the object at *location*.

        Raises:
            FileNotFoundError: nothing is there.

            StorageError: the service refuses, or does not answer.
        """
        new = self.copy()
        new.location = location
        with self._asking(location):
            data = self._files().cat_file(self._path(location))

        new.value = self.serializer.deserialize(data)
        return new

    def write(self, value_: Any, **kwargs: Any) -> Self:
        """
        Store *value_* whole or not at all, and return a copy that holds it and the key of its object.

        Raises:
            StorageError: there is no such bucket, the service refuses, or does not answer.
        """
        new = self.format(**kwargs)
        key = str(new.location) if new.location is not None else self.default_location
        path = self._path(key)
        data = self.serializer.serialize(value_)
        try:
            with self._asking(key):
                self._files().pipe_file(path, data, **self._upload_options())
        except FileNotFoundError:
            raise StorageError(
                f"there is no bucket {self.scheme}://{self.bucket}; make it, or name another one"
            ) from None

        new.location = key
        new.value = value_
        return new

    def exists(self, location: str, **kwargs: Any) -> bool:
        """
        True when an object is at *location*, after *kwargs* are filled in.

        Raises:
            StorageError: the service refuses, or does not answer.
        """
        key = location.format(**kwargs) if kwargs else location
        try:
            with self._asking(key):
                return bool(self._files().info(self._path(key))["type"] == "file")
        except FileNotFoundError:
            return False

    def _files(self) -> Any:
        raise NotImplementedError

    def _upload_options(self) -> Mapping[str, Any]:
        return {}

    def _path(self, location: str) -> str:
        # A key may hold anything, but on its way it is part of a URL, in which `..` would lead into another bucket.
        if not location or ".." in location.split("/"):
            raise OutsideFolder(
                f"The result location '{location}' is no key below {self.scheme}://{self.bucket}; "
                "write a name without '..'"
            )

        return f"{self.bucket}/{location}"

    @contextmanager
    def _asking(self, location: str) -> Iterator[None]:
        where = f"{self.scheme}://{self.bucket}/{location}"
        try:
            yield
        except (ConfigError, OutsideFolder, StorageError):
            raise
        except FileNotFoundError:
            raise FileNotFoundError(f"there is nothing at {where}") from None
        except Exception as exc:
            words = " ".join(str(exc).split()) or type(exc).__name__
            raise StorageError(f"{where} cannot be reached: {type(exc).__name__}: {words}") from exc


def quiet(name: str) -> None:
    """
    Keep the logger *name* of a library off the terminal where nobody has asked for it: its errors are told by ours.
    """
    logger = logging.getLogger(name)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
