"""
One flow run: passes over its tasks until nothing is left to do, with the waits for retries between them.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from orchd import clock
from orchd.engine.context import context
from orchd.engine.decide import WORDS, Ending, Verdict, judge_flow
from orchd.engine.executors.executor import Executor
from orchd.engine.executors.local import LocalExecutor
from orchd.engine.faults import said
from orchd.engine.flow_pass import FlowPass
from orchd.engine.handlers import StateHandler, handled
from orchd.engine.logs import get_logger
from orchd.engine.mapping import gathered
from orchd.engine.signals import ENDRUN, StateSignal
from orchd.engine.state import Failed, Mapped, Paused, Resume, Running, Scheduled, State, Success
from orchd.engine.work import Scope, Work
from orchd.graph.graph import Graph
from orchd.model.states import TaskRunState

W = TypeVar("W", bound=Work)
#: Takes the flow, its final state and the states of its reference tasks; returns another final state, or None.
TerminalHandler = Callable[[Any, State, set[State]], State | None]

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
    executor: Executor[Any] = field(default_factory=LocalExecutor)
    #: What state handlers are given as that which changed.
    flow: object = None
    handlers: tuple[StateHandler, ...] = ()
    terminal_handler: TerminalHandler | None = None
    #: Asked whether the task of that name, which is paused, may go on; None when there is nobody to ask.
    ask: Callable[[Any], bool] | None = None

    def run(self, states: Mapping[W, State]) -> State:
        """
        Run until the flow is finished, and return its state; its result maps every task to its state.

        Retries wait until everything else that can run has run.

        Args:
            states: states of tasks that are known beforehand; finished ones are not run.
        """
        now = clock.now()
        state: State | None = None
        while True:
            state = self.run_pass(states, now=now, state=state)
            if state.is_finished() or not isinstance(state.result, dict):
                return state

            states = {task: self._answered(task, each) for task, each in state.result.items()}
            start = next_start(states.values())
            if start is None and all(states[task] is each for task, each in state.result.items()):
                return state

            if start is not None and start > clock.now():
                get_logger(self.graph.name).info("Waiting for next available Task run at %s", start.isoformat())

            now = wait_until(start) if start is not None else clock.now()

    def run_pass(self, states: Mapping[W, State], *, now: datetime, state: State | None = None) -> State:
        """
        Run every task that can run at *now* once, and return Running when some are left for a later pass.

        Args:
            state: how the flow stands after an earlier pass.
        """
        LOG.info("Beginning Flow run for '%s'", self.graph.name)
        LOG.debug("Using executor type %s", type(self.executor).__name__)
        try:
            if state is None or not state.is_running():
                state = self._moved(state or Scheduled(), Running(message="Running flow."))

            if not state.is_running():
                return state

            return self._judged(state, self._walked(states, now))
        except ENDRUN as signal:
            return signal.state
        except StateSignal as signal:
            if context.get("raise_on_exception"):
                raise

            return signal.state
        except Exception as exc:
            if context.get("raise_on_exception"):
                raise

            LOG.error("Unexpected error occured in FlowRunner: %s", said(exc), exc_info=exc)
            return Failed(message=f"Unexpected error: {said(exc)}", result=exc)

    def _walked(self, states: Mapping[W, State], now: datetime) -> dict[W, State]:
        walk = FlowPass[W](scope=self.scope, nodes=self.graph.nodes, executor=self.executor, now=now)
        with self.executor.start():
            walk.submit_all(self.graph.nodes, states)
            return walk.states()

    def _judged(self, state: State, done: dict[W, State]) -> State:
        references = [each for task in self.graph.references for each in _counted(done[task])]
        verdict = judge_flow(
            terminals=(_ending(each) for task in self.graph.terminals for each in _counted(done[task])),
            references=map(_ending, references),
        )
        LOG.info("%s", WORDS[verdict].line)
        if verdict is Verdict.UNFINISHED:
            state.result = done
            return state

        new = _STATE_OF[verdict](message=WORDS[verdict].message, result=done)
        if self.terminal_handler is not None:
            new = self.terminal_handler(self.flow, new, set(references)) or new

        try:
            new = self._moved(state, new)
        except ENDRUN as signal:
            new = signal.state

        if new.result is None:
            new.result = done

        return new

    def _moved(self, old: State, new: State) -> State:
        LOG.debug(
            "Flow '%s': Handling state change from %s to %s", self.graph.name, type(old).__name__, type(new).__name__
        )
        return handled(self.flow, self.handlers, old, new, log=LOG) if self.handlers else new

    def _answered(self, task: W, state: State, index: int = -1) -> State:
        """
        Ask whether a task that is paused without end may go on, and return its state with the answer.
        """
        if isinstance(state, Mapped):
            children = [self._answered(task, child, number) for number, child in enumerate(state.map_states)]
            same = all(new is old for new, old in zip(children, state.map_states, strict=True))
            return state if same else gathered(state, children)

        if not (isinstance(state, Paused) and state.start_time is None):
            return state

        if self.ask is None:
            message = f"Task '{task.name}' is paused, and nobody is there to let it go on."
            LOG.error("%s", message)
            self.scope.recorder.task(
                slug=next(node.slug for node in self.graph.nodes if node.task is task),
                map_index=index,
                state=TaskRunState.FAILED,
                attempt=1,
                message=message,
                location=None,
            )
            return Failed(message=message, result=state.result)

        return Resume(result=state.result) if self.ask(task) else state


def next_start(states: Iterable[State]) -> datetime | None:
    """
    Return when the first of the tasks that wait for a time is to begin.
    """
    starts = (each.start_time for state in states for each in _counted(state) if isinstance(each, Scheduled))
    return min((start for start in starts if start is not None), default=None)


def wait_until(start: datetime) -> datetime:
    """
    Wait until *start*; signals interrupt it. Returns an instant that is not before *start*.

    The length is measured on the clock that nobody can set, so that a wall clock that jumps does not stretch it.
    """
    threading.Event().wait(max(0.0, (start - clock.now()).total_seconds()))
    return max(start, clock.now())


def _counted(state: State) -> Iterator[State]:
    if isinstance(state, Mapped):
        yield from state.map_states
    else:
        yield state


def _ending(state: State) -> Ending:
    if not state.is_finished():
        return Ending.OPEN

    if state.is_failed():
        return Ending.FAILED

    return Ending.SUCCESSFUL if state.is_successful() else Ending.OTHER
