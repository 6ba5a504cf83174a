"""
The answer to 'why': what became of a fire time or a run, in words, from the ledger.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from orchd import clock
from orchd.errors import NotFound
from orchd.model.instants import from_us, iso, iso_us, to_us
from orchd.model.names import shown
from orchd.model.states import FlowRunState
from orchd.store import jumps, queries
from orchd.store.database import Connection
from orchd.web.answers import slot_sentence, with_slot_holds
from orchd.web.daemon import Daemon
from orchd.web.fire_times import Wanted, undecided, wanted, with_local

Answer = dict[str, object]

_INSTANT = timedelta(microseconds=1)
#: A fire time that lies so close to a jump of the clock may be late, or missed, because of it.
_NEAR_US: Final = timedelta(minutes=1) // _INSTANT
#: Seconds within which the process of a run begins when nothing stands in its way.
_SOON_S: Final = 1.0
#: How many of the latest slots tell the story of a schedule.
_SLOTS = 5


def explained(daemon: Daemon, of: str) -> Answer:
    """
    Explain a schedule, one fire time of it (``SCHEDULE@TIME``), a flow, or a run (id, beginning of one, name).

    Raises:
        NotFound: there is nothing of that name.
    """
    name, at, time = of.rpartition("@")
    with daemon.database.reading() as conn:
        schedules = {schedule.name: schedule for schedule in queries.schedules(conn, names=[of, name])}
        if of in schedules:
            return _schedule(daemon, conn, schedules[of])
        if at and name in schedules:
            return _slot(daemon, conn, schedules[name], of, time)
        if found := queries.flows(conn, names=[of]):
            return _flow(daemon, found[0])
        try:
            row = queries.find_run(conn, of)
        except NotFound:
            raise NotFound(
                f"there is no run, no schedule and no flow {shown(of)}: `orchd runs`, `orchd schedules` and"
                " `orchd flows` list those that there are"
            ) from None
        return _run(daemon, conn, queries.run_view(row))


def _schedule(daemon: Daemon, conn: Connection, schedule: queries.ScheduleView) -> Answer:
    rule = f"{schedule.words} ({schedule.rule}, {schedule.timezone})"
    sentences = [f"schedule {schedule.name} starts flow {schedule.flow} {rule}"]
    if schedule.known_until is not None:
        sentences.append(f"its fire times are asked of the flow's code ahead, and known until {schedule.known_until}")
    sentences += [f"each of its runs waits for {wait}" for wait in schedule.waits_for]
    if schedule.pause_after_failures is not None:
        most = schedule.pause_after_failures
        sentences.append(f"it pauses itself after {most} failed run{'' if most == 1 else 's in a row'}")
    if schedule.paused is not None:
        note = f": {schedule.paused.note}" if schedule.paused.note else ""
        sentences.append(f"it is paused by {schedule.paused.who} since {schedule.paused.at}{note}")
    sentences += [
        f"the clock was set back: up to {wait['until']} its fire times are decided already, and start nothing again"
        for wait in _waits(daemon)
        if wait["schedule"] == schedule.name
    ]
    slots = with_slot_holds(daemon, conn, queries.slots(conn, schedule.name, limit=_SLOTS))
    sentences += [f"{slot.fire_time}: {slot.sentence}" for slot in slots]
    if schedule.last is None:
        sentences.append("none of its fire times has come yet")
    coming = daemon.upcoming(schedule.name, n=1, after=None)
    if coming and schedule.paused is None:
        sentences.append(f"its next fire time is {coming[0]['fire_time']} ({coming[0]['local']})")
    return _answer(schedule.name, "schedule", sentences, schedule.timezone, slot=schedule.last)


def _flow(daemon: Daemon, flow: queries.FlowView) -> Answer:
    sentences = [f"{flow.name} is a flow, in {flow.file}"]
    if (error := daemon.flow_errors().get(flow.file)) is not None:
        sentences.append(f"its file does not load: {error}")
    sentences.append(_starters(flow.schedules))
    run = flow.last_run
    if run is None:
        sentences.append("it has never run")
    else:
        held = daemon.holds().get(run.id)
        since = f", ended at {run.ended_at}" if run.ended_at else f", made at {run.created_at}"
        sentences.append(f"its last run is {run.name}: {held or run.shown}{'' if held else since}")
    return _answer(flow.name, "flow", sentences, _timezone(daemon), run=run)


def _starters(schedules: Sequence[str]) -> str:
    if not schedules:
        return "it has no schedule"

    words = "its schedule is" if len(schedules) == 1 else "its schedules are"
    return f"{words} {', '.join(schedules)}: `orchd why SCHEDULE` tells more"


def _slot(daemon: Daemon, conn: Connection, schedule: queries.ScheduleView, of: str, time: str) -> Answer:
    past = queries.schedule_past(conn, schedule.name)
    want = wanted(time, past, now=clock.now())
    notes = [want.note] if want.note else []
    begin_us, end_us = to_us(want.begin), to_us(want.end)
    slot = queries.slot_at(conn, schedule.name, begin_us) or queries.slot_within(conn, schedule.name, begin_us, end_us)
    if slot is not None:
        run = None if slot.run is None else queries.run_view(queries.find_run(conn, slot.run))
        sentences = [*notes, f"{schedule.name} at {slot.fire_time}: {slot_sentence(conn, slot, daemon.holds())}"]
        sentences += _jumps(conn, slot)
        if run is not None:
            sentences += _story(daemon, conn, run)
        return _answer(of, "slot", sentences, schedule.timezone, slot=slot, run=run)

    return _answer(of, "slot", [*notes, _no_slot(daemon, schedule, past, want)], schedule.timezone)


def _no_slot(daemon: Daemon, schedule: queries.ScheduleView, past: queries.SchedulePast, want: Wanted) -> str:
    coming = daemon.upcoming(schedule.name, n=1, after=want.begin - _INSTANT)
    fire = datetime.fromisoformat(str(coming[0]["fire_time"])) if coming else None
    if fire is None or fire >= want.end:
        text = f"{iso(want.begin)} is no fire time of {schedule.name}"
        text += f" ({schedule.rule}, {schedule.timezone})"
        if coming:
            text += f"; the next after it is {coming[0]['fire_time']} ({coming[0]['local']})"
        return text

    if schedule.paused is not None and fire > from_us(past.decided_until_us):
        return f"{schedule.name} is paused by {schedule.paused.who}: this fire time is judged when it goes on"
    return f"{schedule.name} at {iso(fire)}: {undecided(fire, past, now=clock.now())}"


def _run(daemon: Daemon, conn: Connection, run: queries.RunView) -> Answer:
    slot = None
    sentences: list[str] = []
    if run.schedule is not None and run.fire_time is not None:
        slot = queries.slot_of_run(conn, run.schedule, to_us(datetime.fromisoformat(run.fire_time)))
        if slot is not None:
            told = f"{run.schedule} at {slot.fire_time}: {slot_sentence(conn, slot, daemon.holds())}"
            sentences += [told, *_jumps(conn, slot)]
    else:
        by = queries.find_run(conn, run.id).created_by
        sentences.append(f"run {run.name} of flow {run.flow} was started by {by} at {run.created_at}")
    timezone = daemon.timezone_of(run.schedule)
    return _answer(run.name, "run", [*sentences, *_story(daemon, conn, run)], timezone, slot=slot, run=run)


def _story(daemon: Daemon, conn: Connection, run: queries.RunView) -> list[str]:
    held = daemon.holds().get(run.id)
    if held is not None:
        return [f"run {run.name} is {held}"]
    text = f"run {run.name} is {run.shown}"
    if run.started_at is not None:
        text += f", began at {run.started_at}"
    if run.ended_at is not None:
        text += f", ended at {run.ended_at}"
    return [*_delay(conn, run), f"{text}: {run.message}" if run.message else text]


def _delay(conn: Connection, run: queries.RunView) -> list[str]:
    """
    Say how much later than decided the process of a scheduled run began, and why, when that was kept.
    """
    if run.fire_time is None or run.started_at is None:
        return []
    decided = max(datetime.fromisoformat(run.fire_time), datetime.fromisoformat(run.created_at))
    late_s = (datetime.fromisoformat(run.started_at) - decided).total_seconds()
    if late_s <= _SOON_S:
        return []
    moves = queries.run_moves(conn, run.number)
    began = next((move.message for move in moves if move.to == FlowRunState.RUNNING), "")
    _, _, why = began.partition("; ")
    return [f"its process began {late_s:.1f} s later{why and f': {why}'}"]


def _timezone(daemon: Daemon) -> str:
    facts = daemon.facts()["daemon"]
    return str(facts["timezone"]) if isinstance(facts, dict) else "UTC"


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


def _answer(
    of: str, kind: str, sentences: list[str], timezone: str, *, slot: object | None = None, run: object | None = None
) -> Answer:
    told = [with_local(sentence, timezone) for sentence in sentences]
    return {"of": of, "kind": kind, "sentences": told, "slot": slot, "run": run}
