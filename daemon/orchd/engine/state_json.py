"""
States as JSON says them: their fields without values, and where the values are stored.
"""

import importlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pendulum

from orchd.results.result import NoResult, Result


def write_fields(state: Any) -> dict[str, Any]:
    """
    Return the fields of *state*, one of :mod:`orchd.engine.state`.
    """
    fields = {name: _written(value) for name, value in vars(state).items() if name not in ("map_states", "_state")}
    if "_state" in vars(state):
        fields["state"] = None if state.state is None else state.state.serialize()

    if "map_states" in vars(state):
        fields.pop("_n_map_states")
        fields.pop("_result")
        fields["n_map_states"] = state.n_map_states

    return {**fields, "type": type(state).__name__, "__version__": _version()}


def read_fields(fields: Mapping[str, Any], read_state: Callable[[Mapping[str, Any]], Any]) -> dict[str, Any]:
    """
    Return the attributes of the state that *fields* was written from.

    Args:
        read_state: reads a state that is inside of another.
    """
    attributes = {name: value for name, value in fields.items() if name not in ("type", "__version__")}
    attributes["_result"] = _read_result(attributes.get("_result"))
    for name in ("start_time", "cached_result_expiration"):
        if isinstance(text := attributes.get(name), str):
            attributes[name] = pendulum.parse(text)

    if "state" in attributes:
        inner = attributes.pop("state")
        attributes["_state"] = None if inner is None else read_state(inner)

    if "n_map_states" in attributes:
        attributes["_n_map_states"] = attributes.pop("n_map_states")

    return attributes


def _written(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()

    if isinstance(value, Result):
        return _written_result(value)

    if isinstance(value, dict):
        return {key: _written(each) for key, each in value.items()}

    return value


def _written_result(result: Result) -> dict[str, Any]:
    fields: dict[str, Any] = {"type": type(result).__name__, "__version__": _version()}
    if result is not NoResult:
        fields["location"] = result.location if isinstance(result.location, str) else None

    if (folder := getattr(result, "dir", None)) is not None:
        fields["dir"] = folder

    return fields


def _read_result(fields: Mapping[str, Any] | None) -> Result:
    if fields is None or fields.get("location") is None:
        return NoResult

    return Result(location=fields["location"])


def _version() -> str:
    # Loaded here, as it brings the whole of `email` with it, and runs never ask.
    return str(importlib.import_module("importlib.metadata").version("orchd"))
