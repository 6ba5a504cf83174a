"""
Results of task runs on their way to where they are stored, and back from a target.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any

from orchd.engine.context import context
from orchd.engine.faults import said
from orchd.engine.kept import KeptResults
from orchd.engine.logs import get_logger
from orchd.engine.state import Cached, Failed, State
from orchd.engine.work import Work
from orchd.errors import ConfigError
from orchd.results.inline import SecretResult
from orchd.results.result import Location, OutsideFolder, Result, StorageError
from orchd.results.serializers import NotPicklable

LOG = get_logger("TaskRunner")


def storage(chosen: Result | None, target: Location | None) -> Result:
    """
    Return how the result of a task is stored: as *chosen* says, at its *target*.
    """
    held = chosen if chosen is not None else Result()
    if target is None:
        return held

    placed = held.copy()
    placed.location = target
    return placed


def template_keys(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what templates of locations may name: parameters, keys of the context, and the task's inputs; later ones win.
    """
    return {"task_loop_count": 1, **(context.get("parameters") or {}), **context, **inputs}


def filled(template: Location, inputs: Mapping[str, Any]) -> str:
    """
    Return *template* with its keys filled in.

    Raises:
        KeyError: it names what is not there.
    """
    keys = template_keys(inputs)
    return template.format(**keys) if isinstance(template, str) else str(template(**keys))


def keep(store: KeptResults | None, task: Work, slug: str, state: State) -> str | None:
    """
    Keep a result that nothing else stores, so that a later attempt may use it again, and return where it is.

    None when that cannot be, which is said once, or may not be: a secret, or ``checkpoint=False``.
    """
    if store is None or task.checkpoint is False or isinstance(task.result, SecretResult):
        return None

    try:
        return store.write(state.result)
    except Exception as exc:
        if store.is_news(f"{slug} {type(exc).__name__}"):
            LOG.warning("Task '%s': its result cannot be kept, so a resumed run runs it anew: %s", task.name, said(exc))

        return None


def at_target(
    result: Result,
    target: Location,
    inputs: Mapping[str, Any],
    *,
    task: Work,
    name: str,
    who: str,
    seen: MutableMapping[str, str],
) -> State | None:
    """
    Return Cached when a readable result is at the target. One that cannot be read counts as absent.

    Args:
        who: the task run: its slug, with its map index.

        seen: targets of this flow run and the task run that came to each first; another one there is warned about.
    """
    is_written = task.checkpoint is not False and context.get("checkpointing") is True
    location = filled(target, inputs)
    place = getattr(result, "dir", getattr(result, "bucket", ""))
    first = seen.setdefault(f"{type(result).__name__} {place} {location}", who)
    found = _read(result, location, name=name, is_written=is_written) if result.exists(location) else None
    if first != who:
        LOG.warning(
            "Tasks '%s' and '%s' have the same target %s: %s; "
            "write a target that tells them apart, with {task_name} or {map_index}.",
            first,
            who,
            location,
            "the second is given what is stored there" if found is not None else _of_two(is_written=is_written),
        )

    return None if found is None else Cached(result=found, message=f"Result found at task target {location}")


def _read(result: Result, location: str, *, name: str, is_written: bool) -> Result | None:
    try:
        return result.read(location)
    except (OutsideFolder, StorageError):
        raise
    except Exception as exc:
        LOG.warning(
            "Task '%s': the result at target %s cannot be read (%s), so the task runs%s.",
            name,
            location,
            said(exc),
            " and writes it anew" if is_written else "; nothing is written, as its results are not stored",
        )
        return None


def _of_two(*, is_written: bool) -> str:
    if is_written:
        return "nothing can be read there, so the second runs too, and what is stored last stays there"

    return "nothing can be read there, so the second runs too; where results are stored, it is given the first's"


def stored(state: State, result: Result, inputs: Mapping[str, Any], *, name: str) -> State:
    """
    Write the value of *state* as *result* says, and return it with its location, or Failed.
    """
    if not result.can_store or state.result is None or context.get("checkpointing") is not True:
        return state

    keys = template_keys(inputs)
    keys.pop("value_", None)
    try:
        state.result = result.write(state.result, **keys)
    except Exception as exc:
        return broken(exc, name=name)

    return state


def broken(exc: Exception, *, name: str) -> State:
    """
    Return Failed for an error outside of the task's own code: its target or its result.
    """
    if context.get("raise_on_exception"):
        raise exc

    if isinstance(exc, NotPicklable | OutsideFolder):
        message = f"The result of task '{name}' cannot be stored: {exc}"
    elif isinstance(exc, ConfigError | StorageError):
        message = str(exc)
    else:
        message = f"Unexpected error: {said(exc)}"

    LOG.error("Task '%s': %s", name, message)
    return Failed(message=message, result=exc)
