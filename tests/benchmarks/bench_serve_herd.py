"""
10,000 schedules due at one instant in a real daemon with 8 places: until every slot is recorded, and in what order
the held runs start. ``bench_herd.py`` measures the tick alone.
"""

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import measuring
from benchmarks.bench_herd import heap_s
from benchmarks.bench_idle import FLOW
from orchd import clock
from support.daemon import Daemon, Json
from support.waiting import eventually

PLACES = 8
#: Starts that are waited for; each is a process, and a thousand a second are the machine's limit.
STARTS = 50
#: Seconds for the daemon to start and to read so many schedules before they are due.
AHEAD_S = 30


def schedules(count: int, due: datetime) -> str:
    """
    Return *count* schedules that are due together, once.
    """
    anchor = due.strftime("%Y-%m-%dT%H:%M:%SZ")
    rule = f'flow = "nothing"\nevery = "1w"\nanchor = {anchor}\n'
    return "".join(f"[schedules.herd-{n:05}]\n{rule}" for n in range(count))


def started(daemon: Daemon, starts: int) -> list[str]:
    """
    Wait until so many runs were begun, and return their schedules in the order in which they got a place.
    """
    sql = (
        "SELECT s.name FROM event e JOIN flow_run r ON r.number = e.run_number JOIN schedule s ON s.id = r.schedule_id"
        " WHERE e.slug IS NULL AND e.to_state = 'pending' ORDER BY e.id LIMIT ?"
    )
    with closing(measuring.store(daemon)) as asked:

        def ask() -> list[str]:
            names = [name for (name,) in asked.execute(sql, (starts,))]
            return names if len(names) == starts else []

        return eventually(ask, within_s=60, every_s=0.1, what=f"{starts} runs have a place")


def measure(place: Path, count: int, ahead_s: float) -> Json:
    """
    Return the figures of *count* schedules.
    """
    starts = min(STARTS, count)
    with measuring.daemon_in(place, daemon=f"max_runs = {PLACES}") as daemon:
        daemon.flow("nothing.py", FLOW)
        due = (clock.now() + timedelta(seconds=ahead_s)).replace(microsecond=0)
        daemon.configure(schedules(count, due), daemon=f"max_runs = {PLACES}")
        loading_s = measuring.timed(daemon.start)
        ready_s = (due - clock.now()).total_seconds()
        due_us = int(due.timestamp() * 1_000_000)
        with closing(measuring.store(daemon)) as asked:
            sql = "SELECT 1 FROM slot WHERE fire_time_us = ? LIMIT 1"
            first_us = measuring.committed(asked, sql, due_us)
            sql = "SELECT 1 FROM (SELECT count(*) AS n FROM slot WHERE fire_time_us = ?) WHERE n = ?"
            all_us = measuring.committed(asked, sql, due_us, count, within_s=60)
        order = started(daemon, starts)
        outcomes = daemon.rows("SELECT outcome, count(*) AS n FROM slot WHERE fire_time_us = :at GROUP BY 1", at=due_us)
        first_start = daemon.rows("SELECT min(started_at_us) AS at FROM flow_run")[0]["at"]
    bare_s = heap_s(count)
    return {
        "schedules": count,
        "recorded_s": (all_us - due_us) / 1e6,
        "first_row_s": (first_us - due_us) / 1e6,
        "first_start_s": (first_start - due_us) / 1e6,
        "dropped": count - sum(row["n"] for row in outcomes),
        "not_started": sum(row["n"] for row in outcomes if row["outcome"] != "started"),
        "starts_looked_at": len(order),
        "starts_out_of_order": sum(name != f"herd-{n:05}" for n, name in enumerate(order)),
        "bare_heap_s": bare_s,
        "ratio": (all_us - due_us) / 1e6 / bare_s,
        "daemon_start_s": loading_s,
        "was_ready_before_s": ready_s,
        "target": "every slot within 0.5 s, none dropped, starts in order",
    }


def main() -> None:
    """
    Measure and print.
    """
    parser = measuring.parser(str(__doc__), size=10_000, size_help="schedules")
    parser.add_argument("--ahead", type=float, default=AHEAD_S, help="seconds until they are due")
    given = parser.parse_args()
    figures = measure(given.place, given.size, given.ahead)
    measuring.report(f"a herd due at one instant, max_runs = {PLACES}", figures, folder=given.place)


if __name__ == "__main__":
    main()
