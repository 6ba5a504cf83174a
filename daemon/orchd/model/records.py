"""
The lines of a run's folder: ``run.json``, ``monitor.jsonl`` and ``journal.jsonl``, version 1.

One record is one JSON line. Unknown keys are passed over, so that a newer writer can be read; a record is never
changed once written. Times are UTC microseconds. ``design.md`` section 2 says who writes which file.
"""

from typing import Final

import msgspec
from msgspec import Struct

#: Version of all three formats, written into ``run.json`` and ``started``.
FORMAT_VERSION: Final = 1
#: Beginnings of the messages of task runs that a resumed run took over.
REUSED: Final = "Reused from"
SKIPPED_AGAIN: Final = "Skipped as in"


class RunSpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    ``run.json``: everything that a run needs to know, written by the daemon at the claim and at each relaunch.
    """

    version: int = FORMAT_VERSION
    run_id: str
    run_name: str
    #: ``ORCHD_RUN_KEY`` of the run.
    run_key: str
    flow: str
    #: Absolute path of the flow file.
    file: str
    #: SHA-256 of the flow file when it was described; a run that loads other bytes says so.
    source_hash: str
    parameters: dict[str, object] = msgspec.field(default_factory=dict)
    attempt: int = 1
    schedule: str | None = None
    fire_time_us: int | None = None
    #: When the run was wanted, the same for all of its attempts: ``scheduled_start_time``.
    wanted_at_us: int | None = None
    #: Id of the attempt that it goes on from; ``resume.json`` says more.
    resumed_from: str | None = None
    #: Folder of results that stand for further runs (``cache_for``).
    caches: str | None = None
    #: Seconds of running time before SIGTERM; None for no limit.
    time_limit_s: float | None = None
    #: Seconds between SIGTERM and SIGKILL.
    grace_s: float = 30.0
    #: File of ``NAME=value`` lines, read by the run itself, so that its values are in no other file.
    env_file: str | None = None
    #: The module names of the classic tool mean ours.
    prefect_imports: bool = False
    #: Unix socket at which a task of the run asks its daemon for runs of other flows.
    socket: str | None = None
    #: Flow name -> id of the run that this one waited for.
    upstream_runs: dict[str, str] = msgspec.field(default_factory=dict)
    #: Unix datagram socket of the daemon: one datagram (the run id) says 'look at me'. Best effort.
    nudge: str | None = None


class Started(Struct, frozen=True, kw_only=True, tag_field="kind", tag="started"):
    """
    The monitor holds byte 0 and is about to fork the run.
    """

    version: int = FORMAT_VERSION
    at: int
    host: str
    boot_id: str
    #: The monitor's pid, and its start time in clock ticks since boot (field 22 of ``/proc/PID/stat``).
    pid: int
    start_time: int


class Finished(Struct, frozen=True, kw_only=True, tag_field="kind", tag="finished", omit_defaults=True):
    """
    How the run ended. Nothing of it is alive any more.
    """

    at: int
    #: A final :class:`~orchd.model.states.FlowRunState`.
    state: str
    message: str
    exit_code: int | None = None
    signal: int | None = None
    #: Peak resident memory of the run and its reaped children, in KiB.
    peak_rss_kib: int | None = None


class Void(Struct, frozen=True, kw_only=True, tag_field="kind", tag="void"):
    """
    Whoever held byte 0 decided that this run shall never start.
    """

    at: int
    reason: str


MonitorRecord = Started | Finished | Void


class TaskRecord(Struct, frozen=True, kw_only=True, tag_field="kind", tag="task", omit_defaults=True):
    """
    A task run moved to *state*.
    """

    at: int
    slug: str
    state: str
    #: -1 when the task is not mapped.
    map_index: int = -1
    attempt: int = 1
    message: str = ""
    #: Where the result is stored, if it is.
    location: str | None = None
    #: Sizes of the files ``stdout`` and ``stderr`` at this move. After ``running`` the bytes from here on belong to
    #: this task, after any other state to nobody. -1 when nobody knows.
    stdout: int = -1
    stderr: int = -1
    #: Another task runs beside it: the bytes from here on belong to nobody, but for those of which a ``span`` tells.
    beside: bool = False


class LogRecord(Struct, frozen=True, kw_only=True, tag_field="kind", tag="log", omit_defaults=True):
    """
    A line of a logger, or of a print in a task with ``log_stdout=True``.
    """

    at: int
    #: Numbers of the standard ``logging`` module: 20 is INFO.
    level: int
    logger: str
    text: str
    slug: str | None = None
    map_index: int = -1


class SpanRecord(Struct, frozen=True, kw_only=True, tag_field="kind", tag="span", omit_defaults=True):
    """
    Bytes ``start`` to ``end`` (exclusive) of *stream* were printed by this task, while others ran beside it.
    """

    at: int = 0
    #: ``stdout`` or ``stderr``.
    stream: str
    start: int
    end: int
    slug: str
    map_index: int = -1


class WaitRecord(Struct, frozen=True, kw_only=True, tag_field="kind", tag="wait"):
    """
    All that the run does from now on is wait for the runs *children*; with none it goes on with work of its own.
    """

    at: int
    #: Ids, in order.
    children: tuple[str, ...]


class FlowRecord(Struct, frozen=True, kw_only=True, tag_field="kind", tag="flow"):
    """
    How the engine judged the flow: the last line of a journal whose run came to its end by itself.
    """

    at: int
    #: ``success`` or ``failed``.
    state: str
    message: str


JournalRecord = TaskRecord | LogRecord | SpanRecord | WaitRecord | FlowRecord


class TaskBefore(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    How a task run of an earlier attempt ended.
    """

    slug: str
    #: -1 when the task is not mapped.
    map_index: int = -1
    state: str
    #: Where its result is stored, if it is.
    location: str | None = None


class Resume(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    ``resume.json``: the attempt that a run goes on from, written by the daemon beside ``run.json``.
    """

    version: int = FORMAT_VERSION
    run_id: str
    run_name: str
    attempt: int
    #: How it ended: a final :class:`~orchd.model.states.FlowRunState`.
    state: str
    #: Folder of the results that it kept.
    results: str
    #: Slug or name of the task from which on everything runs anew; None for what did not succeed.
    from_task: str | None = None
    tasks: tuple[TaskBefore, ...] = ()


class KeptIndex(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    ``index.json`` beside the results that an attempt keeps: what its tasks were given beside the results of others.
    """

    version: int = FORMAT_VERSION
    #: SHA-256 of the flow file that was really run.
    source_hash: str
    #: Slug -> fingerprint of its constants, or of a parameter's value.
    prints: dict[str, str]
