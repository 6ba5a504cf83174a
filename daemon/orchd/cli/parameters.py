"""
``--param`` and ``--param-file``.
"""

from __future__ import annotations

import argparse
import json
import shlex

from orchd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """
    Add both arguments.
    """
    parser.add_argument(
        "--param",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a parameter of the flow; the value is JSON, or text unlike JSON; may be given several times",
    )
    parser.add_argument("--param-file", metavar="FILE", help="a JSON object of parameters; --param wins over it")


def gather(args: argparse.Namespace) -> dict[str, Any]:
    """
    Return the parameters that *args* give.

    Raises:
        UsageError: a ``--param`` has no name or broken JSON, or the file is no JSON object.
    """
    parameters = _read(args.param_file) if args.param_file else {}
    for text in args.param:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--param '{text}' has no name and value; write for example --param test_data_ratio=0.3")

        parameters[name.strip()] = _value(name.strip(), value)
    return parameters


def _value(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        if not text.lstrip().startswith(("{", "[", '"')):
            return text

        as_text = shlex.quote(f"{name}={json.dumps(text, ensure_ascii=False)}")
        raise UsageError(
            f"--param '{name}={text}' begins like JSON and is none ({error}); correct it, or for text write {as_text}"
        ) from error


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        raise UsageError(f"--param-file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(
            f'--param-file {path} is not JSON ({error}); write an object such as {{"ratio": 0.3}}'
        ) from error

    if not isinstance(found, dict):
        raise UsageError(f'--param-file {path} holds no JSON object; write one such as {{"ratio": 0.3}}')

    return found
