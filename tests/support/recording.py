"""
A recorder that remembers everything, and builders of small flows for tests of the engine.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from orchd.engine.state import State
from orchd.flow.execute import execute
from orchd.flow.flow import Flow
from orchd.model.states import TASK_RUN_MOVES, FlowRunState, TaskRunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """
    One move of a task run, as the recorder was told.
    """

    slug: str
    state: TaskRunState
    attempt: int
    message: str
    location: str | None
    map_index: int = -1


@dataclass
class RecordingRecorder:
    """
    Remembers moves, lines and the end, each in order.
    """

    moves: list[Move] = field(default_factory=list)
    lines: list[tuple[str, str, str | None]] = field(default_factory=list)
    indexed: list[tuple[str, int]] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    waits: list[tuple[str, int, str | None]] = field(default_factory=list)
    ends: list[tuple[FlowRunState, str]] = field(default_factory=list)

    def task(
        self, *, slug: str, map_index: int, state: TaskRunState, attempt: int, message: str, location: str | None
    ) -> None:
        """
        Remember a move.
        """
        self.moves.append(
            Move(slug=slug, state=state, attempt=attempt, message=message, location=location, map_index=map_index)
        )

    def log(self, *, level: int, logger: str, text: str, slug: str | None, map_index: int) -> None:
        """
        Remember a line.
        """
        self.indexed.append((logger, map_index))
        self.levels.append(level)
        self.lines.append((logger, text, slug))

    def wait(self, *, slug: str, map_index: int, child: str | None) -> None:
        """
        Remember a wait.
        """
        self.waits.append((slug, map_index, child))

    def beside(
        self, whose: Callable[[], tuple[str, int] | None], *, is_elsewhere: bool = False
    ) -> AbstractContextManager[None]:
        """
        Nothing to remember.
        """
        return nullcontext()

    def flow(self, *, state: FlowRunState, message: str) -> None:
        """
        Remember the end.
        """
        self.ends.append((state, message))

    def states(self, slug: str) -> list[str]:
        """
        Return the states that the task of that slug went through.
        """
        return [move.state.value for move in self.moves if move.slug == slug]

    def texts(self) -> list[str]:
        """
        Return the text of every line.
        """
        return [text for _, text, _ in self.lines]


def is_legal(told: RecordingRecorder) -> bool:
    """
    True when each move of each task run is one that the table allows.
    """
    stands: dict[tuple[str, int], TaskRunState] = {}
    for move in told.moves:
        before = stands.get((move.slug, move.map_index), TaskRunState.PENDING)
        if before not in TASK_RUN_MOVES[move.state]:
            return False

        stands[move.slug, move.map_index] = move.state

    return True


def flow_of(build: Callable[[], object], *, name: str = "f") -> Flow:
    """
    Return the flow whose ``with`` block is *build*.
    """
    with Flow(name) as flow:
        build()

    return flow


def executed(flow: Flow, **parameters: object) -> tuple[State, RecordingRecorder]:
    """
    Run *flow* as the daemon does, and return its state and what was recorded.
    """
    recorder = RecordingRecorder()
    return execute(flow, spec_parameters=parameters, recorder=recorder, context={}), recorder
