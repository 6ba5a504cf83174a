"""
Checks of what a task is constructed with; the messages are the classic ones.
"""

import warnings
from collections.abc import Iterable
from datetime import timedelta
from typing import Final, TypeVar

from orchd.engine.cache_validators import Validator, duration_only, never_use
from orchd.engine.settings import default_retries, default_retry_delay, default_timeout
from orchd.engine.triggers import Trigger, all_successful
from orchd.results.result import Location, Result

T = TypeVar("T")


def name(given: str, *, of: str) -> str:
    """
    Return the name of a task or a flow, as *of* says.
    """
    if not isinstance(given, str):
        raise TypeError(f"The name of a {of} should be text (received {given!r}).")

    return given


def tags(given: Iterable[str] | None) -> set[str]:
    """
    Return the tags as a set; one text alone is refused, since it would be taken for its letters.
    """
    if isinstance(given, str):
        raise TypeError("Tags should be a set of tags, not a string.")

    chosen = set(given or ())
    if wrong := [tag for tag in chosen if not isinstance(tag, str)]:
        raise TypeError(f"Tags should be text (received {wrong[0]!r}).")

    return chosen


def retries(max_retries: int | None, retry_delay: timedelta | None) -> tuple[int, timedelta | None]:
    """
    Return both, checked: they come together or not at all. What is not given is as the settings say.
    """
    if max_retries is None:
        max_retries = default_retries()

    if retry_delay is None and max_retries:
        retry_delay = default_retry_delay()

    if max_retries is not None and not isinstance(max_retries, int):
        raise TypeError(f"`max_retries` should be a whole number (received {max_retries!r}).")

    duration("retry_delay", retry_delay)
    if max_retries and retry_delay is None:
        raise ValueError("A datetime.timedelta `retry_delay` must be provided if max_retries > 0")

    if retry_delay is not None and not max_retries:
        raise ValueError("A `max_retries` argument greater than 0 must be provided if specifying a retry delay.")

    return max_retries or 0, retry_delay


def retry_on(
    given: type[Exception] | Iterable[type[Exception]] | None, *, max_retries: int
) -> tuple[type[Exception], ...] | None:
    """
    Return the exceptions that are tried again as a tuple; None for all.
    """
    if given is None:
        return None

    if not max_retries:
        raise ValueError("A number of `max_retries` must be provided if `retry_on` is set.")

    kinds: tuple[object, ...] = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    checked = []
    for kind in kinds:
        if not isinstance(kind, type):
            raise TypeError(
                f"Invalid `retry_on` value {kind!r}. Expected an exception type but got an instance of "
                f"{type(kind).__name__}"
            )

        if not issubclass(kind, Exception):
            raise TypeError(f"Invalid `retry_on` value {kind!r}. Expected an exception subclass.")

        checked.append(kind)

    return tuple(checked)


def duration(name: str, given: timedelta | None) -> timedelta | None:
    """
    Return *given*, which is the argument *name*.
    """
    if given is not None and not isinstance(given, timedelta):
        raise TypeError(f"`{name}` should be a datetime.timedelta (received {given!r}), as in timedelta(seconds=30).")

    return given


def trigger(given: Trigger | None) -> Trigger:
    """
    Return the trigger, or the default one.
    """
    if given is not None and not callable(given):
        raise TypeError(f"`trigger` should be a function (received {given!r}), as in orchd.triggers.all_finished.")

    return given or all_successful


def able(given: T, method: str, name: str, *, example: str) -> T:
    """
    Return *given*, which is the argument *name*: None, or an object (not its class) that has the *method*.
    """
    if given is not None and (isinstance(given, type) or not hasattr(given, method)):
        raise TypeError(f"`{name}` should be made by a call such as {example} (received {given!r}).")

    return given


def timeout(given: int | timedelta | None) -> int | None:
    """
    Return the time limit in whole seconds; as the settings say where none is given.
    """
    if given is None:
        return default_timeout()

    if isinstance(given, timedelta):
        if given.microseconds:
            warnings.warn(
                "Task timeouts do not support a sub-second resolution; smaller units will be ignored!",
                UserWarning,
                stacklevel=4,
            )

        given = int(given.total_seconds())

    if given is not None and not isinstance(given, int):
        raise TypeError("Only integer timeouts (representing seconds) are supported.")

    if given is not None and given < 0:
        raise ValueError(f"Task timeouts must not be negative (received {given}).")

    return given


def storage(result: Result | None, target: Location | None) -> tuple[Result | None, Location | None]:
    """
    Return both, so that the result is stored at the target.
    """
    able(result, "write", "result", example="LocalResult(dir=...)")
    if result is None or target is None:
        return result, target

    if result.location is not None and result.location != target:
        warnings.warn(
            "Both `result.location` and `target` were provided. The `target` value will be used.",
            UserWarning,
            stacklevel=4,
        )

    placed = result.copy()
    placed.location = target
    return placed, target


#: Attributes that :class:`~orchd.flow.task.Task` sets, so that a subclass must not set them before.
OWN_ATTRIBUTES: Final = frozenset(
    """
    name slug tags max_retries retry_delay retry_on timeout trigger skip_on_upstream_skip cache_for cache_validator
    cache_key checkpoint state_handlers log_stdout result target task_run_name nout auto_generated
    """.split()
)


def attributes(task: object) -> None:
    """
    Warn of attributes of *task* that its construction will overwrite.
    """
    kind = type(task).__name__
    for name in sorted(OWN_ATTRIBUTES & vars(task).keys()):
        warnings.warn(
            f"`{kind}` sets a `{name}` attribute, which will be overwritten by `orchd.Task`. Please rename this "
            "attribute to avoid this issue.",
            UserWarning,
            stacklevel=4,
        )


def validator(given: Validator | None, cache_for: timedelta | None) -> Validator:
    """
    Return the cache validator, or the default one.
    """
    if given is None:
        return never_use if cache_for is None else duration_only

    if cache_for is None and given is not never_use:
        warnings.warn(
            "cache_validator provided without specifying cache expiration (cache_for); this Task will not be cached.",
            UserWarning,
            stacklevel=4,
        )

    return given
