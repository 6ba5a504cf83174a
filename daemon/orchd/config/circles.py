"""
Flows that wait for each other in a circle, so that none could ever start first.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from orchd.config.complaints import place
from orchd.config.files import Merged
from orchd.config.settings import Config
from orchd.config.tables import ScheduleTable
from orchd.model.specs import FlowSpec


class Step(NamedTuple):
    """
    That one flow waits for another.
    """

    #: The flow that is waited for.
    flow: str
    #: The schedule that says so, and by which word.
    schedule: str
    word: str


Steps = Mapping[str, list[Step]]


def circle_problems(tables: Mapping[str, ScheduleTable], merged: Merged) -> Iterator[str]:
    """
    Yield one sentence for each circle of flows that wait for each other by ``after`` and ``wait_for``.
    """
    waits: dict[str, list[Step]] = {}
    for name, table in tables.items():
        for upstream in table.after or ():
            waits.setdefault(table.flow, []).append(Step(upstream, name, "after"))

    # A flow that some schedule starts without a wait is no part of a circle of wait_for.
    free = {table.flow for table in tables.values() if not (table.after or table.wait_for)}
    for name, table in tables.items():
        for wait in table.wait_for or ():
            if table.flow not in free:
                waits.setdefault(table.flow, []).append(Step(wait.flow, name, "wait_for"))

    for circle in circles(waits):
        rest = circle[1:]
        words = f"'{rest[-1].flow}'" + "".join(f" {_WORDS[step.word]} '{step.flow}'" for step in rest)
        other = "give one of them a cron or every rule instead"
        if any(step.word == "wait_for" for step in rest):
            other = "remove one of the waits"
        yield f"{place(('schedules', rest[0].schedule, rest[0].word), merged)}: {words} is a circle; {other}"


_WORDS = {"after": "after", "wait_for": "waits for"}


def circles(waits: Steps) -> Iterator[list[Step]]:
    """
    Yield circles of *waits* (flow -> what it waits for), each as its steps after one that only names where it begins.
    """
    done: set[str] = set()
    for flow in waits:
        if flow not in done and (circle := _circle_from(flow, waits, done)):
            yield circle


def _circle_from(start: str, waits: Steps, done: set[str]) -> list[Step] | None:
    # Iterative, so that a chain of ten thousand flows does not meet the recursion limit.
    path = [Step(start, "", "")]
    branches = [iter(waits.get(start, ()))]
    on_path = {start}
    while path:
        if path[-1].flow in done or (step := next(branches[-1], None)) is None:
            done.add(path[-1].flow)
            on_path.discard(path.pop().flow)
            branches.pop()
            continue
        if step.flow in on_path:
            done |= on_path
            begin = next(n for n, item in enumerate(path) if item.flow == step.flow)
            return [*path[begin:], step]

        path.append(step)
        branches.append(iter(waits.get(step.flow, ())))
        on_path.add(step.flow)
    return None


def endless_problems(config: Config, flows: Mapping[str, FlowSpec]) -> Iterator[str]:
    """
    Yield one sentence for each circle of flows that start each other for ever, by ``after`` and by starting runs.
    """
    starts: dict[str, list[Step]] = {}
    for flow in flows.values():
        for started in flow.starts:
            starts.setdefault(flow.name, []).append(Step(started, "", "starts"))
    for schedule in config.schedules:
        for upstream in schedule.after:
            starts.setdefault(upstream, []).append(Step(schedule.flow, schedule.name, "after"))
    for circle in circles(starts):
        named = next((step.schedule for step in circle[1:] if step.word == "after"), None)
        # A flow that starts itself may well end: only its code knows.
        if named is not None and any(step.word == "starts" for step in circle[1:]):
            where = config.origins.get(("schedules", named), "")
            words = ", which starts ".join(f"'{step.flow}'" for step in circle)
            table = f"{where}: [schedules.{named}]" if where else f"[schedules.{named}]"
            yield f"{table} after: {words}: this never ends; remove one of the starts"
