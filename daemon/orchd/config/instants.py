"""
What a schedule of the config says of times and days: its window, its dates, its calendars.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo

from orchd.config.complaints import is_written, place
from orchd.config.files import Merged
from orchd.config.problems import did_you_mean
from orchd.config.tables import CalendarTable, ScheduleTable
from orchd.model.specs import CalendarSpec, DayMove
from orchd.schedules import zones


def instant_text(given: datetime | date, zone: str, *, ends: bool = False) -> str:
    """
    Return the instant of *given* as ISO text in UTC: a wall time is of *zone*, and a day is its first instant.

    Args:
        ends: a day is the first instant after it.
    """
    tz = zones.zone(zone)
    if not isinstance(given, datetime):
        at = zones.begin_of(given + timedelta(days=1) if ends else given, tz)
    else:
        at = _instant(given, tz)
    return at.isoformat()


def _instant(given: datetime, tz: tzinfo) -> datetime:
    return zones.meant(given, tz) if given.tzinfo is None else given.astimezone(UTC)


def date_texts(table: ScheduleTable, zone: str) -> tuple[str, ...]:
    """
    Return the instants of ``dates`` as ISO text in UTC, in order, each once.
    """
    return tuple(sorted({instant_text(each, zone) for each in table.dates or ()}))


def calendar_specs(table: ScheduleTable, calendars: Mapping[str, CalendarTable]) -> tuple[CalendarSpec, ...]:
    """
    Return the calendars that *table* names and that there are, each with what becomes of its days.
    """
    return tuple(
        CalendarSpec(name=name, days=tuple(sorted(calendars[name].days)), move=move)
        for move in DayMove
        for name in getattr(table, move.value) or ()
        if name in calendars
    )


def has_calendars(table: ScheduleTable, calendars: Mapping[str, CalendarTable]) -> bool:
    """
    Tell whether all calendars that *table* names are among *calendars*: without one its fire times cannot be said.
    """
    return all(calendar in calendars for _, calendar in _named_calendars(table))


def _named_calendars(table: ScheduleTable) -> list[tuple[str, str]]:
    return [(move.value, calendar) for move in DayMove for calendar in getattr(table, move.value) or ()]


def instant_problems(
    name: str, table: ScheduleTable, merged: Merged, calendars: Mapping[str, CalendarTable]
) -> Iterator[str]:
    """
    Yield one sentence for each mistake in what the schedule called *name* says of times and days.
    """
    key = ("schedules", name)
    if table.count is not None and table.from_ is None:
        yield f"{place((*key, 'count'), merged)}: counts from a time; write from = 2026-01-01"

    if table.next_business_day and table.previous_business_day:
        at = place((*key, "previous_business_day"), merged)
        yield f"{at}: a day has one way to move, and next_business_day is another; remove one of them"

    named = _named_calendars(table)
    for word, calendar in named:
        if not is_written("calendars", calendar, merged):
            hint = did_you_mean(calendar, calendars) if calendars else f"write [calendars.{calendar}]"
            yield f"{place((*key, word), merged)}: there is no calendar '{calendar}'; {hint}"

    for calendar in [each for each, times in Counter(calendar for _, calendar in named).items() if times > 1]:
        yield f"{place(key, merged)} names the calendar '{calendar}' twice; remove one of them"
