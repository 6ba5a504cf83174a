"""
A value and the place where it is, or will be, stored.
"""

import copy
import uuid
from collections.abc import Callable
from typing import Any, Final, Self

from orchd import clock
from orchd.results.serializers import PickleSerializer, Serializer

#: Text with ``{keys}``, or a function that takes the keys as keywords and returns the text.
Location = str | Callable[..., str]

NOT_HERE: Final = (
    "Not implemented on the base Result class - if you are seeing this error you might be trying to use features that "
    "require choosing a Result subclass, such as LocalResult(dir=...)."
)


class OutsideFolder(ValueError):
    """
    A location leaves the folder of its result.
    """


class StorageError(OSError):
    """
    A bucket cannot be read or written; the message says which, and why.
    """


class ResultNotImplementedError(NotImplementedError):
    """
    The plain :class:`Result` can hold a value, but not store it.
    """


class Result:
    """
    A value, and where it is stored. The plain result only holds the value.
    """

    def __init__(
        self, value: Any = None, location: Location | None = None, serializer: Serializer | None = None
    ) -> None:
        """
        Args:
            location: template or function of where to write; None for a name made from the time of the write.

            serializer: None for :class:`~orchd.results.serializers.PickleSerializer`.
        """
        self.value = value
        self.location = location
        self.serializer = serializer if serializer is not None else PickleSerializer()

    @property
    def default_location(self) -> str:
        """
        A new name for a value that was given no location.
        """
        return f"{clock.now():%Y/%-m/%-d}/{uuid.uuid4()}.orchd_result"

    @property
    def can_store(self) -> bool:
        """
        True when :meth:`write` keeps the value somewhere.
        """
        return type(self).write is not Result.write

    def copy(self) -> Self:
        """
        Return a shallow copy.
        """
        return copy.copy(self)

    def from_value(self, value: Any) -> Self:
        """
        Return a copy that holds *value* and is stored nowhere.
        """
        new = self.copy()
        new.value = value
        new.location = None
        return new

    def format(self, **kwargs: Any) -> Self:
        """
        Return a copy whose location has its keys filled in.

        Raises:
            KeyError: the location has a key that is not in *kwargs*.
        """
        new = self.copy()
        if isinstance(self.location, str):
            new.location = self.location.format(**kwargs)
        elif self.location is not None:
            new.location = self.location(**kwargs)

        return new

    def read(self, location: str) -> "Result":
        """
        Return a copy that holds the value stored at *location*.
        """
        raise ResultNotImplementedError(NOT_HERE)

    def write(self, value_: Any, **kwargs: Any) -> "Result":
        """
        Store *value_* and return a copy that holds it and the location where it is. *kwargs* fill in the location.
        """
        raise ResultNotImplementedError(NOT_HERE)

    def exists(self, location: str, **kwargs: Any) -> bool:
        """
        True when something is stored at *location*, after *kwargs* are filled in.
        """
        raise ResultNotImplementedError(NOT_HERE)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return False

        try:
            return bool(vars(self) == vars(other))
        except ValueError:
            # Tables and arrays compare element by element, and say so when asked for one answer.
            return False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.value!r}>"


class NoResultType(Result):
    """
    The result of a state that has none.
    """


NoResult: Final = NoResultType()
