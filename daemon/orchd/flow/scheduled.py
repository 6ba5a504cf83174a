"""
The schedule of a flow as data, for the daemon: one schedule for all clocks with the same parameters and labels.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from orchd.flow.asked import asked_ahead
from orchd.flow.classic_schedules import adjustments, filters
from orchd.flow.classic_schedules.clocks import Clock
from orchd.flow.classic_schedules.conditions import Condition, Later
from orchd.flow.classic_schedules.schedule import Schedule
from orchd.flow.flow import Flow
from orchd.flow.jsonable import is_json
from orchd.model.specs import ClauseSpec, RuleKind, ScheduleSpec, parameters_text
from orchd.schedules import RuleError, rule_of

#: Plain functions that are filters or adjustments of orchd's own.
_PLAIN: Final[dict[Callable[..., object], str]] = {
    filters.is_weekday: "is_weekday",
    filters.is_weekend: "is_weekend",
    filters.is_month_start: "is_month_start",
    filters.is_month_end: "is_month_end",
    adjustments.next_weekday: "next_weekday",
}


class Untold(Exception):
    """
    A schedule that no daemon can take up; the message is the reason.
    """


def schedule_specs(flow: Flow, *, now: datetime) -> tuple[ScheduleSpec, ...]:
    """
    Return the schedules of *flow*: the first has the name of the flow, the others that name with ``-2``, ``-3`` ...

    One that is more than data is asked ahead, from *now* (UTC) on.

    Raises:
        Untold: its runs would lack a parameter, or it has a rule that cannot be meant.

        Unasked: its own code gives no answer.
    """
    if flow.schedule is None:
        return ()

    if not isinstance(flow.schedule, Schedule):
        raise Untold("it is no Schedule")

    groups: dict[tuple[str, ...], list[Clock]] = {}
    for each in flow.schedule.clocks:
        parameters = _parameters(flow, _defaults(each), may_lack=_speaks_for_itself(each))
        groups.setdefault((parameters, *sorted(map(str, getattr(each, "labels", None) or ()))), []).append(each)
    return tuple(
        msgspec.structs.replace(
            _spec(flow, clocks, parameters, now),
            name=flow.name if number == 1 else f"{flow.name}-{number}",
            flow=flow.name,
            parameters=parameters,
            labels=tuple(labels),
            in_code=True,
        )
        for number, ((parameters, *labels), clocks) in enumerate(groups.items(), start=1)
    )


def ignored_parameters(flow: Flow) -> tuple[str, ...]:
    """
    Return the names of parameters that clocks give and *flow* lacks.
    """
    clocks = flow.schedule.clocks if isinstance(flow.schedule, Schedule) else []
    known = {parameter.name for parameter in flow.parameters()}
    return tuple(sorted({str(name) for each in clocks for name in _defaults(each)} - known))


def _spec(flow: Flow, clocks: list[Clock], parameters: str, now: datetime) -> ScheduleSpec:
    clauses = _clauses(flow.schedule)
    rules = [None if _speaks_for_itself(each) else each.spec() for each in clocks]
    if clauses is None or None in rules:
        return _asked(flow, clocks, parameters, now)

    parts = tuple(msgspec.structs.replace(rule, **clauses) for rule in rules if rule is not None)
    try:
        for part in parts:
            rule_of(part)
    except RuleError as exc:
        raise Untold(str(exc)) from exc

    if len(parts) == 1:
        return parts[0]

    return ScheduleSpec(name="", flow="", kind=RuleKind.ANY, timezone=parts[0].timezone, parts=parts)


def _asked(flow: Flow, clocks: list[Clock], parameters: str, now: datetime) -> ScheduleSpec:
    whole = flow.schedule
    asked = asked_ahead(
        Schedule(clocks, whole.filters, whole.or_filters, whole.not_filters, whole.adjustments), now=now
    )
    of_each = tuple(_parameters(flow, given) for given in asked.fires.values())
    return ScheduleSpec(
        name="",
        flow="",
        kind=RuleKind.DATES,
        dates=tuple(fire.isoformat() for fire in asked.fires),
        dates_parameters=of_each if set(of_each) - {parameters} else (),
        known_until=asked.until.isoformat(),
        timezone=asked.timezone,
    )


def _speaks_for_itself(clock: object) -> bool:
    """
    True for a clock of a person's own that makes its events itself, each with its parameters.
    """
    return not isinstance(clock, Clock) or type(clock).events is not Clock.events


def _defaults(clock: object) -> Mapping[str, Any]:
    return getattr(clock, "parameter_defaults", None) or {}


def _parameters(flow: Flow, defaults: Mapping[str, Any], *, may_lack: bool = False) -> str:
    """
    Return what *defaults* say of the flow's parameters, as JSON text.

    Args:
        may_lack: a required one may be missing: each fire time brings its own.
    """
    parameters = {parameter.name: parameter for parameter in flow.parameters()}
    given = {name: value for name, value in defaults.items() if name in parameters}
    for name, parameter in parameters.items():
        if parameter.required and name not in given and not may_lack:
            raise Untold(f"the flow needs the parameter '{name}', and a clock of it has no parameter_defaults for it")

    for name, value in given.items():
        if not is_json(value):
            raise Untold(f"the value of the parameter '{name}' in parameter_defaults cannot be said in JSON")

    return parameters_text(given)


def _clauses(schedule: Schedule) -> dict[str, tuple[ClauseSpec, ...]] | None:
    """
    Return the filters and adjustments of *schedule* as data; None when one of them is a function of the person's own.
    """
    found: dict[str, tuple[ClauseSpec, ...]] = {}
    for name in ("filters", "or_filters", "not_filters", "adjustments"):
        clauses = [_clause(each) for each in getattr(schedule, name)]
        if None in clauses:
            return None

        found[name] = tuple(each for each in clauses if each is not None)
    return found


def _clause(given: Callable[[datetime], object]) -> ClauseSpec | None:
    if isinstance(given, Condition | Later):
        return given.spec

    name = next((name for function, name in _PLAIN.items() if function is given), None)
    return None if name is None else ClauseSpec(name=name)
