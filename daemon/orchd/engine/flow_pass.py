"""
One pass over the tasks of a flow: each that can run is given to the executor once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from orchd.engine.executors.executor import Executor
from orchd.engine.faults import said
from orchd.engine.logs import get_logger
from orchd.engine.mapping import as_one, element, flattened, gathered
from orchd.engine.state import Failed, Mapped, State
from orchd.engine.task_runner import TaskRunner
from orchd.engine.tries import Shared, Try
from orchd.engine.triggers import all_successful
from orchd.engine.work import Scope, Work
from orchd.graph.edges import Edge
from orchd.graph.graph import Node

W = TypeVar("W", bound=Work)


class FlowPass(Generic[W]):
    """
    What has been promised so far in one pass; *now* is the instant at which it begins.
    """

    def __init__(self, *, scope: Scope, nodes: Iterable[Node[W]], executor: Executor[Any], now: datetime) -> None:
        self.scope = scope
        self._shared = Shared(scope=scope, nodes={node.slug: node for node in nodes}, now=now)
        self.executor = executor
        self.now = now
        #: Each task's state, or the executor's promise of it.
        self.promised: dict[W, Any] = {}
        #: The same for the children of mapped tasks.
        self._children: dict[W, list[Any]] = {}
        #: Mapped tasks before their children.
        self._parents: dict[W, State] = {}

    def submit_all(self, nodes: Sequence[Node[W]], states: Mapping[W, State]) -> None:
        """
        Have each of *nodes* run, unless its state says that it is done.

        A mapped one whose width is not known yet has this pass wait; all that need not wait with it goes first.
        """
        left = nodes
        while left:
            self._submit(left[0], states.get(left[0].task))
            later: dict[W, Node[W]] = {}
            for node in left[1:]:
                if any(edge.upstream_task in later for edge in node.upstream) or self._would_wait(node):
                    later[node.task] = node
                else:
                    self._submit(node, states.get(node.task))

            left = tuple(later.values())

    def _would_wait(self, node: Node[W]) -> bool:
        return node.is_mapped and any(
            not isinstance(self.promised[edge.upstream_task], State)
            for edge in node.upstream
            if not self._is_lane(edge)
        )

    def _is_lane(self, edge: Edge[W]) -> bool:
        """
        True when the elements of *edge* are the children of a mapped task, none of which need be waited for.
        """
        return edge.mapped and not edge.flattened and edge.upstream_task in self._children

    def _submit(self, node: Node[W], state: State | None) -> None:
        if state is not None and _is_done(state):
            self.promised[node.task] = state
        elif node.is_mapped:
            self._map(node, state)
        else:
            upstream = [self.promised[edge.upstream_task] for edge in node.upstream]
            self.promised[node.task] = self.executor.submit(self._try(node, state, None), upstream)

    def states(self) -> dict[W, State]:
        """
        Wait for all that was promised, and return it.
        """
        return dict(zip(self.promised, self.executor.wait(list(self.promised.values())), strict=True))

    def _try(self, node: Node[W], state: State | None, index: int | None) -> Try:
        return Try(shared=self._shared, node=node, state=state, index=index)

    def _map(self, node: Node[W], state: State | None) -> None:
        """
        Have each child of *node* run as soon as what is above that child has run.
        """
        known, lanes = self._upstream(node)
        parent = state
        if not isinstance(parent, Mapped):
            runner = TaskRunner(node.task, slug=node.slug, scope=self.scope)
            parent = runner.run_parent(state, upstream=known, lanes=lanes, now=self.now)

        if not isinstance(parent, Mapped):
            self.promised[node.task] = parent
            return

        try:
            rows = [
                [lanes[edge][index] if edge in lanes else element(edge, known[edge], index) for edge in node.upstream]
                for index in range(parent.n_map_states)
            ]
        except Exception as exc:
            get_logger("TaskRunner").error("Task '%s': its elements cannot be had: %s", node.task.name, said(exc))
            self.promised[node.task] = Failed(message=f"Unexpected error: {said(exc)}", result=exc)
            return

        children = []
        for index, row in enumerate(rows):
            before = parent.map_states[index] if index < len(parent.map_states) else None
            if before is not None and before.is_finished():
                children.append(before)
            else:
                children.append(self.executor.submit(self._try(node, before, index), row))

        self._parents[node.task] = parent
        self._children[node.task] = children
        self.promised[node.task] = self.executor.submit(partial(gathered, parent), children)

    def _upstream(self, node: Node[W]) -> tuple[dict[Edge[W], State], dict[Edge[W], Sequence[Any]]]:
        """
        Return what is above a mapped task, and the elements of those edges whose elements are tasks' states themselves.

        Only children of mapped tasks are not waited for, so that each branch goes on by itself.
        """
        known: dict[Edge[W], State] = {}
        lanes: dict[Edge[W], Sequence[Any]] = {}
        for edge in node.upstream:
            above = edge.upstream_task
            if self._is_lane(edge):
                known[edge] = self._parents[above]
                lanes[edge] = self._children[above]
                continue

            [state] = self.executor.wait([self.promised[above]])
            state = flattened(state) if edge.flattened else state
            if not edge.mapped and node.task.trigger is all_successful:
                state = as_one(state)

            known[edge] = state
            if edge.mapped and isinstance(state, Mapped):
                lanes[edge] = state.map_states

        return known, lanes


def _is_done(state: State) -> bool:
    if isinstance(state, Mapped):
        return all(child.is_finished() for child in state.map_states)

    return state.is_finished() and not state.is_cached()
