"""
One try of one task as a value: it can be made in this thread, in another, or in another process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchd.engine.mapping import flattened
from orchd.engine.state import State
from orchd.engine.task_runner import TaskRunner
from orchd.engine.work import Scope
from orchd.graph.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shared:
    """
    What all tries of one pass over a flow share.
    """

    scope: Scope
    #: Every node of the flow by its slug.
    nodes: Mapping[str, Node[Any]]
    #: Instant at which the pass began.
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Try:
    """
    A task that is to be tried, where it stands, and its index when it is the child of a mapped task.
    """

    shared: Shared
    node: Node[Any]
    state: State | None
    index: int | None

    def __call__(self, upstream: Sequence[State]) -> State:
        """
        Make the try here and now.

        Args:
            upstream: where the tasks stand that the edges of the node come from, in the order of the edges.
        """
        node = self.node
        above = dict(zip(node.upstream, upstream, strict=True))
        if node.is_flattened and self.index is None:
            above = {edge: flattened(each) if edge.flattened else each for edge, each in above.items()}

        return self._runner().run(self.state, upstream=above, constants=node.constants, now=self.shared.now)

    def lost(self, why: str, *, has_begun: bool) -> State:
        """
        Return what becomes of the try when whoever made it could not tell how it ended: Retrying, or Failed with *why*.

        Args:
            has_begun: the recorder has been told that the task runs.
        """
        return self._runner().lost(self.state, why=why, has_begun=has_begun)

    def _runner(self) -> TaskRunner:
        return TaskRunner(self.node.task, slug=self.node.slug, scope=self.shared.scope, index=self.index)
