"""
Schedules that only a flow's own code can say: asked ahead for their fire times, for a bounded time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from orchd.engine.context import as_moment
from orchd.engine.faults import said
from orchd.flow.classic_schedules.clocks import ClockEvent, plain
from orchd.flow.classic_schedules.schedule import MAX_EVENTS, Schedule

#: How far ahead a schedule is asked, and for how many fire times at most.
HORIZON: Final = timedelta(days=35)
MAX_FIRES: Final = 1_000
#: An adjustment may bring an event of so long ago into the time to come, as over a row of holidays.
_LONGEST_MOVE: Final = timedelta(days=8)
_INSTANT: Final = timedelta(microseconds=1)


class Unasked(Exception):
    """
    A schedule that gave no answer; the message is the reason.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    What a schedule has answered.
    """

    #: Fire times (UTC), in order, each with the parameters that its clock gives.
    fires: Mapping[datetime, Mapping[str, Any]]
    #: Until when they are known.
    until: datetime
    #: Zone of the first of them, or of the first clock with a start.
    timezone: str


def asked_ahead(schedule: Schedule, *, now: datetime) -> Asked:
    """
    Ask for the fire times after *now* (UTC): at most :data:`MAX_FIRES` of them, within :data:`HORIZON`.

    Raises:
        Unasked: its code fails, or speaks of the past only.
    """
    try:
        until, coming = _ahead(schedule, now)
        events = [*_moved_on(schedule, now, until), *coming]
        fires = {plain(as_moment(event.start_time)): event for event in reversed(events)}
        timezone = _timezone(schedule, events)
    except Exception as exc:
        raise Unasked(f"asking it for its fire times has failed: {said(exc)}") from exc

    if until <= now:
        raise Unasked(f"the first {MAX_EVENTS} events of its clocks are all past")

    parameters = {fire: fires[fire].parameter_defaults for fire in sorted(fires) if fire > now}
    return Asked(fires=parameters, until=until, timezone=timezone)


def _ahead(schedule: Schedule, now: datetime) -> tuple[datetime, list[ClockEvent]]:
    events: list[ClockEvent] = []
    for number, (instant, event) in enumerate(schedule.looked_at(now)):
        if instant > now + HORIZON:
            break

        if number == MAX_EVENTS or len(events) == MAX_FIRES:
            return instant - _INSTANT, events

        if event is not None and instant > now:
            events.append(event)

    return now + HORIZON, events


def _moved_on(schedule: Schedule, now: datetime, until: datetime) -> Iterator[ClockEvent]:
    """
    Give what was due up to *now*, as far back as an adjustment may move it on.
    """
    if not schedule.adjustments:
        return

    for instant, event in islice(schedule.looked_at(now - min(_LONGEST_MOVE, until - now)), MAX_EVENTS):
        if instant > now:
            return

        if event is not None:
            yield event


def _timezone(schedule: Schedule, events: list[ClockEvent]) -> str:
    starts = [event.start_time for event in events[:1]]
    starts += [start for each in schedule.clocks if (start := getattr(each, "start_date", None)) is not None]
    return str(as_moment(starts[0]).timezone_name) if starts else "UTC"
