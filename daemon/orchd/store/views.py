"""
What people are shown, in the shapes of the HTTP API: times are ISO-8601 UTC text.

Fields that only the daemon knows have an empty default; it fills them with ``msgspec.structs.replace``.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from orchd.model.specs import FlowSpec, ParameterSpec


class RunView(Struct, frozen=True, kw_only=True):
    """
    A run in a list.
    """

    id: str
    number: int
    name: str
    flow: str
    state: str
    #: The state as people see it: ``TimedOut``.
    shown: str
    schedule: str | None
    fire_time: str | None
    trigger: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    attempt: int
    message: str
    parameters: Mapping[str, object]
    host: str | None
    #: Id of the run whose task started it.
    parent_run_id: str | None
    #: Id of the attempt that it goes on from.
    resumed_from: str | None
    #: Why a scheduled run does not start yet; the daemon's to say.
    held: str | None = None


class TaskView(Struct, frozen=True, kw_only=True):
    """
    A task run of a run.
    """

    slug: str
    name: str
    map_index: int
    state: str
    shown: str
    attempt: int
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    message: str
    location: str | None


class TaskSummary(Struct, frozen=True, kw_only=True):
    """
    One task of a run with its children, of which there may be more than are given.
    """

    #: The task itself; its first child while it has no row of its own.
    task: TaskView
    children: tuple[TaskView, ...]
    #: State of a child in words -> how many there are, the most first; empty when the task is not mapped.
    counts: Mapping[str, int]
    #: The states that are among its rows; of a mapped task those of its children, if it has any.
    states: tuple[str, ...]
    #: When the first of them began, and the last one ended; None when none began, or not all have ended.
    began_at: str | None
    ended_at: str | None


class EventView(Struct, frozen=True, kw_only=True):
    """
    One move of a run, or of one of its tasks.
    """

    at: str
    from_: str | None = msgspec.field(name="from")
    to: str
    message: str
    task: str | None
    map_index: int | None


class RunDetail(RunView, frozen=True, kw_only=True):
    """
    One run with all that is known of it but its log.
    """

    #: The first of them by slug and map index, in the order in which they began.
    tasks: tuple[TaskView, ...]
    #: Where the page of task runs after these begins; None when these are all.
    tasks_next: str | None
    #: Moves of the run and of its task runs; of the run alone when those are too many.
    events: tuple[EventView, ...]
    has_all_events: bool
    upstream_runs: Mapping[str, str]
    created_by: str
    peak_rss_kib: int | None
    exit_code: int | None
    signal: int | None
    #: The run whose task started it, as long as the store has it.
    parent: RunView | None
    #: The oldest runs that its tasks started.
    children: tuple[RunView, ...]
    #: The attempt that it goes on from, and the one that goes on from it, as long as the store has them.
    before: RunView | None
    after: RunView | None


class LogView(Struct, frozen=True, kw_only=True):
    """
    One line that a run wrote.
    """

    seq: int
    at: str
    level: int
    #: ``logger``, ``stdout`` or ``stderr``.
    stream: str
    task: str | None
    map_index: int
    text: str


class SlotView(Struct, frozen=True, kw_only=True):
    """
    What was decided about a fire time, and why.
    """

    schedule: str
    fire_time: str
    until: str | None
    outcome: str
    reason: str
    fields: Mapping[str, object]
    #: The reason in words.
    sentence: str
    run: str | None


class PauseView(Struct, frozen=True, kw_only=True):
    """
    Who paused a schedule.
    """

    who: str
    at: str
    note: str


class ScheduleView(Struct, frozen=True, kw_only=True):
    """
    A schedule of the config, or of a flow file.
    """

    name: str
    flow: str
    #: As written: ``cron 0 2 * * *``, ``every 90s``, ``after load``.
    rule: str
    #: When it fires, in words: ``at 02:00 every day``. Its zone is not in them.
    words: str
    timezone: str
    overlap: str
    catchup: str
    grace_s: float | None
    max_catchup: int
    parameters: Mapping[str, object]
    paused: PauseView | None
    #: Written in a flow file.
    in_code: bool = False
    #: Of one that only the flow's own code can say: until when its fire times are known.
    known_until: str | None = None
    labels: tuple[str, ...] = ()
    #: What each of its runs waits for, in words.
    waits_for: tuple[str, ...] = ()
    pool: str | None = None
    priority: int | None = None
    pause_after_failures: int | None = None
    #: Coming fire times; the daemon's to say.
    next: tuple[str, ...] = ()
    last: SlotView | None = None


class ProjectView(Struct, frozen=True, kw_only=True):
    """
    A project with the names of its flows.
    """

    name: str
    created_at: str
    flows: tuple[str, ...]


class FlowView(Struct, frozen=True, kw_only=True):
    """
    A flow that was described at least once.
    """

    name: str
    file: str
    version: int
    parameters: tuple[ParameterSpec, ...]
    #: How many tasks its graph has.
    tasks: int
    schedules: tuple[str, ...]
    last_run: RunView | None
    #: Into which it was registered, and with what; its code may give it labels too.
    project: str | None = None
    labels: tuple[str, ...] = ()
    #: Whether its file loads now, and why not; the daemon's to say.
    loaded: bool = True
    error: str | None = None


def flow_view(spec: FlowSpec, *, version: int, schedules: tuple[str, ...], last_run: RunView | None) -> FlowView:
    """
    Return how *spec* is shown.
    """
    return FlowView(
        name=spec.name,
        file=spec.file,
        version=version,
        parameters=spec.parameters,
        tasks=len(spec.tasks),
        schedules=schedules,
        last_run=last_run,
    )
