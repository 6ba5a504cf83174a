"""
Results that may be used again for a time: ``cache_for``.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from datetime import timedelta
from typing import Any

from orchd import clock
from orchd.engine.cache_validators import Inputs, Validator, duration_only, fingerprint
from orchd.engine.context import context
from orchd.engine.kept_caches import fetched
from orchd.engine.state import Cached, Mapped, State
from orchd.engine.work import Work

Caches = MutableMapping[str, list[Cached]]


def cache_name(task: Work, *, flow_name: str, slug: str) -> str:
    """
    Return under which name the results of *task* are kept: its own in its flow, unless it shares a ``cache_key``.
    """
    return task.cache_key or f"{flow_name}/{slug}"


def still_valid(candidates: Iterable[Cached], validator: Validator, inputs: Mapping[str, Any]) -> Cached | None:
    """
    Return the first of *candidates* that *validator* lets stand for a run with *inputs*, and that can be read.
    """
    parameters = context.get("parameters") or {}
    asked = Inputs(inputs)
    for state in candidates:
        if validator(state, asked, parameters) and (found := fetched(state)) is not None:
            return found

    return None


def to_be_kept(state: State, *, cache_for: timedelta, inputs: Mapping[str, Any]) -> Cached:
    """
    Return a successful *state* as one that may be used again until *cache_for* is over.
    """
    return Cached(
        message=state.message,
        result=state._result,
        cached_parameters=dict(context.get("parameters") or {}),
        cached_result_expiration=clock.now() + cache_for,
        hashed_inputs={name: fingerprint(value) for name, value in inputs.items()},
    )


def keep(caches: Caches, name: str, state: State) -> None:
    """
    Put what *state* and its children have cached into *caches*, and drop what is over.

    What was found at a target, or taken over from an earlier attempt, has no end of its own and is not cached.
    """
    ended = state.map_states if isinstance(state, Mapped) else [state]
    fresh = [each for each in ended if isinstance(each, Cached) and each.cached_result_expiration is not None]
    kept = {id(each) for each in fresh}
    old = [each for each in caches.get(name, ()) if id(each) not in kept and duration_only(each, {}, {})]
    caches[name] = fresh + old
