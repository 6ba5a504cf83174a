"""
Where the bars of a run's tasks stand.
"""

from datetime import UTC, datetime, timedelta

import pytest

from orchd.model.instants import iso
from orchd.store.queries import RunDetail, TaskSummary, TaskView
from orchd.web.pages.timeline import Group, timeline

START = datetime(2026, 11, 23, 2, tzinfo=UTC)
#: Now, where a case says nothing else: seconds after the start of the run.
NOW_S = 200.0


def at(seconds: float | None) -> str | None:
    """
    Return the instant so many seconds after the start of the run.
    """
    return None if seconds is None else iso(START + timedelta(seconds=seconds))


def run(begin: float | None = 0, end: float | None = 100) -> RunDetail:
    """
    Return a run that began and ended so many seconds after the start.
    """
    unsaid = dict.fromkeys(RunDetail.__struct_fields__)
    return RunDetail(**unsaid | {"started_at": at(begin), "ended_at": at(end)})


def view(begin: float | None, end: float | None, *, index: int = -1) -> TaskView:
    """
    Return a task run.
    """
    unsaid = dict.fromkeys(TaskView.__struct_fields__)
    return TaskView(**unsaid | {"slug": "a", "map_index": index, "started_at": at(begin), "ended_at": at(end)})


def task(begin: float | None, end: float | None, *children: TaskView, **counts: int) -> TaskSummary:
    """
    Return a task whose runs began and ended then.
    """
    return TaskSummary(
        task=view(begin, end), children=children, counts=counts, states=(), began_at=at(begin), ended_at=at(end)
    )


def group(made: TaskSummary, of: RunDetail, *, now_s: float = NOW_S) -> Group:
    """
    Place one task.
    """
    (found,) = timeline(of, [made], now=START + timedelta(seconds=now_s))
    return found


@pytest.mark.parametrize(
    ("span", "of", "now_s", "left", "width"),
    [
        ((0, 100), (0, 100), NOW_S, 0, 100),
        ((25, 75), (0, 100), NOW_S, 25, 50),
        ((1 / 3 * 100, 100), (0, 100), NOW_S, 33.33, 66.67),
        # It has not begun.
        ((None, None), (0, 100), NOW_S, 0, 0),
        ((None, 50), (0, 100), NOW_S, 0, 0),
        # Nobody sees a bar without width, also at the very end.
        ((50, 50), (0, 100), NOW_S, 50, 0.4),
        ((100, 100), (0, 100), NOW_S, 99.6, 0.4),
        # Both go on.
        ((50, None), (0, None), 100, 50, 50),
        ((100, None), (0, None), 100, 99.6, 0.4),
        # Clocks of several processes: a little before the run, or after its end.
        ((-10, 50), (0, 100), NOW_S, 0, 60),
        ((50, 110), (0, 100), NOW_S, 50, 50),
        ((110, 120), (0, 100), NOW_S, 99.6, 0.4),
        ((90, 80), (0, 100), NOW_S, 90, 0.4),
        # A run without a length, one that has not begun, one that ended before it began.
        ((0, 0), (0, 0), NOW_S, 0, 0.4),
        ((0, 10), (None, None), 0, 0, 100),
        ((0, 10), (0, -5), NOW_S, 0, 100),
    ],
)
def test_where_a_bar_stands(
    span: tuple[float | None, float | None],
    of: tuple[float | None, float | None],
    now_s: float,
    left: float,
    width: float,
) -> None:
    """
    In percent of the run, within it, and wide enough to be seen.
    """
    row = group(task(*span), run(*of), now_s=now_s).row

    assert (row.left, row.width) == (left, width)


@pytest.mark.parametrize("begin", range(-20, 130, 7))
@pytest.mark.parametrize("length", [None, 0, 1, 60, 500])
def test_no_bar_leaves_the_line(begin: int, length: int | None) -> None:
    """
    Whatever the clocks said.
    """
    row = group(task(begin, None if length is None else begin + length), run()).row

    assert row.left >= 0
    assert row.width >= 0.4
    assert row.left + row.width <= 100.01


def test_tasks_keep_their_order() -> None:
    """
    That of the graph, not of time.
    """
    tasks = [task(50, 60), task(0, 10), task(20, 30)]

    assert [each.row.left for each in timeline(run(), tasks, now=START)] == [50, 0, 20]


def test_a_mapped_task_has_a_row_for_each_child() -> None:
    """
    Its own spans all of them; a child that ended without having begun stands where it ended.
    """
    found = group(task(10, 90, view(10, 40, index=0), view(None, 90, index=1), success=1, failed=1), run())

    assert (found.row.left, found.row.width) == (10, 80)
    assert [(row.task.map_index, row.left, row.width) for row in found.children] == [(0, 10, 30), (1, 90, 0.4)]


@pytest.mark.parametrize(("counts", "mapped"), [({}, 0), ({"success": 3}, 3), ({"failed": 2, "success": 5_000}, 5_002)])
def test_children_are_counted(counts: dict[str, int], mapped: int) -> None:
    """
    Also those that are not listed.
    """
    found = group(task(0, 10, **counts), run())

    assert (found.mapped, found.is_mapped) == (mapped, mapped > 0)
    assert found.counts == tuple(counts.items())
