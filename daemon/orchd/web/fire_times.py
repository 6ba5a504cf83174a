"""
The TIME of ``SCHEDULE@TIME``: what is meant by it, and what can be said of it when the ledger has no slot.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from orchd.errors import UsageError
from orchd.model.instants import from_us, iso
from orchd.schedules import zones
from orchd.schedules.explain import explain_wall
from orchd.schedules.rules import rule_of
from orchd.store.queries import SchedulePast
from orchd.web.asking import utc

_CLOCK: Final = re.compile(r"\d\d:\d\d(?P<second>:\d\d(?:[.,](?P<fraction>\d{1,6}))?)?", re.ASCII)
#: An instant of the API that neither has brackets beside it nor stands in them.
_UTC_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?! \(|\))", re.ASCII)
_INSTANT: Final = timedelta(microseconds=1)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    The fire times that a person means: those of ``[begin, end)``, an instant as exact as it was written.
    """

    begin: datetime
    end: datetime
    #: Why the zone's clock does not show that time once; None on ordinary days.
    note: str | None


def wanted(text: str, past: SchedulePast, *, now: datetime) -> Wanted:
    """
    Read *text*: with an offset as it stands, without one as a wall time of the schedule's zone; a time alone is today.

    Raises:
        UsageError: it is no time.
    """
    timezone = past.spec.timezone
    today = now.astimezone(zones.zone(timezone)).date().isoformat()
    try:
        given = datetime.fromisoformat(f"{today}T{text}" if ":" in text[:3] else text)
        begin, note = (utc(given), None) if given.tzinfo else explain_wall(rule_of(past.spec), given, timezone)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no time: write it like 2026-03-29T02:30:00Z, 2026-03-29T02:30 or 02:30, which is today's"
        ) from None

    return Wanted(begin=begin, end=begin + min(_exactness(text), _LAST - begin), note=note)


def _exactness(text: str) -> timedelta:
    clock = _CLOCK.search(text)
    if clock is None:
        return _INSTANT
    if clock["second"] is None:
        return timedelta(minutes=1)
    return timedelta(microseconds=10 ** (6 - len(clock["fraction"] or "")))


def undecided(at: datetime, past: SchedulePast, *, now: datetime) -> str:
    """
    Say why there is no slot for *at*, which is a fire time by the rule of *past*.
    """
    name = past.spec.name
    if at > from_us(past.decided_until_us):
        if at > now:
            return "not decided yet, its time is still to come"
        return "not decided yet, though its time has come: the daemon is about to"

    if at <= from_us(past.first_us):
        return f"schedule {name} is new since {iso(from_us(past.first_us))}: it had no fire times before"
    if past.purged_until_us is not None and at <= from_us(past.purged_until_us):
        return "so long ago that what was decided is kept no longer"
    if at <= from_us(past.edited_us):
        since = iso(from_us(past.edited_us))
        return f"schedule {name} has its rule of now only since {since}: before that this was no fire time of it"
    return f"nothing was decided: schedule {name} was not in the config then"


def with_local(sentence: str, timezone: str) -> str:
    """
    Return *sentence* with what clocks of *timezone* show beside each UTC instant in it, unless that is the same.
    """
    return _UTC_TEXT.sub(lambda found: _both(found[0], timezone), sentence)


def _both(text: str, timezone: str) -> str:
    at = datetime.fromisoformat(text)
    try:
        local = at.astimezone(zones.zone(timezone))
    except OverflowError:
        return text

    return f"{text} ({zones.local_text(at, timezone)})" if local.utcoffset() else text
