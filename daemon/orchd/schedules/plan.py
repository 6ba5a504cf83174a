"""
The only place where a fire time is judged late, skipped or missed.

Each owed fire time gets exactly one decision, by the first of these that holds:

1. beyond ``max_catchup``: the older ones are one row, missed: ``over_max_catchup``;
2. later than its grace: missed: ``too_late`` (the grace of ``none`` is 60 s unless it says otherwise);
3. not chosen by ``catchup``: ``none`` and ``latest`` choose only the newest, the others are skipped: ``newer_fire``;
   ``all`` chooses every one, oldest first, but with ``replace`` only the newest, the others are skipped: ``replaced``;
4. its flow was never loaded: skipped: ``flow_not_loaded``;
5. ``overlap``, by the runs that are not final, those just started in this same tick among them: so of several chosen
   fire times ``skip`` starts the oldest and skips the others, and ``queue`` starts or queues all;
6. else it is started.

What 1, 2 and 3 would not start is skipped: ``paused`` when it came while a schedule was paused that has just been
resumed. A schedule's cursor, ``decided_until``, moves to the newest fire time that was decided, and not to now.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from orchd.model.ids import slot_run_id
from orchd.model.instants import iso
from orchd.model.slots import Outcome, Reason, SlotDecision
from orchd.model.specs import DEFAULT_GRACE_OF_NONE, CatchUp, Overlap, ScheduleSpec
from orchd.model.states import FlowRunState
from orchd.schedules.fires import Owed, due_fires
from orchd.schedules.overlap import ActiveRun, Fields, Judged, Pause, Start, refusal, replaced, skipped
from orchd.schedules.rules import Rule

__all__ = ["ActiveRun", "Pause", "Plan", "ScheduleView", "Start", "plan_end", "plan_tick"]

#: A cursor this far in the future was set by a wrong clock. Source: ``scheduling.md`` rule 8.
CLOCK_STEP: Final = timedelta(hours=3)
#: Source: ``scheduling.md`` rule 8: the daemon sleeps at most this long.
ON_TIME: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleView:
    """
    What one tick needs to know of a schedule.
    """

    spec: ScheduleSpec
    rule: Rule
    #: Last instant already decided (exclusive start of what is owed).
    decided_until: datetime
    #: ``rule.next_after(decided_until)``, computed ahead, so that a tick is cheap; None when never.
    next_fire: datetime | None
    #: Set while paused: nothing is decided, the cursor stands still.
    paused: Pause | None = None
    #: Set when it was paused until just now, for one tick.
    resumed: Pause | None = None
    #: Its runs that are not final, oldest first.
    active: tuple[ActiveRun, ...] = ()
    flow_loaded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What one tick decided, in order of fire time, then schedule name.
    """

    #: All decisions, those of *starts* too.
    decisions: tuple[SlotDecision, ...] = ()
    starts: tuple[Start, ...] = ()
    #: Schedule name and its new ``decided_until``.
    decided: tuple[tuple[str, datetime], ...] = ()
    #: Schedules whose cursor lay three hours or more in the future and now is *now*.
    rewound: tuple[str, ...] = ()


def plan_tick(views: Iterable[ScheduleView], *, now: datetime) -> Plan:
    """
    Decide every fire time that is owed at *now*, and nothing else.

    Views that are not due cost one comparison each. The next fire time of those that were is the caller's to compute,
    after it has recorded the plan.
    """
    judged: list[Judged] = []
    decided: list[tuple[str, datetime]] = []
    rewound: list[str] = []
    horizon = now + CLOCK_STEP
    # After a long absence thousands of schedules owe the same. Only within this tick: none later asks for this *now*.
    due = lru_cache(maxsize=256)(due_fires)
    for view in views:
        if view.paused is not None:
            continue

        if view.next_fire is not None and view.next_fire <= now:
            owed = _owed(view, view.next_fire, now, due)
            judged += _judge(view, owed, now)
            decided.append((view.spec.name, owed.fires[-1]))
        elif view.decided_until >= horizon:
            rewound.append(view.spec.name)
            decided.append((view.spec.name, now))

    judged.sort(key=lambda each: (each[0].fire_time, each[0].schedule))
    return Plan(
        decisions=tuple([decision for decision, _ in judged]),
        starts=tuple([Start(decision=each, replaces=ids) for each, ids in judged if each.outcome is Outcome.STARTED]),
        decided=tuple(decided),
        rewound=tuple(rewound),
    )


def plan_end(views: Iterable[ScheduleView], *, now: datetime) -> Plan:
    """
    Decide what is owed at *now* without starting any of it, because the rules of these schedules end here.

    A paused one owes what it was paused for; of any other what is owed is skipped as ``removed``.
    """
    decisions: list[SlotDecision] = []
    decided: list[tuple[str, datetime]] = []
    for view in views:
        if view.next_fire is None or view.next_fire > now:
            continue

        owed = _owed(view, view.next_fire, now, due_fires)
        reason, fields = (Reason.REMOVED, ()) if view.paused is None else (Reason.PAUSED, view.paused.fields())
        if owed.cut is not None:
            first, last = owed.cut
            cut = skipped(view.spec, first, reason, fields)
            decisions.append(cut if first == last else replace(cut, until=last))
        decisions += [skipped(view.spec, fire, reason, fields) for fire in owed.fires]
        decided.append((view.spec.name, owed.fires[-1]))
    return Plan(decisions=tuple(decisions), decided=tuple(decided))


def _owed(view: ScheduleView, next_fire: datetime, now: datetime, due: Callable[..., Owed]) -> Owed:
    if now - next_fire < view.rule.spacing:
        return Owed(fires=(next_fire,))

    return due(view.rule, after=view.decided_until, now=now, limit=max(1, view.spec.max_catchup))


def _judge(view: ScheduleView, owed: Owed, now: datetime) -> list[Judged]:
    """
    Return the decisions about *owed*, oldest first, each with the runs that it replaces.
    """
    judged: list[Judged] = []
    if owed.cut is not None:
        judged.append((_cut_row(view, *owed.cut, kept=len(owed.fires)), ()))

    active = view.active
    for fire in owed.fires:
        passed_over = _passed_over(view, fire, owed.fires[-1], now)
        if passed_over is not None:
            judged.append((passed_over, ()))
            continue

        refused = refusal(view.spec, active, flow_loaded=view.flow_loaded)
        if refused is not None:
            judged.append((skipped(view.spec, fire, *refused), ()))
            continue

        judged.append((_started(view.spec, fire, now), replaced(view.spec, active)))
        if fire is not owed.fires[-1]:
            active = (*active, _coming(view.spec, fire))

    return judged


def _passed_over(view: ScheduleView, fire: datetime, newest: datetime, now: datetime) -> SlotDecision | None:
    """
    Return the decision about a fire time that grace or catch-up does not start; None when they do.
    """
    spec = view.spec
    reason, outcome = Reason.NEWER_FIRE, Outcome.SKIPPED
    grace = _grace(spec)
    if grace is not None and now - fire > grace:
        reason, outcome = Reason.TOO_LATE, Outcome.MISSED
        fields: Fields = (("grace_s", _seconds(grace)), ("late_s", _seconds(now - fire)))
    elif fire is newest:
        return None
    elif spec.catchup is not CatchUp.ALL:
        fields = (("catchup", spec.catchup.value), ("newest", iso(newest)))
    elif spec.overlap is Overlap.REPLACE:
        reason, fields = Reason.REPLACED, (("newest", iso(newest)),)
    else:
        return None

    if view.resumed is not None and view.resumed.covers(fire):
        return skipped(spec, fire, Reason.PAUSED, view.resumed.fields())

    return SlotDecision(schedule=spec.name, fire_time=fire, outcome=outcome, reason=reason, fields=fields)


def _cut_row(view: ScheduleView, first: datetime, last: datetime, *, kept: int) -> SlotDecision:
    pause = view.resumed
    is_paused = pause is not None and pause.covers(first) and pause.covers(last)
    return SlotDecision(
        schedule=view.spec.name,
        fire_time=first,
        until=None if last == first else last,
        outcome=Outcome.SKIPPED if is_paused else Outcome.MISSED,
        reason=Reason.PAUSED if is_paused else Reason.OVER_MAX_CATCHUP,
        fields=pause.fields() if is_paused and pause is not None else (("max_catchup", kept),),
    )


def _started(spec: ScheduleSpec, fire: datetime, now: datetime) -> SlotDecision:
    late = now - fire
    reason: Reason = Reason.ON_TIME
    fields: Fields = ()
    if late > ON_TIME:
        reason, fields = Reason.CATCH_UP, (("late_s", _seconds(late)),)
        grace = _grace(spec)
        if spec.catchup is CatchUp.NONE and grace is not None:
            reason, fields = Reason.IN_GRACE, (("grace_s", _seconds(grace)), *fields)

    return SlotDecision(schedule=spec.name, fire_time=fire, outcome=Outcome.STARTED, reason=reason, fields=fields)


def _coming(spec: ScheduleSpec, fire: datetime) -> ActiveRun:
    """
    Return the run that this tick starts for *fire*, as the next fire time of the same tick meets it.
    """
    run_id = slot_run_id(schedule=spec.name, fire_time=fire, attempt=1)
    return ActiveRun(run_id=run_id, state=FlowRunState.SCHEDULED, fire_time=fire)


def _grace(spec: ScheduleSpec) -> timedelta | None:
    if spec.grace_s is not None:
        return timedelta(seconds=spec.grace_s)

    return DEFAULT_GRACE_OF_NONE if spec.catchup is CatchUp.NONE else None


def _seconds(length: timedelta) -> int | float:
    seconds = round(length.total_seconds(), 3)
    return int(seconds) if seconds.is_integer() else seconds
