"""
Which functions can be tasks.
"""

import inspect
from collections.abc import Callable
from typing import Any, Final, Tuple, get_args, get_origin, get_type_hints  # noqa: UP035

#: Keywords of a call of a task, which therefore cannot be arguments of its code.
RESERVED: Final = frozenset({"upstream_tasks", "mapped", "task_args", "flow"})


def signature_of(run: Callable[..., Any], *, name: str) -> inspect.Signature:
    """
    Return the signature of the code of a task.

    Raises:
        ValueError: it takes ``*args``, has an argument of a reserved name, or cannot be inspected.

        TypeError: it takes positional-only arguments.
    """
    try:
        signature = inspect.signature(run)
    except ValueError as exc:
        raise ValueError(
            "This function can not be inspected (this is common with `builtin` and `numpy` functions). In order to use "
            "it as a task, please wrap it in a standard Python function."
        ) from exc

    kinds = {parameter.name: parameter.kind for parameter in signature.parameters.values()}
    if inspect.Parameter.VAR_POSITIONAL in kinds.values():
        raise ValueError(
            "Tasks with variable positional arguments (*args) are not supported, because all orchd arguments are "
            "stored as keywords. As a workaround, consider modifying the run() method to accept **kwargs and feeding "
            "the values to *args."
        )

    if reserved := ", ".join(sorted(RESERVED & kinds.keys())):
        raise ValueError(
            f"Tasks cannot have the following argument names: {reserved}. These are reserved keyword arguments."
        )

    positional = [argument for argument, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_ONLY]
    if positional:
        raise TypeError(
            f"Found positional-only parameters in the function signature for task {name}: {positional}. orchd passes "
            "arguments using keywords and does not support positional-only parameters."
        )

    return signature


def bound_arguments(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """
    Return *args* and *kwargs* by the names that *signature* gives them, without defaults, ``**kwargs`` spread out.

    Raises:
        TypeError: they do not fit.
    """
    arguments = dict(signature.bind(*args, **kwargs).arguments)
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            arguments.update(arguments.pop(parameter.name, {}))

    return arguments


def number_of_outputs(run: Callable[..., Any], signature: inspect.Signature) -> int | None:
    """
    Return how many values *run* returns, when it says so by ``-> tuple[...]`` of a fixed length; None otherwise.
    """
    annotation = signature.return_annotation
    if isinstance(annotation, str):
        try:
            annotation = get_type_hints(run).get("return")
        except Exception:
            return None

    # The bare name says nothing of the length, as does `...` in the brackets.
    if annotation is Tuple or get_origin(annotation) is not tuple:  # noqa: UP006
        return None

    kinds = get_args(annotation)
    return None if Ellipsis in kinds else len(kinds)


def described_inputs(signature: inspect.Signature) -> dict[str, dict[str, Any]]:
    """
    Return each argument's type, default and whether it must be given.
    """
    empty = inspect.Parameter.empty
    return {
        name: {
            "type": Any if parameter.annotation is empty else parameter.annotation,
            "default": None if parameter.default is empty else parameter.default,
            "required": parameter.default is empty and parameter.kind is not inspect.Parameter.VAR_KEYWORD,
        }
        for name, parameter in signature.parameters.items()
    }
