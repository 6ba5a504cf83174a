"""
Further ways in which a value becomes bytes: JSON, instants, tables, and any of them compressed.
"""

import importlib
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pendulum

from orchd.results.serializers import PickleSerializer as PickleSerializer
from orchd.results.serializers import Serializer as Serializer


class JSONSerializer(Serializer):
    """
    Writes JSON text.
    """

    def serialize(self, value: Any) -> bytes:
        """
        Return *value* as JSON.
        """
        return json.dumps(value).encode()

    def deserialize(self, value: bytes | str) -> Any:
        """
        Return what the JSON text says.
        """
        return json.loads(value)


class DateTimeSerializer(Serializer):
    """
    Writes an instant as ISO 8601 text.
    """

    def serialize(self, value: datetime) -> bytes:
        """
        Return *value*, in UTC where it names no zone, as text.
        """
        return pendulum.instance(value).to_iso8601_string().encode()

    def deserialize(self, value: bytes | str) -> Any:
        """
        Return the instant as a pendulum DateTime.
        """
        return pendulum.parse(value.decode() if isinstance(value, bytes) else value)


class PandasSerializer(Serializer):
    """
    Writes tables of pandas in one of its file types: ``csv``, ``parquet``, ``json`` ...
    """

    def __init__(
        self,
        file_type: str,
        deserialize_kwargs: Mapping[str, Any] | None = None,
        serialize_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Raises:
            ValueError: pandas does not know the file type.
        """
        self.file_type = file_type
        self.deserialize_kwargs = dict(deserialize_kwargs or {})
        self.serialize_kwargs = dict(serialize_kwargs or {})
        pandas = importlib.import_module("pandas")
        if not hasattr(pandas, f"read_{file_type}"):
            raise ValueError(f"Could not find deserialization methods for {file_type}")

        if not hasattr(pandas.DataFrame, f"to_{file_type}"):
            raise ValueError(f"Could not find serialization methods for {file_type}")

    def serialize(self, value: Any) -> bytes:
        """
        Return the table *value* as bytes.
        """
        write = getattr(value, f"to_{self.file_type}")
        buffer: Any = io.BytesIO()
        try:
            write(buffer, **self.serialize_kwargs)
        except TypeError:
            buffer = io.StringIO()
            write(buffer, **self.serialize_kwargs)

        data = buffer.getvalue()
        return data.encode() if isinstance(data, str) else data

    def deserialize(self, value: bytes) -> Any:
        """
        Return the table.
        """
        read = getattr(importlib.import_module("pandas"), f"read_{self.file_type}")
        return read(io.BytesIO(value), **self.deserialize_kwargs)


class CompressedSerializer(Serializer):
    """
    Compresses what another serializer writes.
    """

    def __init__(
        self,
        serializer: Serializer,
        format: str | None = None,
        compress: Callable[..., bytes] | None = None,
        decompress: Callable[..., bytes] | None = None,
        compress_kwargs: Mapping[str, Any] | None = None,
        decompress_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Args:
            format: a module with ``compress`` and ``decompress``: ``bz2``, ``gzip``, ``lzma``, ``zlib``.

            compress: with *decompress*, in place of *format*.

        Raises:
            ValueError: both or neither were given.

            ImportError: there is no such module.
        """
        if format is not None and (compress or decompress):
            raise ValueError("You must specify either `format` or `compress`/`decompress`, but not both.")

        if format is None and not (compress and decompress):
            raise ValueError("You must specify either `format` or `compress`/`decompress`.")

        if format is not None:
            try:
                module = importlib.import_module(format)
            except ImportError as exc:
                raise ImportError(
                    f"Compression module for '{format}' is not installed. Did you mean to use one of 'bz2', 'gzip', "
                    "'lzma', or 'zlib'?"
                ) from exc

            compress, decompress = module.compress, module.decompress

        self.serializer = serializer
        self._compress: Any = compress
        self._decompress: Any = decompress
        self.compress_kwargs = dict(compress_kwargs or {})
        self.decompress_kwargs = dict(decompress_kwargs or {})

    def serialize(self, value: Any) -> bytes:
        """
        Return *value* as compressed bytes.
        """
        data: bytes = self._compress(self.serializer.serialize(value), **self.compress_kwargs)
        return data

    def deserialize(self, value: bytes) -> Any:
        """
        Return the value in the compressed bytes.
        """
        return self.serializer.deserialize(self._decompress(value, **self.decompress_kwargs))
