"""
Hooks for schemathesis: what would make it wait, and a run that there is, which it would never guess.
"""

import os
from typing import Any

import schemathesis


@schemathesis.hook
def map_query(_context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """
    Wait for nothing: a long poll of 30 s is no finding.
    """
    return {name: value for name, value in query.items() if name != "wait_s"} if query else query


@schemathesis.hook
def map_path_parameters(_context: Any, parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """
    Have every other request that names a run name one that is there, and is over.
    """
    if not parameters or len(str(parameters.get("ref", "x"))) % 2:
        return parameters

    return parameters | {"ref": os.environ["FUZZED_RUN"]}
