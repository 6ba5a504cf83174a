"""
The answer to 'why': what became of a fire time or a run, in words, from the ledger.
"""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from orchd.errors import NotFound, UsageError
from orchd.model.instants import iso, iso_us, to_us
from orchd.store import jumps, queries
from orchd.store.database import Connection
from orchd.web.asking import utc
from orchd.web.daemon import Daemon

Answer = dict[str, object]

_INSTANT = timedelta(microseconds=1)
#: A fire time that lies so close to a jump of the clock may be late, or missed, because of it.
_NEAR_US: Final = timedelta(minutes=1) // _INSTANT
#: How many of the latest slots tell the story of a schedule.
_SLOTS = 5


def explained(daemon: Daemon, of: str) -> Answer:
    """
    Explain a run (id, beginning of one, name), a schedule, or one fire time of it (``SCHEDULE@TIME``).

    Raises:
        NotFound: there is nothing of that name.
    """
    name, at, time = of.rpartition("@")
    with daemon.database.reading() as conn:
        schedules = {schedule.name: schedule for schedule in queries.schedules(conn)}
        if of in schedules:
            return _schedule(daemon, conn, schedules[of])
        if at and name in schedules:
            return _slot(daemon, conn, schedules[name], of, time)
        try:
            row = queries.find_run(conn, of)
        except NotFound:
            raise NotFound(
                f"there is no run and no schedule '{of}': `orchd runs` and `orchd schedules` list those that there are"
            ) from None
        return _run(daemon, conn, queries.run_view(row))


def _schedule(daemon: Daemon, conn: Connection, schedule: queries.ScheduleView) -> Answer:
    sentences = [f"schedule {schedule.name} starts flow {schedule.flow}: {schedule.rule} ({schedule.timezone})"]
    if schedule.paused is not None:
        note = f": {schedule.paused.note}" if schedule.paused.note else ""
        sentences.append(f"it is paused by {schedule.paused.who} since {schedule.paused.at}{note}")
    sentences += [
        f"the clock was set back: up to {wait['until']} its fire times are decided already, and start nothing again"
        for wait in _waits(daemon)
        if wait["schedule"] == schedule.name
    ]
    sentences += [f"{slot.fire_time}: {slot.sentence}" for slot in queries.slots(conn, schedule.name, limit=_SLOTS)]
    if schedule.last is None:
        sentences.append("none of its fire times has come yet")
    coming = daemon.upcoming(schedule.name, n=1, after=None)
    if coming and schedule.paused is None:
        sentences.append(f"its next fire time is {coming[0]['fire_time']} ({coming[0]['local']})")
    return _answer(schedule.name, "schedule", sentences, slot=schedule.last)


def _slot(daemon: Daemon, conn: Connection, schedule: queries.ScheduleView, of: str, time: str) -> Answer:
    instant = _instant(time, schedule.timezone)
    slot = queries.slot_at(conn, schedule.name, to_us(instant))
    if slot is not None:
        run = None if slot.run is None else queries.run_view(queries.find_run(conn, slot.run))
        sentences = [f"{schedule.name} at {slot.fire_time}: {slot.sentence}"]
        sentences += _jumps(conn, slot)
        if run is not None:
            sentences += _story(daemon, run)
        return _answer(of, "slot", sentences, slot=slot, run=run)

    coming = daemon.upcoming(schedule.name, n=1, after=instant - _INSTANT)
    if coming and coming[0]["fire_time"] == iso(instant):
        if schedule.paused is not None:
            text = f"{schedule.name} is paused by {schedule.paused.who}: this fire time is judged when it goes on"
        else:
            text = f"{schedule.name} at {iso(instant)}: not decided yet, its time is still to come"
    else:
        text = f"{iso(instant)} is no fire time of {schedule.name} ({schedule.rule}, {schedule.timezone})"
        if coming:
            text += f"; the next after it is {coming[0]['fire_time']} ({coming[0]['local']})"
    return _answer(of, "slot", [text])


def _run(daemon: Daemon, conn: Connection, run: queries.RunView) -> Answer:
    slot = None
    sentences: list[str] = []
    if run.schedule is not None and run.fire_time is not None:
        slot = queries.slot_of_run(conn, run.schedule, to_us(datetime.fromisoformat(run.fire_time)))
        if slot is not None:
            sentences += [f"{run.schedule} at {slot.fire_time}: {slot.sentence}", *_jumps(conn, slot)]
    else:
        detail = queries.run_detail(conn, queries.find_run(conn, run.id).id)
        sentences.append(f"run {run.name} of flow {run.flow} was started by {detail.created_by} at {run.created_at}")
    return _answer(run.name, "run", [*sentences, *_story(daemon, run)], slot=slot, run=run)


def _story(daemon: Daemon, run: queries.RunView) -> list[str]:
    held = daemon.holds().get(run.id)
    if held is not None:
        return [f"run {run.name} is {held}"]
    text = f"run {run.name} is {run.shown}"
    if run.started_at is not None:
        text += f", began at {run.started_at}"
    if run.ended_at is not None:
        text += f", ended at {run.ended_at}"
    return [f"{text}: {run.message}" if run.message else text]


def _jumps(conn: Connection, slot: queries.SlotView) -> list[str]:
    """
    Say how the clock was set over the fire time of *slot*, or near it.
    """
    first_us = to_us(datetime.fromisoformat(slot.fire_time))
    last_us = first_us if slot.until is None else to_us(datetime.fromisoformat(slot.until))
    return [
        f"the clock was set {'forward' if jump.seconds > 0 else 'back'} by {abs(jump.seconds):g} s then,"
        f" from {iso_us(jump.before_us)} to {iso_us(jump.at_us)}"
        for jump in jumps.near(conn, first_us=first_us, last_us=last_us, within_us=_NEAR_US)
    ]


def _waits(daemon: Daemon) -> list[dict[str, object]]:
    waits = daemon.facts()["clock_waits"]
    return waits if isinstance(waits, list) else []


def _instant(text: str, timezone: str) -> datetime:
    """
    Read the TIME of ``SCHEDULE@TIME``: with a zone as it stands, without one in the schedule's own.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time: write it like 2026-03-29T02:30:00Z") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=ZoneInfo(timezone))
    return utc(instant)


def _answer(
    of: str, kind: str, sentences: list[str], *, slot: object | None = None, run: object | None = None
) -> Answer:
    return {"of": of, "kind": kind, "sentences": sentences, "slot": slot, "run": run}
