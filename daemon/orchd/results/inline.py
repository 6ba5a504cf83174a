"""
Results that are no files: the value is the location itself, is constant, or must not be kept.
"""

from typing import Any, Self

from orchd.results.formats import DateTimeSerializer, JSONSerializer
from orchd.results.local import LocalResult as LocalResult
from orchd.results.result import Location, Result
from orchd.results.serializers import Serializer


class InlineResult(Result):
    """
    Keeps a value as JSON text in the location itself.
    """

    def __init__(
        self, value: Any = None, location: Location | None = None, serializer: Serializer | None = None
    ) -> None:
        """
        Raises:
            TypeError: *serializer* does not write text.
        """
        chosen = serializer if serializer is not None else JSONSerializer()
        if not isinstance(chosen, JSONSerializer | DateTimeSerializer):
            raise TypeError(f"{type(self).__name__} only supports JSONSerializer or DateTimeSerializer")

        super().__init__(value=value, location=location, serializer=chosen)

    def read(self, location: str) -> Self:
        """
        Return a copy with the value that *location* says.
        """
        new = self.copy()
        new.value = self.serializer.deserialize(location.encode())
        new.location = location
        return new

    def write(self, value_: Any, **kwargs: Any) -> Self:
        """
        Return a copy whose location says *value_*.
        """
        new = self.copy()
        new.value = value_
        new.location = self.serializer.serialize(value_).decode()
        return new

    def exists(self, location: str, **kwargs: Any) -> bool:
        """
        True when *location* says a value.
        """
        try:
            self.serializer.deserialize(location.format(**kwargs).encode() if kwargs else location.encode())
        except Exception:
            return False

        return True


class ConstantResult(Result):
    """
    A value that is always there and never written.
    """

    def __init__(self, value: Any = None, location: Location | None = None, **kwargs: Any) -> None:
        """
        Raises:
            ValueError: a serializer was given.
        """
        if "serializer" in kwargs:
            raise ValueError("Can't pass a serializer to a ConstantResult.")

        super().__init__(value=value, location=location)

    def read(self, location: str) -> Self:
        """
        Return itself.
        """
        return self

    def write(self, value_: Any, **kwargs: Any) -> Self:
        """
        Refuse.

        Raises:
            ValueError: always.
        """
        raise ValueError("Cannot write values to `ConstantResult` types.")

    def exists(self, location: str, **kwargs: Any) -> bool:
        """
        True: it is always there.
        """
        return True


class SecretResult(ConstantResult):
    """
    A value that is never written anywhere.
    """

    @property
    def can_store(self) -> bool:
        """
        False.
        """
        return False
