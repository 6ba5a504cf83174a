"""
Makes the past of a store: runs, slots, task runs, events and log lines, by SQL, some hundred thousand rows a second.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

#: Run that has the longest log, and run that has the widest map, counted from the newest one.
TALKER, MAPPER = 0, 1
#: Children of the widest map.
CHILDREN = 10_000
#: Seconds between two runs, so that a million lie within the 90 days that runs are kept.
_APART_S = 7
#: The newest runs, which have task runs and the events of their moves too.
_WITH_TASKS = 50_000

_NUMBERS = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :runs)"
_MADE = "(:now - (:runs - n + 1) * :apart)"
_ID = "printf('%08x-0000-4000-8000-%012x', n * 2654435761 % 4294967296, n)"
_STATE = (
    "CASE WHEN n % 200000 = 7 THEN 'timed_out' WHEN n % 1000 = 3 THEN 'crashed' WHEN n % 50 = 9 THEN 'failed'"
    " WHEN n % 500 = 11 THEN 'cancelled' ELSE 'success' END"
)
#: Seven of ten runs are of a schedule; the others are all of the first flow.
_OF_SCHEDULE = "(n % 10 < 7)"
_SCHEDULE = "1 + n % :schedules"

_SLOTS = f"""
{_NUMBERS} INSERT INTO slot (schedule_id, fire_time_us, schedule_version_id, outcome, reason, fields, run_id)
SELECT v.schedule_id, {_MADE}, v.id, 'started', 'on_time', '{{}}', {_ID}
FROM n JOIN schedule_version v ON v.schedule_id = {_SCHEDULE} WHERE {_OF_SCHEDULE} ORDER BY v.schedule_id, n
"""
_SKIPPED = f"""
{_NUMBERS} INSERT INTO slot (schedule_id, fire_time_us, schedule_version_id, outcome, reason, fields)
SELECT v.schedule_id, {_MADE} + 1000000, v.id, CASE WHEN n % 100000 = 20 THEN 'missed' ELSE 'skipped' END,
 CASE WHEN n % 100000 = 20 THEN 'too_late' ELSE 'queue_full' END, '{{"waiting": 3, "late_s": 90, "grace_s": 60}}'
FROM n JOIN schedule_version v ON v.schedule_id = {_SCHEDULE} WHERE n % 40 = 20 ORDER BY v.schedule_id, n
"""
_RUNS = f"""
{_NUMBERS} INSERT INTO flow_run (number, id, name, flow, flow_version_id, source_hash, schedule_id, fire_time_us,
 wanted_at_us, parameters, state, host, trigger, created_by, created_at_us, started_at_us, ended_at_us, message,
 next_seq)
SELECT n, {_ID}, 'amber-fox-' || n,
 CASE WHEN {_OF_SCHEDULE} THEN v.flow ELSE 'flow-000' END, f.id, 'x',
 CASE WHEN {_OF_SCHEDULE} THEN v.schedule_id END, CASE WHEN {_OF_SCHEDULE} THEN {_MADE} END, {_MADE},
 printf('{{"region": "eu-%d", "day": %d}}', n % 9, n % 365), {_STATE}, 'here',
 CASE WHEN {_OF_SCHEDULE} THEN 'schedule' ELSE 'manual' END, 'somebody', {_MADE}, {_MADE} + 20000,
 {_MADE} + 20000 + n * 7919 % 5000000, CASE WHEN {_STATE} = 'success' THEN '' ELSE 'task load raised KeyError: 7' END, 9
FROM n JOIN schedule_version v ON v.schedule_id = {_SCHEDULE}
 JOIN flow w ON w.name = CASE WHEN {_OF_SCHEDULE} THEN v.flow ELSE 'flow-000' END
 JOIN flow_version f ON f.flow_id = w.id
"""
_TASKS = """
INSERT INTO task_run (run_number, slug, map_index, state, started_at_us, ended_at_us)
SELECT number, slug, -1, 'success', started_at_us, ended_at_us
FROM flow_run, (SELECT 'extract' AS slug UNION SELECT 'load' UNION SELECT 'tell') WHERE number > :runs - :with_tasks
"""
_CHILDREN = """
WITH RECURSIVE n(n) AS (SELECT -1 UNION ALL SELECT n + 1 FROM n WHERE n < :children - 1)
INSERT INTO task_run (run_number, slug, map_index, state, started_at_us, ended_at_us)
SELECT number, 'wide', n, CASE WHEN n < 0 THEN 'mapped' WHEN n % 997 = 5 THEN 'failed' ELSE 'success' END,
 started_at_us + n, ended_at_us
FROM flow_run, n WHERE number = :runs - :mapper
"""
_EVENTS = """
INSERT INTO event (run_number, slug, map_index, from_state, to_state, at_us)
SELECT run_number, slug, map_index, 'pending', 'running', started_at_us FROM task_run UNION ALL
SELECT run_number, slug, map_index, 'running', state, ended_at_us FROM task_run UNION ALL
SELECT number, NULL, NULL, 'running', state, ended_at_us FROM flow_run WHERE number > :runs - :with_tasks
"""
_LOG = "INSERT INTO log (run_number, seq, at_us, level, stream, slug, map_index, text) SELECT"
_LINES = f"""
WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 8)
{_LOG} number, n, started_at_us + n, 20, 1, 'load', -1, 'line ' || n || ' of a usual length, as tasks write: ' || number
FROM flow_run JOIN n WHERE number < :runs - :talker ORDER BY number, n
"""
_LONG_LOG = f"""
WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < :runs - 1)
{_LOG} :runs - :talker, n, :now + n, CASE WHEN n = :runs - 2 THEN 40 ELSE 20 END,
 CASE WHEN n = :runs - 2 THEN 0 ELSE 1 END,
 CASE WHEN n % 2 THEN 'load' ELSE 'extract' END, -1, 'line ' || n || ' of a usual length, as tasks write: ' || n * 7919
FROM n
"""


def fill(path: Path, *, runs: int, now_us: int) -> dict[str, int]:
    """
    Give the store at *path*, which knows flows and schedules already, *runs* runs and ten times as many lines.

    A tenth of the lines is the log of one run. Returns how many rows each table has, and the file's size in MiB.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
            conn.execute(f"PRAGMA {pragma}")
        (schedules,) = conn.execute("SELECT count(*) FROM schedule").fetchone()
        given = {
            "runs": runs,
            "now": now_us,
            "apart": _APART_S * 1_000_000,
            "schedules": schedules,
            "with_tasks": min(_WITH_TASKS, runs // 2),
            "children": min(CHILDREN, runs),
            "mapper": MAPPER,
            "talker": TALKER,
        }
        conn.execute("BEGIN")
        for statement in (_SLOTS, _SKIPPED, _RUNS, _TASKS, _CHILDREN, _EVENTS, _LINES, _LONG_LOG):
            conn.execute(statement, given)
        conn.execute("COMMIT")
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tables = ("flow_run", "slot", "task_run", "event", "log")
        counts = {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    return counts | {"file_mib": path.stat().st_size >> 20}
