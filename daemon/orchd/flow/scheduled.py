"""
The schedule of a flow as data, for the daemon: one schedule for all clocks with the same parameters and labels.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

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
    A schedule that the daemon cannot take up; the message is the reason.
    """


def schedule_specs(flow: Flow) -> tuple[ScheduleSpec, ...]:
    """
    Return the schedules of *flow*: the first has the name of the flow, the others that name with ``-2``, ``-3`` ...

    Raises:
        Untold: one of them is more than data, or its runs would lack a parameter.
    """
    if flow.schedule is None:
        return ()

    if not isinstance(flow.schedule, Schedule):
        raise Untold("it is no Schedule")

    clauses = _clauses(flow.schedule)
    groups: dict[tuple[str, tuple[str, ...]], list[ScheduleSpec]] = {}
    for each in flow.schedule.clocks:
        if not isinstance(each, Clock) or (spec := each.spec()) is None or type(each).events is not Clock.events:
            raise Untold(f"{type(each).__name__} is a clock of your own, which the daemon cannot ask")

        key = (_parameters(flow, each), tuple(sorted(map(str, each.labels or ()))))
        groups.setdefault(key, []).append(msgspec.structs.replace(spec, **clauses))
    return tuple(
        msgspec.structs.replace(
            _spec(clocks),
            name=flow.name if number == 1 else f"{flow.name}-{number}",
            flow=flow.name,
            parameters=parameters,
            labels=labels,
            in_code=True,
        )
        for number, ((parameters, labels), clocks) in enumerate(groups.items(), start=1)
    )


def ignored_parameters(flow: Flow) -> tuple[str, ...]:
    """
    Return the names of parameters that clocks give and *flow* lacks.
    """
    clocks = flow.schedule.clocks if isinstance(flow.schedule, Schedule) else []
    known = {parameter.name for parameter in flow.parameters()}
    return tuple(sorted({str(name) for each in clocks for name in getattr(each, "parameter_defaults", ())} - known))


def _spec(clocks: list[ScheduleSpec]) -> ScheduleSpec:
    for each in clocks:
        try:
            rule_of(each)
        except RuleError as exc:
            raise Untold(str(exc)) from exc

    if len(clocks) == 1:
        return clocks[0]

    return ScheduleSpec(name="", flow="", kind=RuleKind.ANY, timezone=clocks[0].timezone, parts=tuple(clocks))


def _parameters(flow: Flow, clock: Clock) -> str:
    parameters = {parameter.name: parameter for parameter in flow.parameters()}
    given = {name: value for name, value in clock.parameter_defaults.items() if name in parameters}
    for name, parameter in parameters.items():
        if parameter.required and name not in given:
            raise Untold(f"the flow needs the parameter '{name}', and a clock of it has no parameter_defaults for it")

    for name, value in given.items():
        if not is_json(value):
            raise Untold(f"the value of the parameter '{name}' in parameter_defaults cannot be said in JSON")

    return parameters_text(given)


def _clauses(schedule: Schedule) -> dict[str, tuple[ClauseSpec, ...]]:
    names = ("filters", "or_filters", "not_filters", "adjustments")
    return {name: tuple(_each(getattr(schedule, name))) for name in names}


def _each(given: Iterable[Callable[[datetime], object]]) -> Iterator[ClauseSpec]:
    for each in given:
        if isinstance(each, Condition | Later):
            yield each.spec
        elif name := _PLAIN.get(each):
            yield ClauseSpec(name=name)
        else:
            name = getattr(each, "__name__", type(each).__name__)
            raise Untold(f"{name} is a filter or adjustment of your own, which the daemon cannot ask")
