"""
Schedules that are written in flow files: whether one that was described anew is still the same, and when to ask again.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from orchd.model.instants import iso
from orchd.model.specs import FlowSpec, ScheduleSpec

#: A start so near to now was made by the import, whatever else of the file has changed.
_NEAR: Final = timedelta(hours=1)
#: And so near, when not a byte of the file has: ``pendulum.tomorrow()``, or a wall time that is taken for UTC.
_NEAR_UNCHANGED: Final = timedelta(days=2)
#: Two times that one import made, one after the other, lie no further apart than they should by this.
_MOMENT: Final = timedelta(seconds=5)
#: So many past fire times of an asked schedule are kept, for the sake of those that are owed.
_MAX_PAST: Final = 1_000
#: Times between two askings of one file.
_SELDOM: Final = timedelta(days=1)
_OFTEN: Final = timedelta(seconds=10)
#: And after one that gave no fire times to come.
_IN_VAIN: Final = timedelta(minutes=10)


def steadied(flows: Iterable[FlowSpec], known: Mapping[str, FlowSpec], *, now: datetime) -> tuple[FlowSpec, ...]:
    """
    Return *flows*, each with the schedules that it had before where only a start differs that its import made.

    So ``IntervalSchedule(start_date=now())`` in a file that is imported at each reload keeps its phase.

    Args:
        known: name -> the last description of each flow.
    """
    return tuple(_steadied(flow, known[flow.name], now) if flow.name in known else flow for flow in flows)


def _steadied(flow: FlowSpec, before: FlowSpec, now: datetime) -> FlowSpec:
    near = _NEAR_UNCHANGED if flow.source_hash == before.source_hash else _NEAR
    old = {spec.name: spec for spec in before.schedules}
    schedules = tuple(
        old[spec.name] if spec.name in old and _is_same(spec, old[spec.name], now, near) else spec
        for spec in flow.schedules
    )
    return msgspec.structs.replace(flow, schedules=schedules)


def _is_same(new: ScheduleSpec, old: ScheduleSpec, now: datetime, near: timedelta) -> bool:
    if len(new.parts) != len(old.parts):
        return False

    parts = zip(new.parts, old.parts, strict=True)
    if not all(each == other or _is_same(each, other, now, near) for each, other in parts):
        return False

    kept = msgspec.structs.replace(
        new, anchor=old.anchor, starts_at=old.starts_at, ends_at=old.ends_at, parts=old.parts
    )
    if kept != old:
        return False

    starts = [text for text in (new.anchor, new.starts_at) if text not in (old.anchor, old.starts_at)]
    return all(text is not None and abs(_instant(text) - now) <= near for text in starts) and _ends_alike(new, old)


def _ends_alike(new: ScheduleSpec, old: ScheduleSpec) -> bool:
    """
    True when both end together, or as long after their starts.
    """
    if new.ends_at == old.ends_at:
        return True

    if None in (new.starts_at, old.starts_at, new.ends_at, old.ends_at):
        return False

    return abs(_length(new) - _length(old)) <= _MOMENT


def _length(spec: ScheduleSpec) -> timedelta:
    return _instant(spec.ends_at or "") - _instant(spec.starts_at or "")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ask_again_at(known_until: str, *, asked_at: datetime) -> datetime:
    """
    Return when a file that was asked at *asked_at* is asked again: at half of what is known, within a day.
    """
    half = (_instant(known_until) - asked_at) / 2
    return asked_at + (_IN_VAIN if half <= timedelta(0) else min(max(half, _OFTEN), _SELDOM))


def without_dates(flow: FlowSpec) -> FlowSpec:
    """
    Return *flow* without what asking has brought, which is no part of its version.
    """
    return msgspec.structs.replace(flow, schedules=tuple(map(_undated, flow.schedules)), unasked=None)


def says_the_same(new: ScheduleSpec, old: ScheduleSpec, *, now: datetime) -> bool:
    """
    True when both are equal, or asked schedules that name the same fire times as long as both are known.
    """
    if new == old or not new.goes_on_from(old):
        return new == old

    until = min(_known_until(new), _known_until(old))
    return _undated(new) == _undated(old) and _between(new, now, until) == _between(old, now, until)


def gone_on(specs: Iterable[ScheduleSpec], before: Iterable[ScheduleSpec], *, now: datetime) -> list[ScheduleSpec]:
    """
    Return *specs*, each asked one with the past fire times of the one of its name before, so that what is owed stays.

    One that says nothing new, and of which enough is known still, is given as it was.
    """
    old = {spec.name: spec for spec in before}
    return [_gone_on(spec, old[spec.name], now) if spec.name in old else spec for spec in specs]


def with_known(
    errors: Iterable[tuple[str, str]], flows: Mapping[str, FlowSpec], kept: Iterable[ScheduleSpec]
) -> tuple[tuple[str, str], ...]:
    """
    Return *errors* (file, why), each with the time until which the fire times of its *kept* schedules are known.
    """
    known: dict[str, str] = {}
    for spec in kept:
        if spec.known_until is not None:
            until = iso(_known_until(spec))
            file = flows[spec.flow].file
            known[file] = f"{known.get(file, '')}; the fire times of its schedule {spec.name} are known until {until}"
    return tuple((file, why + known.get(file, "")) for file, why in errors)


def _gone_on(new: ScheduleSpec, old: ScheduleSpec, now: datetime) -> ScheduleSpec:
    if not new.goes_on_from(old):
        return new

    is_enough = _known_until(old) - now >= (_known_until(new) - now) / 2
    if is_enough and says_the_same(new, old, now=now):
        return old

    # What came after the last that the old one knew, while the new one was taken up, only the new one says.
    seam = min(now, _known_until(old))
    past = _between(old, _instant(old.dates[0]) - _MOMENT, seam)[-_MAX_PAST:] if old.dates else []
    both = [*past, *_between(new, seam, datetime.max.replace(tzinfo=now.tzinfo))]
    parameters = tuple(each for _, each in both)
    return msgspec.structs.replace(
        new,
        dates=tuple(date for date, _ in both),
        dates_parameters=parameters if set(parameters) - {new.parameters} else (),
    )


def _between(spec: ScheduleSpec, after: datetime, until: datetime) -> list[tuple[str, str]]:
    instants = [_instant(date) for date in spec.dates]
    chosen = slice(bisect_right(instants, after), bisect_right(instants, until))
    parameters = spec.dates_parameters or (spec.parameters,) * len(spec.dates)
    return list(zip(spec.dates[chosen], parameters[chosen], strict=True))


def _undated(spec: ScheduleSpec) -> ScheduleSpec:
    if spec.known_until is None:
        return spec

    return msgspec.structs.replace(spec, dates=(), dates_parameters=(), known_until="", timezone="UTC")


def _known_until(spec: ScheduleSpec) -> datetime:
    return _instant(spec.known_until or "")
