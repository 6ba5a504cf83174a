"""
Every question that people ask of the store, for API, pages and CLI alike: one name for each, none of which writes.
"""

from orchd.store.queries_logs import log_lines, log_tail
from orchd.store.queries_runs import (
    counts,
    ended_runs,
    find_run,
    has_flow,
    latest_run,
    live_runs,
    run_detail,
    run_view,
    runs,
    task_slugs,
)
from orchd.store.queries_schedules import (
    SchedulePast,
    flows,
    last_slots,
    schedule_id,
    schedule_past,
    schedules,
    slot_at,
    slot_of_run,
    slot_within,
    slots,
)
from orchd.store.views import (
    EventView,
    FlowView,
    LogView,
    PauseView,
    RunDetail,
    RunView,
    ScheduleView,
    SlotView,
    TaskView,
)

__all__ = [
    "EventView",
    "FlowView",
    "LogView",
    "PauseView",
    "RunDetail",
    "RunView",
    "SchedulePast",
    "ScheduleView",
    "SlotView",
    "TaskView",
    "counts",
    "ended_runs",
    "find_run",
    "flows",
    "has_flow",
    "last_slots",
    "latest_run",
    "live_runs",
    "log_lines",
    "log_tail",
    "run_detail",
    "run_view",
    "runs",
    "schedule_id",
    "schedule_past",
    "schedules",
    "slot_at",
    "slot_of_run",
    "slot_within",
    "slots",
    "task_slugs",
]
