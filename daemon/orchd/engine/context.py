"""
``orchd.context``: what a running task may ask about its run, one mapping for each thread.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pendulum


class DateTime(pendulum.DateTime):
    """
    An instant whose text is ISO 8601 with a ``T``, as templates of flows expect it.
    """

    def __str__(self) -> str:
        return self.isoformat()


class Lazy:
    """
    A value of the context that is made when it is first asked for.
    """

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.values: dict[str, Any] = {}


class Context(MutableMapping[str, Any]):
    """
    A mapping whose keys are attributes too. Calling it gives a block in which further keys hold.
    """

    __slots__ = ("_thread",)

    _thread: _PerThread

    def __init__(self) -> None:
        object.__setattr__(self, "_thread", _PerThread())

    def __getitem__(self, key: str) -> Any:
        value = self._thread.values[key]
        if isinstance(value, Lazy):
            value = self._thread.values[key] = value.make()

        return value

    def __setitem__(self, key: str, value: object) -> None:
        self._thread.values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._thread.values[key]

    def get(self, key: str, default: object = None) -> Any:
        """
        Return the value of *key*, or *default* when it is not there.
        """
        return self[key] if key in self._thread.values else default

    def __contains__(self, key: object) -> bool:
        return key in self._thread.values

    def __iter__(self) -> Iterator[str]:
        # What begins with a line is orchd's own, and nothing that a person put there.
        return (key for key in list(self._thread.values) if not key.startswith("_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"'Context' object has no attribute '{name}'") from None

    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(f"'Context' object has no attribute '{name}'") from None

    def __repr__(self) -> str:
        return f"<Context: {sorted(self)}>"

    def __reduce__(self) -> Any:
        raise TypeError(
            "Pickling context objects is explicitly not supported. You should always access context as an attribute of "
            "the `orchd` module, as in `orchd.context`"
        )

    @contextmanager
    def __call__(self, *given: Mapping[str, Any], **more: Any) -> Iterator["Context"]:
        """
        Hold further keys until the block ends; then everything is as before.
        """
        values = dict(self._thread.values)
        for mapping in given:
            values.update(mapping)

        values.update(more)
        before = self.swap(values)
        try:
            yield self
        finally:
            self.swap(before)

    def swap(self, values: dict[str, Any]) -> dict[str, Any]:
        """
        Put *values* in the place of all keys of this thread, and return those that were there.
        """
        before = self._thread.values
        self._thread.values = values
        return before

    def to_dict(self) -> dict[str, Any]:
        """
        Return all keys and their values in a dict of its own.
        """
        return dict(self)

    def snapshot(self) -> dict[str, Any]:
        """
        Return a copy of all keys of this thread, without making the lazy ones.
        """
        return dict(self._thread.values)


context = Context()


def current_task() -> tuple[str, int] | None:
    """
    Return slug and map index (-1 when it is not mapped) of the task that this thread runs; None outside of tasks.
    """
    slug, index = context.get("task_slug"), context.get("map_index")
    return None if slug is None else (slug, index if isinstance(index, int) else -1)


def date_values(date: object, *, now: datetime) -> dict[str, Any]:
    """
    Return ``date`` and the keys that are made from it: ``today``, ``tomorrow_nodash`` ...

    Args:
        date: instant of the flow run, or ISO text of it; text that is none is kept, and the days are those of *now*.

        now: taken for the date when *date* is None.
    """
    moment: object = as_moment(now if date is None else date)
    day = moment if isinstance(moment, DateTime) else DateTime.instance(now)
    values: dict[str, Any] = {"date": moment}
    for name, offset in (("today", 0), ("yesterday", -1), ("tomorrow", 1)):
        text = day.add(days=offset).strftime("%Y-%m-%d")
        values[name] = text
        values[f"{name}_nodash"] = text.replace("-", "")

    return values


def as_moment(given: object) -> Any:
    """
    Return an instant or its ISO text as a :class:`DateTime`, and anything else as it is.
    """
    if isinstance(given, str):
        try:
            given = pendulum.parse(given)
        except ValueError:
            return given

    if isinstance(given, datetime):
        return DateTime.instance(given)

    return given
