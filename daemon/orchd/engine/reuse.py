"""
What a resumed run takes over from the attempt before it, task run by task run.

A result is used again when the task run succeeded, its result can be read, and everything above it is the same as then:
that is said by the states themselves, so it holds through every executor. What ran anew makes all below it run anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from orchd.engine import kept
from orchd.engine.context import context
from orchd.engine.faults import said
from orchd.engine.kept import KeptResults
from orchd.engine.logs import get_logger
from orchd.engine.state import Cached, Mapped, Skipped, State
from orchd.graph.edges import Edge
from orchd.model.records import REUSED, SKIPPED_AGAIN
from orchd.model.states import TaskRunState
from orchd.results.result import Result

LOG: Final = get_logger("TaskRunner")

#: Key of a state's context: the attempt in which the task had the same result.
SAME_AS: Final = "same_as"
#: Keys of the context of a task run: nothing that it began in the attempt before counts any more; it began something
#: in its place.
RUNS_ANEW: Final = "_runs_anew"
BEGAN_ANEW: Final = "_began_anew"
_GOOD: Final = frozenset({TaskRunState.SUCCESS, TaskRunState.CACHED, TaskRunState.SKIPPED})

Upstream = Mapping[Edge[Any], State]


class Stored(Protocol):
    """
    A task, as far as it says whether its result is stored.
    """

    @property
    def name(self) -> str:
        """
        What logs call it.
        """

    @property
    def checkpoint(self) -> bool | None:
        """
        False when its result is never to be stored.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """
    How a task run ended in the attempt before, and where its result is.
    """

    state: TaskRunState
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    The state that is taken over; without one the task runs anew, and *why*.
    """

    state: State | None = None
    why: str = ""
    #: A person wants it to run, so that targets and caches are not asked.
    is_forced: bool = False
    #: Everything above it is the same as then, so that what it began then still counts.
    is_same_above: bool = False

    def __str__(self) -> str:
        return f"runs anew: {self.why}" if self.state is None else self.state.message or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """
    The attempt before.
    """

    #: How it is called: ``attempt 1 (calm-otter-3f2a1c)``.
    attempt: str
    #: (slug, map index; -1 when not mapped) -> how it ended.
    before: Mapping[tuple[str, int], Before]
    #: Slug -> why this task runs anew, whatever is above it.
    anew: Mapping[str, Answer]

    def ask(
        self,
        task: Stored,
        slug: str,
        index: int | None,
        upstream: Upstream,
        result: Result,
        store: KeptResults | None,
    ) -> Answer:
        """
        Return what becomes of a task run that is about to begin.

        Args:
            index: of a mapped task's child.

            result: reads what the task itself, or its flow, had stored.

            store: that of this attempt, which takes kept results over.
        """
        judged = self._judge(slug, index, upstream.values())
        if isinstance(judged, Answer):
            return judged

        if judged.state is TaskRunState.SKIPPED:
            return Answer(state=self._marked(Skipped(message=f"{SKIPPED_AGAIN} {self.attempt}.")))

        if task.checkpoint is False:
            return Answer(why="its result is never stored", is_same_above=True)

        if judged.location is None:
            return Answer(why="its result was not kept", is_same_above=True)

        try:
            found = _read(judged.location, result)
        except Exception as exc:
            LOG.warning("Task '%s': its result at %s cannot be read: %s", task.name, judged.location, said(exc))
            return Answer(why="its result cannot be read", is_same_above=True)

        if store is not None and kept.is_kept(judged.location):
            found.location = store.adopt(judged.location)

        return Answer(state=self._marked(Cached(message=f"{REUSED} {self.attempt}.", result=found)))

    def settle(self, task: Stored, slug: str, index: int | None, state: State, upstream: Upstream) -> None:
        """
        Mark the *state* in which a task run ended when all that is known says that it is as it was: a mapped task with
        the same children, a task below one that was skipped, and one whose result is never stored.
        """
        if isinstance(state, Mapped):
            is_as_it_was = self._has_shape(slug, upstream)
        else:
            is_unstored = task.checkpoint is False and not context.get(BEGAN_ANEW)
            is_of_kind = state.is_skipped() or (is_unstored and state.is_successful())
            is_as_it_was = is_of_kind and isinstance(self._judge(slug, index, upstream.values()), Before)

        if is_as_it_was:
            self._marked(state)

    def context_of(self, slug: str) -> dict[str, Any] | None:
        """
        Return the context of the state of a task that is a value; None when that value has changed.
        """
        return None if slug in self.anew else {SAME_AS: self.attempt}

    def _judge(self, slug: str, index: int | None, upstream: Iterable[State]) -> Before | Answer:
        if (anew := self.anew.get(slug)) is not None:
            return anew

        before = self.before.get((slug, -1 if index is None else index))
        is_same_above = all(map(is_same, upstream))
        if before is None or before.state not in _GOOD:
            return Answer(why="it had not succeeded", is_same_above=is_same_above)

        return before if is_same_above else Answer(why="what is above it ran anew")

    def _has_shape(self, slug: str, upstream: Upstream) -> bool:
        return slug not in self.anew and all(
            SAME_AS in state.context if edge.mapped and not edge.flattened else is_same(state)
            for edge, state in upstream.items()
        )

    def _marked(self, state: State) -> State:
        state.context[SAME_AS] = self.attempt
        return state


def is_same(state: State) -> bool:
    """
    True when the task of *state* has the same result as in the attempt before; of a mapped one all of its children.
    """
    return SAME_AS in state.context and (not isinstance(state, Mapped) or all(map(is_same, state.map_states)))


def _read(location: str, result: Result) -> Result:
    if not kept.is_kept(location):
        return result.read(location)

    found = Result(value=kept.read(location))
    found.location = location
    return found
