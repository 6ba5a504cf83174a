"""
Answers of the daemon's API, of the shapes that it gives.
"""

from typing import Any

Json = dict[str, Any]


def a_run(number: int = 1, **changes: Any) -> Json:
    """
    Return a run that succeeded, with *changes*.
    """
    return {
        "id": f"{number:08x}-0000-4000-8000-000000000000",
        "number": number,
        "name": f"calm-otter-{number:06x}",
        "flow": "data-engineer",
        "state": "success",
        "shown": "Success",
        "schedule": "every-minute",
        "fire_time": "2026-11-23T17:06:00Z",
        "trigger": "schedule",
        "created_at": "2026-11-23T17:06:00.001000Z",
        "started_at": "2026-11-23T17:06:00.007000Z",
        "ended_at": "2026-11-23T17:06:02.500000Z",
        "duration_s": 2.493,
        "attempt": 1,
        "message": "All reference tasks succeeded.",
        "parameters": {"test_data_ratio": 0.2},
        "host": "worker",
        "parent_run_id": None,
        "held": None,
        "resumed_from": None,
    } | changes


def a_task(slug: str = "load_data", **changes: Any) -> Json:
    """
    Return a task that succeeded, with *changes*.
    """
    return {
        "slug": slug,
        "name": slug,
        "map_index": -1,
        "state": "success",
        "shown": "Success",
        "attempt": 1,
        "started_at": "2026-11-23T17:06:00.100000Z",
        "ended_at": "2026-11-23T17:06:00.600000Z",
        "duration_s": 0.5,
        "message": "Task run succeeded.",
        "location": None,
    } | changes


def a_detail(run: Json, **changes: Any) -> Json:
    """
    Return *run* as ``GET /runs/REF`` gives it, with *changes*.
    """
    moves = [("scheduled", "pending"), ("pending", "running"), ("running", run["state"])]
    return (
        run
        | {
            "tasks": [a_task()],
            "tasks_next": None,
            "has_all_events": True,
            "events": [
                {"at": run["created_at"], "from": old, "to": new, "message": "", "task": None, "map_index": -1}
                for old, new in moves
            ],
            "upstream_runs": {},
            "created_by": "schedule every-minute",
            "peak_rss_kib": 120_000,
            "exit_code": 0,
            "signal": None,
            "parent": None,
            "children": [],
            "before": None,
            "after": None,
        }
        | changes
    )


def a_line(seq: int, text: str, **changes: Any) -> Json:
    """
    Return a line of a logger, with *changes*.
    """
    return {
        "seq": seq,
        "at": "2026-11-23T17:06:00.100000Z",
        "level": 20,
        "stream": "logger",
        "task": None,
        "map_index": -1,
        "text": text,
    } | changes


def a_slot(**changes: Any) -> Json:
    """
    Return the slot of a start on time, with *changes*.
    """
    return {
        "schedule": "every-minute",
        "fire_time": "2026-11-23T17:06:00Z",
        "until": None,
        "outcome": "started",
        "reason": "on_time",
        "fields": {},
        "sentence": "started on time",
        "run": a_run()["id"],
    } | changes


def a_schedule(**changes: Any) -> Json:
    """
    Return a schedule by cron, with *changes*.
    """
    return {
        "name": "every-minute",
        "flow": "data-engineer",
        "rule": "cron * * * * *",
        "words": "every minute",
        "timezone": "Europe/Vienna",
        "overlap": "skip",
        "catchup": "latest",
        "grace_s": None,
        "max_catchup": 100,
        "parameters": {},
        "paused": None,
        "next": ["2026-11-23T17:07:00Z", "2026-11-23T17:08:00Z"],
        "last": a_slot(),
    } | changes


def a_flow(name: str = "data-engineer", **changes: Any) -> Json:
    """
    Return a flow that is loaded, with *changes*.
    """
    return {
        "name": name,
        "file": f"/srv/flows/{name.replace('-', '_')}.py",
        "version": 3,
        "parameters": [{"name": "test_data_ratio", "required": False, "default": 0.2}],
        "tasks": 4,
        "schedules": ["every-minute"],
        "last_run": a_run(flow=name),
        "project": None,
        "labels": [],
        "loaded": True,
        "error": None,
    } | changes


def a_fire(**changes: Any) -> Json:
    """
    Return a coming fire time, with *changes*.
    """
    return {
        "schedule": "every-minute",
        "flow": "data-engineer",
        "fire_time": "2026-11-23T17:07:00Z",
        "local": "2026-11-23 18:07:00 +01:00",
        "note": None,
        "waits_for": [],
    } | changes


def a_status(**changes: Any) -> Json:
    """
    Return the status of a daemon that has just begun, with *changes*.
    """
    return {
        "daemon": {
            "pid": 4711,
            "version": "0.1.0",
            "started_at": "2026-11-23T17:05:00Z",
            "store": "sqlite",
            "timezone": "Europe/Vienna",
            "state_dir": "/var/lib/orchd",
            "socket": "/run/orchd/orchd.sock",
            "max_runs": 8,
            "host": "worker",
        },
        "page": {"url": "http://127.0.0.1:8420", "trouble": None},
        "running": [],
        "held": [],
        "next": [a_fire()],
        "failed": [],
        "broken": [],
        "config_error": None,
        "put_off": [],
        "clock_jumps": [],
        "clock_waits": [],
        "pools": [],
        "next_more": 0,
        "counts": {"success": 12},
    } | changes
