"""
Cache validators: functions that say whether an earlier result still holds for these inputs and parameters.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cloudpickle

from orchd import clock
from orchd.engine.state import Cached

Validator = Callable[[Cached, Mapping[str, Any], Mapping[str, Any]], bool]


class Inputs(dict[str, Any]):
    """
    The inputs of a task run, each of which is fingerprinted once, however many earlier results are asked about.
    """

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        super().__init__(inputs)
        self._known: dict[str, str] = {}

    def prints(self, name: str) -> str:
        """
        Return the fingerprint of the input *name*.
        """
        if name not in self._known:
            self._known[name] = fingerprint(self[name])

        return self._known[name]


def never_use(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """
    False: the task always runs.
    """
    return False


def duration_only(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """
    True until the result expires.
    """
    expires = state.cached_result_expiration
    return expires is None or expires > clock.now()


def all_inputs(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """
    True until the result expires, while all inputs are the same.
    """
    return partial_inputs_only(tuple(inputs))(state, inputs, parameters) and _known(state) == set(inputs)


def all_parameters(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """
    True until the result expires, while all parameters of the flow are the same.
    """
    return duration_only(state, inputs, parameters) and state.cached_parameters == dict(parameters)


def partial_inputs_only(validate_on: Iterable[str] | None = None) -> Validator:
    """
    Return a validator that is true until the result expires, while the inputs *validate_on* are the same.
    """
    names = None if validate_on is None else tuple(validate_on)

    def partial_inputs_only(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
        if not duration_only(state, inputs, parameters):
            return False

        prints = inputs.prints if isinstance(inputs, Inputs) else Inputs(inputs).prints
        chosen = {name: prints(name) for name in names or () if name in inputs}
        if state.hashed_inputs is not None:
            return {name: state.hashed_inputs.get(name) for name in chosen} == chosen

        return chosen == {
            name: fingerprint(result.value) for name, result in state.cached_inputs.items() if name in chosen
        }

    return partial_inputs_only


def partial_parameters_only(validate_on: Iterable[str] | None = None) -> Validator:
    """
    Return a validator that is true until the result expires, while the parameters *validate_on* are the same.
    """
    names = None if validate_on is None else tuple(validate_on)

    def partial_parameters_only(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
        held = state.cached_parameters or {}
        return duration_only(state, inputs, parameters) and all(
            held.get(name) == parameters.get(name) for name in names or ()
        )

    return partial_parameters_only


def fingerprint(value: Any) -> str:
    """
    Return a text that is the same for values whose pickles are the same; another one each time for what has none.
    """
    try:
        data: bytes = cloudpickle.dumps(value)
    except Exception:
        return f"unknown:{id(value)}"

    return hashlib.sha256(data).hexdigest()


def _known(state: Cached) -> set[str]:
    return set(state.hashed_inputs if state.hashed_inputs is not None else state.cached_inputs)
