"""
One flow run: passes over its tasks until nothing is left to do, with the waits for retries between them.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, Generic, TypeVar

from orchd import clock
from orchd.engine.decide import WORDS, Ending, Verdict, judge_flow
from orchd.engine.executors.executor import Executor
from orchd.engine.executors.local import LocalExecutor
from orchd.engine.logs import get_logger
from orchd.engine.state import Failed, Running, Scheduled, State, Success
from orchd.engine.task_runner import TaskRunner
from orchd.engine.work import Scope, Work
from orchd.graph.graph import Graph, Node

W = TypeVar("W", bound=Work)

LOG: Final = get_logger("FlowRunner")

_STATE_OF: Final[Mapping[Verdict, type[State]]] = {
    Verdict.UNFINISHED: Running,
    Verdict.FAILED: Failed,
    Verdict.ALL_SUCCESSFUL: Success,
    Verdict.NONE_FAILED: Success,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlowRunner(Generic[W]):
    """
    Runs *graph*.
    """

    graph: Graph[W]
    scope: Scope
    executor: Executor[State] = field(default_factory=LocalExecutor)

    def run(self, states: Mapping[W, State]) -> State:
        """
        Run until the flow is finished, and return its state; its result maps every task to its state.

        Retries wait until everything else that can run has run.

        Args:
            states: states of tasks that are known beforehand; finished ones are not run.
        """
        now = clock.now()
        while True:
            state = self.run_pass(states, now=now)
            if state.is_finished():
                return state

            states = state.result
            start = next_start(states.values())
            if start is None:
                return state

            get_logger(self.graph.name).info("Waiting for next available Task run at %s", start.isoformat())
            now = wait_until(start)

    def run_pass(self, states: Mapping[W, State], *, now: datetime) -> State:
        """
        Run every task that can run at *now* once, and return Running when some are left for a later pass.
        """
        LOG.info("Beginning Flow run for '%s'", self.graph.name)
        promised: dict[W, State] = {}
        with self.executor.start():
            for node in self.graph.nodes:
                state = states.get(node.task)
                if state is None or not state.is_finished():
                    upstream = [promised[edge.upstream_task] for edge in node.upstream]
                    state = self.executor.submit(partial(self._run_task, node, state, now), upstream)

                promised[node.task] = state

            done = dict(zip(promised, self.executor.wait(list(promised.values())), strict=True))

        verdict = judge_flow(
            terminals=(_ending(done[task]) for task in self.graph.terminals),
            references=(_ending(done[task]) for task in self.graph.references),
        )
        LOG.info("%s", WORDS[verdict].line)
        return _STATE_OF[verdict](message=WORDS[verdict].message, result=done)

    def _run_task(self, node: Node[W], state: State | None, now: datetime, upstream: Sequence[State]) -> State:
        runner = TaskRunner(node.task, slug=node.slug, scope=self.scope)
        above: dict[Any, State] = dict(zip(node.upstream, upstream, strict=True))
        return runner.run(state, upstream=above, constants=node.constants, now=now)


def next_start(states: Iterable[State]) -> datetime | None:
    """
    Return when the first of the tasks that wait for a time is to begin.
    """
    return min((state.start_time for state in states if isinstance(state, Scheduled)), default=None)


def wait_until(start: datetime) -> datetime:
    """
    Wait until *start*; signals interrupt it. Returns an instant that is not before *start*.

    The length is measured on the clock that nobody can set, so that a wall clock that jumps does not stretch it.
    """
    threading.Event().wait(max(0.0, (start - clock.now()).total_seconds()))
    return max(start, clock.now())


def _ending(state: State) -> Ending:
    if not state.is_finished():
        return Ending.OPEN

    if state.is_failed():
        return Ending.FAILED

    return Ending.SUCCESSFUL if state.is_successful() else Ending.OTHER
