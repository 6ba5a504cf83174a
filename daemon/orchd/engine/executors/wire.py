"""
What worker processes tell the flow run's process while they make a try, and how each side speaks of it.
"""

import logging
import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

import cloudpickle

from orchd.engine.context import context
from orchd.engine.faults import said
from orchd.engine.logs import say
from orchd.engine.recorder import Recorder
from orchd.engine.state import State
from orchd.engine.tries import Try
from orchd.model.states import FlowRunState, TaskRunState
from orchd.results.secrets import hidden

#: The name of a logger that is directly below ``orchd`` has this many dots.
_DIRECTLY_BELOW: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """
    A task run moved, with the words of :meth:`~orchd.engine.recorder.Recorder.task`.
    """

    slug: str
    map_index: int
    state: TaskRunState
    attempt: int
    message: str
    location: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """
    A task run waits for a flow run, or goes on.
    """

    slug: str
    map_index: int
    child: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    A logger said something.
    """

    level: int
    logger: str
    text: str
    slug: str | None
    map_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """
    Something was written to ``sys.stdout``, or to ``sys.stderr`` when *is_error*.
    """

    is_error: bool
    text: str
    slug: str | None
    map_index: int


Record = Move | Wait | Line | Print


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    How a try ended: in *state*, or by *raised*, which is no affair of the task's (Ctrl-C, ``SystemExit``).
    """

    #: The task's last move and what was said after it: true only when the rest has arrived too.
    records: Sequence[Record]
    state: State | None = None
    raised: BaseException | None = None


@dataclass(slots=True, kw_only=True)
class Outbox:
    """
    The recorder of a worker process: hands records to *send*, and keeps a try's end for its reply.
    """

    send: Callable[[Sequence[Record]], None]
    end: list[Record] = field(default_factory=list)
    #: Lines from before the task runs, which go with that move.
    early: list[Record] = field(default_factory=list)
    #: A try is being made, and its task does not run yet.
    is_early: bool = False

    def task(
        self, *, slug: str, map_index: int, state: TaskRunState, attempt: int, message: str, location: str | None
    ) -> None:
        """
        Send the move if more is to follow.
        """
        move = Move(
            slug=slug,
            map_index=map_index,
            state=state,
            attempt=attempt,
            message=hidden(message),
            location=location,
        )
        self._hand_on(move, is_end=state is not TaskRunState.RUNNING)

    def log(self, *, level: int, logger: str, text: str, slug: str | None, map_index: int) -> None:
        """
        Send the line.
        """
        self._hand_on(Line(level=level, logger=logger, text=hidden(text), slug=slug, map_index=map_index))

    def wait(self, *, slug: str, map_index: int, child: str | None) -> None:
        """
        Send the wait.
        """
        self._hand_on(Wait(slug=slug, map_index=map_index, child=child))

    def flow(self, *, state: FlowRunState, message: str) -> None:
        """
        Nothing: a flow does not end in a worker.
        """

    def beside(
        self, whose: Callable[[], tuple[str, int] | None], *, is_elsewhere: bool = False
    ) -> AbstractContextManager[None]:
        """
        Nothing: a worker makes one try at a time.
        """
        return nullcontext()

    def _hand_on(self, record: Record, *, is_end: bool = False) -> None:
        if is_end or self.end:
            self.end += [*self.early, record]
            self.early.clear()
        elif self.is_early and isinstance(record, Line):
            self.early.append(record)
        else:
            self.is_early = False
            self.send([*self.early, record])
            self.early.clear()


def told(one: Try, upstream: Sequence[State], outbox: Outbox, *, dumps: Callable[[object], bytes]) -> bytes:
    """
    Make the try *one* here, and return what *dumps* makes of its :class:`Reply`, or of the reason why it cannot.
    """
    outbox.is_early = True
    shared = replace(one.shared, scope=replace(one.shared.scope, recorder=outbox))
    try:
        reply = Reply(state=replace(one, shared=shared)(upstream), records=outbox.end)
    except BaseException as exc:
        reply = Reply(raised=exc, records=[*outbox.early, *outbox.end])

    # What threads say that the task has left behind is sent at once.
    outbox.end, outbox.early, outbox.is_early = [], [], False
    try:
        return dumps(reply)
    except Exception as exc:
        return dumps(_unsent(reply.raised if reply.state is None else reply.state.result, exc))


def fork_dumps(value: object) -> bytes:
    """
    Return *value* as bytes for a process that has the same modules; functions without a name are no hindrance.
    """
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception:
        return far_dumps(value)


def far_dumps(value: object) -> bytes:
    """
    Return *value* as bytes for any process, with the code of the flow file.
    """
    return bytes(cloudpickle.dumps(value))


def heard(one: Try, data: bytes, *, has_begun: bool) -> State:
    """
    Record the end of the try *one*, of which :func:`told` gave *data*, and return its state.

    Raises:
        BaseException: what the try raised itself.
    """
    reply: Reply | str
    try:
        reply = pickle.loads(data)
    except Exception as exc:
        reply = (
            f"the task's result cannot be read back from its worker process: {said(exc)}; return a value that can be "
            "pickled, or use threads"
        )

    if isinstance(reply, str):
        return one.lost(reply, has_begun=has_begun)

    for record in reply.records:
        repeat(record, one.shared.scope.recorder)

    if isinstance(reply.raised, SystemExit):
        # Dask teaches pickle to copy exceptions without their __init__, which alone sets the code.
        raise SystemExit(*reply.raised.args)

    if reply.state is None:
        raise reply.raised or RuntimeError("the try ended without a state")

    return reply.state


def repeat(record: Record, recorder: Recorder) -> None:
    """
    Say here what *record* says was said in a worker process: to *recorder*, the loggers, or the standard streams.
    """
    match record:
        case Move():
            recorder.task(
                slug=record.slug,
                map_index=record.map_index,
                state=record.state,
                attempt=record.attempt,
                message=record.message,
                location=record.location,
            )
        case Wait():
            recorder.wait(slug=record.slug, map_index=record.map_index, child=record.child)
        case Line() | Print():
            index = None if record.map_index < 0 else record.map_index
            of_task: dict[str, Any] = {} if record.slug is None else {"task_slug": record.slug, "map_index": index}
            before = context.swap(of_task)
            try:
                _say_again(record)
            finally:
                context.swap(before)


def _say_again(record: Line | Print) -> None:
    if isinstance(record, Print):
        stream = sys.stderr if record.is_error else sys.stdout
        stream.write(record.text)
        stream.flush()
        return

    logger = logging.getLogger(record.logger)
    if record.level == logging.INFO and record.logger.count(".") == _DIRECTLY_BELOW:
        say(logger, record.text)
    else:
        logger.log(record.level, "%s", record.text)


def _unsent(given: object, exc: Exception) -> str:
    kind = f"{type(given).__module__}.{type(given).__qualname__}"
    return (
        f"the task's result, of the type {kind}, cannot be sent from its worker process: {said(exc)}; "
        "return a value that can be pickled, or use threads"
    )
