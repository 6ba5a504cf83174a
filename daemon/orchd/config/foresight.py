"""
What can be known of fire times before they come: schedules that are over, waits that are never met, periods too short.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Final

from orchd.config.settings import Config
from orchd.model.instants import iso
from orchd.model.specs import Overlap, RuleKind, ScheduleSpec
from orchd.schedules import Rule, rule_of
from orchd.schedules.fires import due_fires, walk
from orchd.schedules.zones import MICROSECOND, local_text

#: So many fire times of either are looked at for one that two schedules have together: more than a year of days.
_LOOKED_AT: Final = 400
#: So many coming fire times say what the period of a schedule is.
_PERIODS: Final = 10
_FAR: Final = timedelta(days=50 * 366)


def over_problems(config: Config, *, now: datetime) -> list[str]:
    """
    Return one sentence for each schedule of the config whose last fire time is past.
    """
    return [
        f"{_table(config, spec)} is over: {_last(spec, now)}; remove it, or give it times to come"
        for spec in config.schedules
        if spec.kind is not RuleKind.AFTER and not spec.in_code and rule_of(spec).next_after(now) is None
    ]


def _last(spec: ScheduleSpec, now: datetime) -> str:
    owed = due_fires(rule_of(spec), after=now - _FAR, now=now, limit=1)
    if not owed.fires:
        return "it has no fire time"

    return f"its last fire time was {iso(owed.fires[-1])} ({local_text(owed.fires[-1], spec.timezone)})"


def wait_problems(config: Config, *, now: datetime) -> list[str]:
    """
    Return one sentence for each ``same_slot`` that no schedule of the other flow ever meets.

    Args:
        config: with the schedules of flow files among its own.
    """
    problems = []
    for spec in config.schedules:
        for wait in spec.wait_for:
            others = [each for each in config.schedules if each.flow == wait.flow and each.kind is not RuleKind.AFTER]
            if wait.same_slot and not any(_meet(rule_of(spec), rule_of(each), now) for each in others):
                problems.append(
                    f"{_table(config, spec)} wait_for: no schedule of flow '{wait.flow}' has a fire time of this one;"
                    ' give both the same rule and splay, or write within = "26h" in place of same_slot'
                )
    return problems


def _meet(one: Rule, other: Rule, now: datetime) -> bool:
    if one.next_after(now) is None or other.next_after(now) is None:
        # One that is over is told of by itself.
        return True

    return any(
        rule.next_after(fire - MICROSECOND) == fire
        for walked, rule in ((one, other), (other, one))
        for fire in _coming(walked, now, _LOOKED_AT)
    )


def endless_waits(config: Config) -> list[str]:
    """
    Return one sentence for each schedule whose fire times are all skipped while one of its runs waits without end.
    """
    return [
        f"{_table(config, spec)} wait_for: has no timeout for flow '{wait.flow}', and while one run waits,"
        ' overlap = "skip" skips each later fire time; write timeout = "4h" in it, or another overlap'
        for spec in config.schedules
        if spec.overlap is Overlap.SKIP
        for wait in spec.wait_for
        if wait.timeout_s is None
    ]


def short_periods(config: Config, usual_s: Mapping[str, float], *, now: datetime) -> list[str]:
    """
    Return one sentence for each schedule that is due again before a run of its flow is usually over.

    Args:
        usual_s: flow name -> how many seconds its runs usually take, of those that have run often enough.
    """
    warnings = []
    for spec in config.schedules:
        usual = usual_s.get(spec.flow)
        if usual is None or spec.kind is RuleKind.AFTER:
            continue
        fires = _coming(rule_of(spec), now, _PERIODS)
        period = min((late - early for early, late in pairwise(fires)), default=None)
        if period is not None and period.total_seconds() < usual:
            warnings.append(
                f"{_table(config, spec)} is due each {period.total_seconds():g} s, and flow '{spec.flow}' usually"
                f' takes {usual:.1f} s: overlap = "{spec.overlap}" says what becomes of the fire times between'
            )
    return warnings


def _coming(rule: Rule, now: datetime, count: int) -> Sequence[datetime]:
    return tuple(islice(_forever(rule, now), count))


def _forever(rule: Rule, now: datetime) -> Iterator[datetime]:
    return walk(rule, after=now, until=datetime.max.replace(tzinfo=now.tzinfo))


def _table(config: Config, spec: ScheduleSpec) -> str:
    if spec.in_code:
        return f"the schedule {spec.name} of flow '{spec.flow}'"

    where = config.origins.get(("schedules", spec.name), "")
    return f"{where}: [schedules.{spec.name}]" if where else f"[schedules.{spec.name}]"
