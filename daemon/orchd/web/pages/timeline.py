"""
The tasks of a run on one line of time: a bar for each, mapped children folded below their task.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchd.store.queries import RunDetail, TaskSummary, TaskView
from orchd.web.pages.rendering import loudest

#: Children of a mapped task that are listed; those that did not succeed come first.
MAX_CHILDREN: Final = 100
#: Narrowest bar, in percent: one that nobody sees says nothing.
_LEAST: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One task run, its tone, and where its bar stands in percent of the run.
    """

    task: TaskView
    tone: str
    left: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    One task: a row, and the children when it is mapped.
    """

    row: Row
    children: tuple[Row, ...] = ()
    #: How many children there are, and of each state.
    mapped: int = 0
    counts: tuple[tuple[str, int], ...] = ()

    @property
    def is_mapped(self) -> bool:
        """
        True when the task has children.
        """
        return self.mapped > 0


def timeline(run: RunDetail, tasks: Sequence[TaskSummary], *, now: datetime) -> list[Group]:
    """
    Place the *tasks* of *run*, in their order.
    """
    begin, end = _span(run, now)
    return [_group(task, begin, end, now) for task in tasks]


def _group(task: TaskSummary, begin: datetime, end: datetime, now: datetime) -> Group:
    states = task.states or (task.task.state,)
    return Group(
        row=_row(task.task, states, (task.began_at, task.ended_at), begin, end, now),
        children=tuple(
            _row(child, (child.state,), (child.started_at or child.ended_at, child.ended_at), begin, end, now)
            for child in task.children
        ),
        mapped=sum(task.counts.values()),
        counts=tuple(task.counts.items()),
    )


def _row(
    task: TaskView,
    states: Sequence[str],
    span: tuple[str | None, str | None],
    begin: datetime,
    end: datetime,
    now: datetime,
) -> Row:
    start, stop = map(_at, span)
    if start is None:
        return Row(task=task, tone=loudest(states), left=0, width=0)

    whole = max((end - begin).total_seconds(), 1e-6)
    left = 100 * (start - begin).total_seconds() / whole
    width = 100 * ((stop or now) - start).total_seconds() / whole
    left = min(max(left, 0.0), 100 - _LEAST)
    width = min(max(width, _LEAST), 100 - left)
    return Row(task=task, tone=loudest(states), left=round(left, 2), width=round(width, 2))


def _span(run: RunDetail, now: datetime) -> tuple[datetime, datetime]:
    begin = _at(run.started_at) or now
    return begin, max(_at(run.ended_at) or now, begin)


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
