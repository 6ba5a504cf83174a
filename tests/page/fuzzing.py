"""
Hooks for schemathesis: what would make it wait, or end the daemon that it asks.
"""

from typing import Any

import schemathesis


@schemathesis.hook
def map_query(_context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """
    Wait for nothing: a long poll of 30 s is no finding.
    """
    return {name: value for name, value in query.items() if name != "wait_s"} if query else query
