"""
How a value becomes bytes, and back.
"""

import base64
import binascii
import pickle
from typing import Any

import cloudpickle


class NotPicklable(TypeError):
    """
    A value cannot be pickled; the message says which, and what to do.
    """


class Serializer:
    """
    Turns values into bytes and back. Two serializers of one type and with equal settings are equal.
    """

    def serialize(self, value: Any) -> bytes:
        """
        Return *value* as bytes.
        """
        raise NotImplementedError

    def deserialize(self, value: bytes) -> Any:
        """
        Return the value that became the bytes *value*.
        """
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))


class PickleSerializer(Serializer):
    """
    Pickles with cloudpickle, so that functions and classes of a flow file can be stored too.
    """

    def serialize(self, value: Any) -> bytes:
        """
        Return *value* pickled.

        Raises:
            NotPicklable: it holds something that lives only in this process.
        """
        try:
            data: bytes = cloudpickle.dumps(value)
        except Exception as exc:
            raise NotPicklable(
                f"a value of type '{type(value).__name__}' cannot be pickled ({type(exc).__name__}: {exc}); "
                "return something that can, or write checkpoint=False for this task"
            ) from exc

        return data

    def deserialize(self, value: bytes) -> Any:
        """
        Return the pickled value. Base64 around it is taken off, as old classic releases wrote it so.
        """
        try:
            return pickle.loads(value)
        except pickle.UnpicklingError:
            try:
                inner = base64.b64decode(value, validate=True)
            except binascii.Error:
                inner = b""

            if not inner:
                raise

            return pickle.loads(inner)
