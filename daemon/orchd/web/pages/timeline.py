"""
The tasks of a run on one line of time: a bar for each, mapped children folded below their task.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchd.store.queries import RunDetail, TaskSummary, TaskView

#: Children of a mapped task that are listed; those that did not succeed come first.
MAX_CHILDREN: Final = 100
#: Narrowest bar, in percent: one that nobody sees says nothing.
_LEAST: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One task run, and where its bar stands in percent of the run.
    """

    task: TaskView
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
    return Group(
        row=_row(task.task, (task.began_at, task.ended_at), begin, end, now),
        children=tuple(
            _row(child, (child.started_at or child.ended_at, child.ended_at), begin, end, now)
            for child in task.children
        ),
        mapped=sum(task.counts.values()),
        counts=tuple(task.counts.items()),
    )


def _row(task: TaskView, span: tuple[str | None, str | None], begin: datetime, end: datetime, now: datetime) -> Row:
    start, stop = map(_at, span)
    if start is None:
        return Row(task=task, left=0, width=0)

    whole = max((end - begin).total_seconds(), 1e-6)
    left = 100 * (start - begin).total_seconds() / whole
    width = 100 * ((stop or now) - start).total_seconds() / whole
    left = min(max(left, 0.0), 100 - _LEAST)
    return Row(task=task, left=round(left, 2), width=round(min(max(width, _LEAST), 100 - left), 2))


def _span(run: RunDetail, now: datetime) -> tuple[datetime, datetime]:
    begin = _at(run.started_at) or now
    return begin, max(_at(run.ended_at) or now, begin)


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
