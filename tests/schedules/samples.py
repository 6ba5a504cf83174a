"""
Specs, views and instants for the tests of this room.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from orchd.model.ids import FlowRunId
from orchd.model.specs import ScheduleSpec
from orchd.model.states import FlowRunState
from orchd.schedules import Every
from orchd.schedules.plan import ActiveRun, ScheduleView

ZONES = sorted(available_timezones() - {"Factory", "localtime"})
MINUTE = timedelta(minutes=1)

#: How often a property is tried; no example is kept in a file, and none is timed.
PROPERTY = settings(max_examples=100, deadline=None, database=None)


def utc(text: str) -> datetime:
    """
    Return the UTC instant of ``2026-03-01 10:00``.
    """
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spec(name: str = "nightly", **more: Any) -> ScheduleSpec:
    """
    Return a spec that fires each minute.
    """
    return msgspec.convert({"name": name, "flow": "load", "kind": "every", "rule": "1m"} | more, ScheduleSpec)


def view(*, decided_until: datetime, name: str = "nightly", **more: Any) -> ScheduleView:
    """
    Return a view of :func:`spec`; what is no field of a view goes into its spec.
    """
    fields = {key: more.pop(key) for key in ("paused", "resumed", "active", "flow_loaded") if key in more}
    rule = Every("1m")
    return ScheduleView(
        spec=spec(name, **more),
        rule=rule,
        decided_until=decided_until,
        next_fire=rule.next_after(decided_until),
        **fields,
    )


class Counting:
    """
    A rule that counts how often it is asked.
    """

    def __init__(self, rule):
        self.rule, self.asked, self.spacing, self.timezone = rule, 0, rule.spacing, rule.timezone

    def next_after(self, instant):
        """
        Pass the question on.
        """
        self.asked += 1
        return self.rule.next_after(instant)


def active(*states: str) -> tuple[ActiveRun, ...]:
    """
    Return runs ``run0``, ``run1`` ... in these states.
    """
    return tuple(
        ActiveRun(run_id=FlowRunId(f"run{number}"), state=FlowRunState(state), fire_time=None)
        for number, state in enumerate(states)
    )


@cache
def changes(zone: str, year: int) -> tuple[datetime, ...]:
    """
    Return the instants (to the minute) at which the offset of *zone* changes in *year*.
    """
    tz, day, found = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC), []
    while day.year == year:
        early, late = day, day + timedelta(days=5)
        if early.astimezone(tz).utcoffset() != late.astimezone(tz).utcoffset():
            while late - early > MINUTE:
                middle = early + (late - early) // MINUTE // 2 * MINUTE
                same = middle.astimezone(tz).utcoffset() == early.astimezone(tz).utcoffset()
                early, late = (middle, late) if same else (early, middle)

            found.append(late)

        day += timedelta(days=5)

    return tuple(found)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """
    Draw a zone and an instant in it, near a clock change when the drawn year has one.
    """
    zone = draw(st.sampled_from(ZONES))
    year = draw(st.integers(1973, 2050))
    near = draw(st.sampled_from(changes(zone, year) or (datetime(year, 6, 1, tzinfo=UTC),)))
    return zone, near + draw(st.integers(-300, 300)) * MINUTE


def first(rule: Any, after: datetime, count: int) -> Iterator[datetime]:
    """
    Give the first *count* fires of *rule* after *after*.
    """
    for _ in range(count):
        after = rule.next_after(after)
        yield after
