"""
Flows, as far as tasks need to know them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from orchd.engine.context import context


class Binder(Protocol):
    """
    A flow, as far as a task needs to know it to bind itself into it.
    """

    def set_dependencies(
        self,
        task: object,
        upstream_tasks: Iterable[object] | None = None,
        downstream_tasks: Iterable[object] | None = None,
        keyword_tasks: Mapping[str, object] | None = None,
        mapped: bool = False,
        validate: bool | None = None,
    ) -> None:
        """
        Add *task* and what it waits for.
        """

    def has_edges(self, task: Any) -> bool:
        """
        True when the flow has an edge to or from *task*.
        """


def active(flow: Binder | None) -> Binder:
    """
    Return *flow*, or the one whose block is open.

    Raises:
        ValueError: there is none.
    """
    found: Binder | None = flow if flow is not None else context.get("flow")
    if found is None:
        raise ValueError("No Flow was passed, and could not infer an active Flow context.")

    return found
