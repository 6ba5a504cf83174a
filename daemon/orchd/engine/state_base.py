"""
What all states have in common.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import cloudpickle

from orchd.engine.context import context as running
from orchd.engine.faults import said
from orchd.engine.state_json import read_fields, write_fields
from orchd.results.result import NoResult, Result

#: Keys and values that are the person's own, or come from the context.
Values = dict[str, Any]


class State:
    """
    Root of all states. Two states are equal when class, result and further attributes are; message and context are
    not looked at. Handlers may set attributes of their own.
    """

    color: ClassVar[str] = "#696969"
    _marks: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, marks: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._marks = cls._marks.union(marks.split())

    def __init__(
        self,
        message: str | None = None,
        result: object = NoResult,
        context: Values | None = None,
        cached_inputs: Values | None = None,
    ) -> None:
        self.message = message
        self._result = _held(result)
        self.context = context if context is not None else {}
        self.cached_inputs = cached_inputs if cached_inputs is not None else {}
        if "task_tags" in running:
            self.context.setdefault("tags", list(running["task_tags"]))

    @property
    def result(self) -> Any:
        """
        The value; None when there is none.
        """
        return self._result.value

    @result.setter
    def result(self, value: object) -> None:
        """
        Take a value, or a result that holds one.
        """
        self._result = _held(value)

    def load_result(self, result: Result | None = None) -> Self:
        """
        Read the value from where it is stored, as *result* says how, unless it is here already; return this state.
        """
        if self._result.value is None and self._result.location and result is not None:
            self._result = result.read(str(self._result.location))

        return self

    def is_pending(self) -> bool:
        """
        True before the run, and between its tries.
        """
        return "pending" in self._marks

    def is_scheduled(self) -> bool:
        """
        True when the run is to begin at ``start_time``.
        """
        return "scheduled" in self._marks

    def is_queued(self) -> bool:
        """
        True when the run waits for a place.
        """
        return "queued" in self._marks

    def is_submitted(self) -> bool:
        """
        True when the run was handed to whoever starts it.
        """
        return "submitted" in self._marks

    def is_retrying(self) -> bool:
        """
        True when the run has failed and will be tried again.
        """
        return "retrying" in self._marks

    def is_running(self) -> bool:
        """
        True while the run goes on.
        """
        return "running" in self._marks

    def is_finished(self) -> bool:
        """
        True when the run is over.
        """
        return "finished" in self._marks

    def is_looped(self) -> bool:
        """
        True when the task asks to be run again at once.
        """
        return "looped" in self._marks

    def is_skipped(self) -> bool:
        """
        True when the run was left out, which counts as a success.
        """
        return "skipped" in self._marks

    def is_successful(self) -> bool:
        """
        True when the run is over and went well.
        """
        return "successful" in self._marks

    def is_cached(self) -> bool:
        """
        True when the result was there already.
        """
        return "cached" in self._marks

    def is_mapped(self) -> bool:
        """
        True for the parent of mapped task runs.
        """
        return "mapped" in self._marks

    def is_failed(self) -> bool:
        """
        True when the run is over and did not go well.
        """
        return "failed" in self._marks

    def is_meta_state(self) -> bool:
        """
        True for a state that is about another state.
        """
        return "meta_state" in self._marks

    def unwrapped(self) -> "State | None":
        """
        Return the state that is meant: itself, but for states about another.
        """
        return self

    @classmethod
    def children(cls, include_self: bool = False, names_only: bool = False) -> "list[type[State]] | list[str]":
        """
        Return every state below this one, or their names.
        """
        found: list[type[State]] = [cls] if include_self else []
        for below in cls.__subclasses__():
            found += below._below()

        return _shown(found, names_only)

    @classmethod
    def parents(cls, include_self: bool = False, names_only: bool = False) -> "list[type[State]] | list[str]":
        """
        Return every state above this one, or their names.
        """
        above = [kind for kind in cls.__mro__ if issubclass(kind, State) and (include_self or kind is not cls)]
        return _shown(above, names_only)

    @classmethod
    def _below(cls) -> "list[type[State]]":
        return [cls, *(state for below in cls.__subclasses__() for state in below._below())]

    def serialize(self) -> dict[str, Any]:
        """
        Return this state as what JSON can say. Values are left out, only where they are stored is said.
        """
        return write_fields(self)

    @staticmethod
    def deserialize(fields: Mapping[str, Any]) -> "State":
        """
        Return the state that :meth:`serialize` gave; its result has no value.

        Raises:
            ValueError: there is no such state.
        """
        kinds = {kind.__name__: kind for kind in State._below()}
        if (kind := kinds.get(str(fields.get("type")))) is None:
            raise ValueError(f"There is no state of the type {fields.get('type')!r}; write one of {', '.join(kinds)}")

        state = kind()
        vars(state).update(read_fields(fields, State.deserialize))
        return state

    def __copy__(self) -> Self:
        """
        Return a state with the same attributes, whatever becomes of them in a pickle.
        """
        new = type(self).__new__(type(self))
        vars(new).update(vars(self))
        return new

    def __getstate__(self) -> dict[str, Any]:
        """
        Return the attributes for a pickle. An exception that does not come back from one is kept as its text.
        """
        kept = dict(vars(self))
        if isinstance(self.result, BaseException) and not _comes_back(self.result):
            kept["_result"] = Result(value=said(self.result))

        return kept

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True

        if not isinstance(other, State) or type(self) is not type(other):
            return False

        return bool(_compared(self) == _compared(other))

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f'<{name}: "{self.message}">' if self.message else f"<{name}>"


def _comes_back(exc: BaseException) -> bool:
    try:
        cloudpickle.loads(cloudpickle.dumps(exc))
    except Exception:
        return False

    return True


def _held(value: object) -> Result:
    return value if isinstance(value, Result) else Result(value=value) if value is not None else NoResult


def _shown(kinds: list[type[State]], names_only: bool) -> list[type[State]] | list[str]:
    return [kind.__name__ for kind in kinds] if names_only else kinds


def _compared(state: State) -> dict[str, Any]:
    kept = {name: value for name, value in vars(state).items() if name not in ("message", "context", "cached_inputs")}
    kept["_result"] = state.result
    return kept
