"""
Schedules that are written in flow files: whether one that was described anew is still the same.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from orchd.model.specs import FlowSpec, ScheduleSpec

#: A start so near to now was made by the import, whatever else of the file has changed.
_NEAR: Final = timedelta(hours=1)
#: And so near, when not a byte of the file has: ``pendulum.tomorrow()``, or a wall time that is taken for UTC.
_NEAR_UNCHANGED: Final = timedelta(days=2)
#: Two times that one import made, one after the other, lie no further apart than they should by this.
_MOMENT: Final = timedelta(seconds=5)


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
